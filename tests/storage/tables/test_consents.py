"""Receipts of consent."""

from __future__ import annotations

from storage.store import Store
from storage.tables.consents import Audience, Purpose, Terms

ALICE, BOB = 1001, 1002


async def test_receipt(store: Store) -> None:
    """A receipt has purpose, bases, time, audience and the words, and is in the export."""
    terms = Terms(
        2,
        Purpose.SHARED_DATASET,
        Audience.OWNER_AND_SHARES,
        ("Emoji", "SDXL"),
        90,
        7,
        "the words",
        True,
    )
    await store.consents.add(ALICE, terms, "form", originals=True)

    (receipt,) = await store.consents.list_for(ALICE)
    (exported,) = (await store.members.export(ALICE))["consents"]

    assert Terms(
        receipt.version, receipt.purpose, receipt.audience, receipt.bases, receipt.retention_days,
        receipt.dataset, receipt.terms, receipt.other_machines,
    ) == terms  # fmt: skip
    assert (receipt.via, receipt.originals, receipt.withdrawn) == ("form", True, None)
    assert receipt.at > 1.7e9
    assert exported == {
        "version": 2, "at": receipt.at, "via": "form", "dataset": 7, "purpose": "shared_dataset",
        "bases": ["Emoji", "SDXL"], "retention_days": 90, "audience": "owner_and_shares",
        "originals": 1, "terms": "the words", "other_machines": 1, "withdrawn": None,
    }  # fmt: skip


async def test_newer_version(store: Store) -> None:
    """A newer version of the terms needs a new consent; nobody else's counts."""
    await store.consents.add(ALICE, Terms(2), "form")

    assert [await store.consents.has(ALICE, Terms(v)) for v in (1, 2, 3)] == [True, True, False]
    assert not await store.consents.has(BOB, Terms(1))


async def test_other_machines(store: Store) -> None:
    """A consent to the main machine alone is none to others; one to others holds on both."""
    await store.consents.add(ALICE, Terms(1), "form")
    await store.consents.add(BOB, Terms(1, other_machines=True), "form")

    asked = [Terms(1, other_machines=each) for each in (False, True)]
    assert [await store.consents.has(ALICE, each) for each in asked] == [True, False]
    assert [await store.consents.has(BOB, each) for each in asked] == [True, True]


async def test_longer(store: Store) -> None:
    """A consent holds as long as photos are kept no longer than it says."""
    await store.consents.add(ALICE, Terms(1, retention_days=90), "form")
    await store.consents.add(BOB, Terms(1, retention_days=0), "form")

    days = (30, 90, 91, 0)
    alice = [await store.consents.has(ALICE, Terms(1, retention_days=each)) for each in days]
    bob = [await store.consents.has(BOB, Terms(1, retention_days=each)) for each in days]

    assert alice == [True, True, False, False]
    assert bob == [True, True, True, True]


async def test_one_dataset(store: Store) -> None:
    """A consent for another member's dataset is for that one alone, and one's own is apart."""
    await store.consents.add(ALICE, Terms(1, dataset=7), "form")
    await store.consents.add(BOB, Terms(1), "form")

    for_own, for_seven, for_eight = Terms(1), Terms(1, dataset=7), Terms(1, dataset=8)
    alice = [await store.consents.has(ALICE, each) for each in (for_own, for_seven, for_eight)]
    bob = [await store.consents.has(BOB, each) for each in (for_own, for_seven)]

    assert alice == [False, True, False]
    assert bob == [True, False]
