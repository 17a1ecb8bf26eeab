"""What workers that differ can do together."""

from __future__ import annotations

from dataclasses import replace

from storage.places import find_place, list_runs, merge_catalogs, name_for_timings, name_place
from storage.records import Base, Catalog, Concept, Dial, Method, Rule

SMALL = Base("embedded", "Emoji", "sd1", "embedded", 64, "", "", present=True, small=True)
LARGE = Base("sdxl", "SDXL", "sdxl", "hub/sdxl", 1024, "", "", present=True, memory_mib=7000)
RULE = Rule("lora", "sdxl", Concept.LOOK, Dial.QUICK, 9, 0, 9, 9, 8, 1e-4, 1, 9, "", memory_mib=12)
LORA, OFT = Method("lora"), Method("oft")
BIG = Catalog((SMALL, LARGE), (LORA, OFT), "blip", (RULE,), "RTX 4090", 24_000, published=1.0)
LITTLE = Catalog(
    (SMALL, LARGE), (LORA,), "embedded", (replace(RULE, memory_mib=6),), "RTX 3050", 6000,
    published=2.0, stepper="compile",
)  # fmt: skip


def test_nobody() -> None:
    """Without a worker the catalog is empty."""
    assert merge_catalogs({}) == Catalog()


def test_one() -> None:
    """One worker's catalog is as it published it, with its place."""
    merged = merge_catalogs({"box/cuda0": BIG})

    assert replace(merged, places=()) == BIG
    assert merged.places[0][:4] == ("box/cuda0", "RTX 4090", 24_000, "")


def test_what_fits() -> None:
    """A worker runs what it has and has the memory for, and its captioner; emoji always."""
    absent = replace(LARGE, name="flux", present=False)
    rules = tuple(
        replace(RULE, base=base, method=method, memory_mib=mib)
        for base, method, mib in (
            ("sdxl", "lora", 6500), ("sdxl", "finetune", 20_000), ("embedded", "lora", 9999)
        )
    )  # fmt: skip
    middle = replace(BIG, memory_mib=8000, rules=rules)

    assert list_runs(BIG) == {"embedded", "sdxl", "sdxl lora", "blip"}
    assert list_runs(LITTLE) == {"embedded"}
    assert list_runs(middle) == {"embedded", "sdxl", "sdxl lora", "embedded lora", "blip"}
    assert list_runs(replace(BIG, bases=(SMALL, absent))) == {"embedded", "blip"}


def test_two() -> None:
    """A base runs where it fits, with that place's memory; whichever worker publishes last."""
    for order in (("a", "b"), ("b", "a")):
        known = {"a": LITTLE, "b": BIG}
        merged = merge_catalogs({name: known[name] for name in order})

        assert [place.worker for place in merged.places] == ["b", "a"]
        assert (merged.device, merged.memory_mib, merged.captioner) == ("RTX 4090", 24_000, "blip")
        assert {method.name for method in merged.methods} == {"lora", "oft"}
        assert merged.rules == (RULE,)
        assert find_place(merged, "sdxl").worker == "b"
        assert merged.published == 2.0


def test_a_base_that_one_has() -> None:
    """A base is there if any worker has it, and runs there though another one is larger."""
    without = replace(BIG, bases=(SMALL, replace(LARGE, present=False)), rules=())
    middle = replace(LITTLE, memory_mib=8000)

    merged = merge_catalogs({"a": without, "b": middle})

    assert merged.find_base("sdxl").present
    assert (find_place(merged, "sdxl").worker, find_place(merged, "embedded").worker) == ("b", "a")
    assert merged.rules == middle.rules


def test_away() -> None:
    """A worker that is away is left out, unless nobody else is there."""
    away = replace(BIG, away=True)

    assert [place.worker for place in merge_catalogs({"a": LITTLE, "b": away}).places] == ["a"]
    assert [place.worker for place in merge_catalogs({"b": away}).places] == ["b"]


def test_names() -> None:
    """A place is its device; where there are several, also its worker."""
    one, two = merge_catalogs({"box/cuda0": BIG}), merge_catalogs({"box/a": LITTLE, "box/b": BIG})

    assert name_place(one, one.places[0]) == "RTX 4090"
    assert name_place(two, find_place(two, "sdxl")) == "RTX 4090 (box/b)"


def test_timings() -> None:
    """Each device has timings of its own, compiled ones apart."""
    merged = merge_catalogs({"a": LITTLE, "b": BIG})

    assert name_for_timings(merged, "RTX 3050") == "RTX 3050, compile"
    assert name_for_timings(merged, "RTX 4090") == "RTX 4090"
