"""A training starts only on photos that may be trained on."""

from __future__ import annotations

import pytest

from bot import wording
from bot.wording.errors import ERRORS
from storage.measurements import Examination

DATASET = {"dataset": "my dog"}


@pytest.mark.parametrize(("allowed", "nudity"), [(False, 0.9), (True, 0.9), (False, 0.5)])
async def test_explicit(kit, scheduler, allowed, nudity):
    """Photos that look explicit are not trained on, unless the operator allows it."""
    alice = kit.add_member("alice")
    dataset = await scheduler.add_dataset(alice)
    photos = await kit.store.photos.list_for(dataset.id, alice.id)
    await kit.store.photos.set_examination(photos[2].digest, Examination(nudity))
    kit.bot.settings = kit.bot.settings.model_copy(update={"allow_explicit": allowed})

    answer = await alice.slash(kit.channel, "train lora", **DATASET)

    refused = not allowed and nudity > 0.8
    assert kit.says(answer, ERRORS["photos_explicit"], photos="photo 3") is refused
    assert ("Start" in kit.labels(answer)) is not refused


async def test_people(kit, scheduler, monkeypatch):
    """With the operator's switch the start asks once whether the people in the photos agree."""
    monkeypatch.setattr("bot.actions.training.can_find_faces", lambda: False)
    alice = kit.add_member("alice")
    dataset = await scheduler.add_dataset(alice)
    kit.bot.settings = kit.bot.settings.model_copy(update={"attest_people": True})
    card = (await alice.slash(kit.channel, "train lora", **DATASET)).response

    await alice.click(card, label="Start")
    assert kit.says(card, wording.training.ATTEST_ASK, names="my dog")
    assert await kit.store.jobs.list_open() == []
    await alice.click(card, label=wording.training.ATTEST)

    assert len(await kit.store.jobs.list_open()) == 1
    assert (await kit.store.datasets.get(dataset.id, alice.id)).attested is not None
    again = (await alice.slash(kit.channel, "train embedding", **DATASET)).response
    await alice.click(again, label="Start")
    assert len(await kit.store.jobs.list_open()) == 2
