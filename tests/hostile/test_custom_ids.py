"""Forged custom ids and values: a sentence each, nothing of others touched, nothing logged."""

from __future__ import annotations

import random

import pytest

from benchmarks.hostile.words import ID_ENDS, NUMBERS, make_custom_id
from bot.cards.components import Control, Select, find_controls
from bot.wording.errors import ERRORS
from tests.fakes.forger import SILENT, Forger, Tracebacks

FORGED = 250
TOO_LARGE = ":9999999999999999999"  #: for SQLite, so that the control has no number at all


@pytest.fixture
async def forger(kit, scheduler):
    """A member with nothing beside one with a dataset, a style and a job."""
    alice, bob = kit.add_member("alice"), kit.add_member("bob")
    await scheduler.add_style(alice, "secret")
    await scheduler.add_dataset(alice)
    shown = (await alice.slash(kit.channel, "train lora", dataset="my dog")).response
    await alice.click(shown, label="Start")
    before = await kit.store.members.export(alice.id)
    with Tracebacks() as logged:
        yield Forger(kit, bob)
    assert logged.found == []
    assert await kit.store.members.export(alice.id) == before


def find_wrong(answers):
    """Return what was not answered, or answered as a bug."""
    bug = ERRORS["bug"].partition("{")[0]
    return {name: said for name, said in answers.items() if said == SILENT or said.startswith(bug)}


async def test_ends(forger):
    """A control with each strange end of its id is answered, and never as a bug."""
    for at, control in enumerate(find_controls(Control)):
        for end in (TOO_LARGE, *ID_ENDS[at % 4 :: 4]):
            forger.press(control.verb + end)

    assert find_wrong(await forger.answers()) == {}


async def test_random(forger):
    """Nor are ids put together at random."""
    rng = random.Random(19)
    verbs = sorted({control.verb for control in find_controls(Control)})
    for _ in range(FORGED):
        forger.press(make_custom_id(rng, verbs))

    assert find_wrong(await forger.answers()) == {}


async def test_values(forger):
    """Values that no option has, none or many, are answered like an old card."""
    for select in find_controls(Select):
        for values in (*((number[:100],) for number in NUMBERS), (), ("1", "2"), ("animal",)):
            forger.select(f"{select.verb}:1:0", *values)

    assert find_wrong(await forger.answers()) == {}
