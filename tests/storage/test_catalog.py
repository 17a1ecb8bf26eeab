"""What the trainer can do and how long it takes here."""

from __future__ import annotations

from dataclasses import asdict

import pytest

from storage.catalog import catalog
from storage.records import Base, Catalog, Concept, Dial, Method, Pace, Rule
from storage.store import Store

BASE = Base("embedded", "Emoji", "sd1", "embedded", 64, "Apache-2.0", "emoji", present=True)
WORD = Method("embedding", (1, 8), word=True)
RULE = Rule(
    "lora", "embedded", Concept.SUBJECT, Dial.QUICK, 50, 5, 40, 90, 4, 1e-3, 4, 1000, "few"
)


async def test_empty(store: Store) -> None:
    """Before any trainer came, the catalog is empty."""
    assert await store.catalog.read() == Catalog()


async def test_publish(store: Store) -> None:
    """What was published last is read back the same."""
    await store.catalog.publish(Catalog(methods=(Method("old"),)))
    told = Catalog((BASE,), (Method("lora"), WORD), "blip", (RULE,), "H200", 12.5)

    await store.catalog.publish(told)

    assert await store.catalog.read() == told


def test_older() -> None:
    """A catalog of a trainer that published the names of its methods alone can be read."""
    known = Catalog((BASE,), (Method("lora"),), "blip", (RULE,))

    assert catalog(asdict(known) | {"methods": ["lora"]}) == known


async def test_pace(store: Store) -> None:
    """The pace is the mean of the runs, and follows a change within a few of them."""
    unknown = await store.catalog.pace("embedded", "lora")
    for step in (1.0, 2.0, 3.0):
        await store.catalog.measured("embedded", "lora", step, 10.0)
    mean = await store.catalog.pace("embedded", "lora")
    for _ in range(20):
        await store.catalog.measured("embedded", "lora", 9.0, 10.0)
    later = await store.catalog.pace("embedded", "lora")

    assert unknown is None
    assert mean == Pace(pytest.approx(2.0), 10.0, 3)
    assert later is not None
    assert later.step == pytest.approx(9.0, abs=0.1)
    assert await store.catalog.pace("embedded", "embedding") is None
