"""Every prompt that pages and cards recommend is drawn, and judged by what it shows."""

from __future__ import annotations

from benchmarks.sheet import Sheet
from benchmarks.teaching.prompts import COUNT, grade_prompts
from bot.demo.mascot import on_ground
from storage.planning.prompts import recommend_prompts
from storage.records import Concept

PROMPTS = recommend_prompts("glim", Concept.SUBJECT, small=True)


def test_true_pictures_meet_the_bar(frozen_judge):
    """Each recommended prompt is drawn eight times; true pictures of the mascot are recognised."""
    drawn, sheet = [], Sheet(columns=COUNT)

    def draw(prompts):
        drawn.append(prompts)
        return [on_ground("waving")] * len(prompts)

    rows = list(grade_prompts(frozen_judge, draw, sheet))

    assert drawn == [[prompt] * COUNT for prompt in PROMPTS]
    assert [row.met for row in rows] == [True] * len(PROMPTS)
    assert [(name, len(pictures)) for name, pictures in sheet.rows] == [
        (prompt, COUNT) for prompt in PROMPTS
    ]


def test_others_miss_it(frozen_judge, blank):
    """Blank pictures are not the mascot."""
    rows = grade_prompts(frozen_judge, blank, Sheet())

    assert [row.met for row in rows] == [False] * len(PROMPTS)
