"""The catalog."""

from __future__ import annotations

from dataclasses import asdict

from storage.records import Base, Catalog, Concept, Dial, Method, Rule
from storage.store import Store
from storage.tables.catalog import catalog_from_json

BASE = Base("embedded", "Emoji", "sd1", "embedded", 64, "Apache-2.0", "emoji", present=True)
WORD = Method("embedding", (1, 8), learns_word=True)
RULE = Rule(
    "lora", "embedded", Concept.SUBJECT, Dial.QUICK, 50, 5, 40, 90, 4, 1e-3, 4, 1000, "few"
)


async def test_empty(store: Store) -> None:
    """The catalog is empty before the first one is published."""
    assert await store.catalog.read() == Catalog()


async def test_publish(store: Store) -> None:
    """The catalog that was published last is read back equal."""
    await store.catalog.publish(Catalog(methods=(Method("old"),)))
    published = Catalog((BASE,), (Method("lora"), WORD), "blip", (RULE,), "H200", 12.5)

    await store.catalog.publish(published)

    assert await store.catalog.read() == published


def test_older() -> None:
    """An older catalog, with the names of methods alone, can be read."""
    known = Catalog((BASE,), (Method("lora"),), "blip", (RULE,))

    assert catalog_from_json(asdict(known) | {"methods": ["lora"]}) == known


def test_old_names() -> None:
    """What fields of a method were called before 0.2 is still read."""
    body = asdict(Catalog((BASE,), (), "blip", (RULE,)))
    old = {"name": "embedding", "ranks": [1, 8], "word": True, "paces": False}

    assert catalog_from_json(body | {"methods": [old]}).methods == (WORD,)
