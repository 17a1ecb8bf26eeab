"""Drafts: kept for their owner's buttons, for a few days."""

from __future__ import annotations

import time

import pytest

from storage.errors import UserError
from storage.folders import Home
from storage.store import Store
from storage.tables.drafts import MAX_AGE_SECONDS

ALICE, BOB = 1001, 1002


async def test_kept_over_a_restart(store: Store, home: Home) -> None:
    """A draft is found by its number, also after a restart."""
    number = await store.drafts.add(ALICE, {"dataset": 7, "other_datasets": (8, 9)})

    async with await Store.open(home) as later:
        assert await later.drafts.get(number, ALICE) == {"dataset": 7, "other_datasets": [8, 9]}


async def test_only_for_its_owner(store: Store) -> None:
    """Another member's draft is as unknown as one that is gone."""
    number = await store.drafts.add(ALICE, {})

    for owner, wanted in ((BOB, number), (ALICE, number + 1)):
        with pytest.raises(UserError, match="card_old"):
            await store.drafts.get(wanted, owner)


async def test_old_ones_go(store: Store) -> None:
    """Drafts are removed after some days; newer ones stay."""
    kept = await store.drafts.add(ALICE, {})
    await store.drafts.remove_old(time.time())
    assert await store.drafts.get(kept, ALICE) == {}

    await store.drafts.remove_old(time.time() + MAX_AGE_SECONDS + 60)

    with pytest.raises(UserError, match="card_old"):
        await store.drafts.get(kept, ALICE)


async def test_they_leave_with_their_member(store: Store) -> None:
    """A member's export has their drafts, and erasing the member removes them."""
    number = await store.drafts.add(ALICE, {"class_word": "dog"})
    await store.drafts.add(BOB, {"class_word": "cat"})

    copy = (await store.members.export(ALICE))["drafts"]
    await store.members.erase(ALICE, keep_styles=False)

    assert [(draft["id"], draft["body"]) for draft in copy] == [(number, {"class_word": "dog"})]
    assert (await store.members.export(ALICE))["drafts"] == []
    assert len((await store.members.export(BOB))["drafts"]) == 1
