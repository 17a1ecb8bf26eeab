"""What Discord's refusals mean, and how they are said."""

from __future__ import annotations

from bot import wording
from bot.jobfeed.ladder import PLACES
from bot.jobfeed.refusals import OVERLOADED, REASONS, REASONS_BY_STATUS, TRANSIENT, judge
from tests.fakes.rooms import refusal


def test_reasons_have_sentences():
    """Every reason and every place has its words."""
    reasons = {*REASONS.values(), *REASONS_BY_STATUS.values(), *TRANSIENT.values(), "rejected"}
    assert reasons <= wording.refusals.REASONS.keys()
    assert {place for places in PLACES.values() for place in places} <= set(
        wording.refusals.PLACES
    )
    assert all(judge(refusal(400, code)).transient for code in OVERLOADED)
