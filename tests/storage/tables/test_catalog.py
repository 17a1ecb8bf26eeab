"""The catalog."""

from __future__ import annotations

from dataclasses import asdict, replace

import pytest

from storage.places import name_for_timings
from storage.records import Base, Catalog, Concept, Dial, Method, Rule
from storage.store import Store
from storage.tables.catalog import OLD_NAMES, catalog_from_json

BASE = Base("embedded", "Emoji", "sd1", "embedded", 64, "Apache-2.0", "emoji", present=True)
WORD = Method("embedding", (1, 8), learns_word=True)
RULE = Rule(
    "lora", "embedded", Concept.SUBJECT, Dial.QUICK, 50, 5, 40, 90, 4, 1e-3, 4, 1000, "few"
)


#: with other values than the defaults
CATALOG = Catalog(
    (replace(BASE, memory_mib=3, clip_skip=2, licence_url="https://example.org"),),
    (replace(WORD, own_rates=True),),
    "blip",
    (replace(RULE, num_class_images=5, memory_mib=7),),
    "H200",
    memory_mib=9,
)


async def test_empty(store: Store) -> None:
    """The catalog is empty before the first one is published."""
    assert await store.catalog.read() == Catalog()


async def test_publish(store: Store) -> None:
    """The catalog that was published last is read back equal."""
    await store.catalog.publish(Catalog(methods=(Method("old"),)))
    published = Catalog((BASE,), (Method("lora"), WORD), "blip", (RULE,), "H200", 12.5)

    await store.catalog.publish(published)

    assert await store.catalog.read_all() == {"": published}
    assert name_for_timings(published, "H200") == "H200"
    assert name_for_timings(replace(published, stepper="compile"), "H200") == "H200, compile"


@pytest.mark.parametrize("kind", OLD_NAMES, ids=lambda kind: kind.__name__)
def test_old_names(kind: type) -> None:
    """Each field is read under its name of before 0.2, too."""
    body = asdict(CATALOG)
    (entry,) = {Catalog: [body], Base: body["bases"], Rule: body["rules"]}.get(
        kind, body["methods"]
    )
    for old, name in OLD_NAMES[kind].items():
        entry[old] = entry.pop(name)

    assert catalog_from_json(body) == CATALOG
