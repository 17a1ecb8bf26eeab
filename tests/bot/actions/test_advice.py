"""The advisor's questions, as buttons keep them."""

from __future__ import annotations

import json

import pytest

from bot.actions.advice import Question
from storage.errors import UserError
from storage.planning.advice_input import SubjectMatter


@pytest.mark.parametrize(
    "question", [Question(7), Question(8, SubjectMatter.PHOTOGRAPHY, True, True, True, "w" * 32)]
)
def test_a_question_is_read_back_as_it_was(question):
    """A question survives a round trip through JSON; another draft counts as an old card."""
    assert Question.from_json(json.loads(json.dumps(question.to_json()))) == question
    with pytest.raises(UserError, match="card_old"):
        Question.from_json({"dataset": 7, "method": "lora"})
