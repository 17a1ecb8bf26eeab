"""The advisor asked about a folder of photos, as a shell asks."""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from bot import wording
from storage.errors import JobError
from storage.planning.case import SUBJECT_MATTERS
from storage.records import CheckedPhoto, Commercial, Concept, Dial
from training.cli import advice
from training.cli.photos import Source
from training.settings import TrainingSettings
from training.worker.runtime import Runtime

if TYPE_CHECKING:
    from storage.records import Catalog


@pytest.fixture(scope="module")
def catalog(tmp_path_factory: pytest.TempPathFactory) -> Catalog:
    """What this machine can do, as the worker publishes it; of a processor alone."""
    settings = TrainingSettings(_env_file=None)  # type: ignore[call-arg]
    return Runtime(tmp_path_factory.mktemp("bases"), settings, "cpu").catalog()


def sources(count: int) -> list[Source]:
    """Give photos that are far from each other."""
    return [
        Source(f"{at}.png", Path(f"{at}.png"), "",
               CheckedPhoto("", at * 0x0F0F_F0F0_0FF0, 400, 300, b"", b"", ()))
        for at in range(count)
    ]  # fmt: skip


def asking(**more: Any) -> argparse.Namespace:
    """Ask as `train --method auto` does."""
    given = {
        "method": "auto",
        "base": "",
        "dial": None,
        "motif": None,
        "class_word": "",
        "concepts": 1,
    }
    given |= {"commercial": False, "concept": Concept.SUBJECT}
    return argparse.Namespace(**(given | more))


def test_auto(catalog: Catalog) -> None:
    """Method, base and dial are settled; on a bare processor the embedded base is left."""
    chosen = asking()

    facts = advice.settle(chosen, sources(8), catalog)

    assert (chosen.method, chosen.base, chosen.dial) == ("lora", "embedded", Dial.BALANCED)
    assert (facts["photos"], facts["handed"], facts["terms"]) == (8, 8, "")
    assert facts["second"]["method"] == "embedding"


def test_what_was_said_stays(catalog: Catalog) -> None:
    """A dial that was given is kept, and licences' terms are told to whom they concern."""
    chosen = asking(dial=Dial.THOROUGH, commercial=True)

    assert advice.settle(chosen, sources(3), catalog)["terms"]
    assert chosen.dial is Dial.THOROUGH


def test_a_named_base_is_the_only_one(catalog: Catalog) -> None:
    """One that is not on this machine is said to be missing."""
    both = replace(
        catalog, memory_mib=24_000, bases=tuple(replace(b, present=True) for b in catalog.bases)
    )
    chosen = asking(base="realistic")

    advice.settle(chosen, sources(8), both)

    assert chosen.base == "realistic"
    with pytest.raises(JobError, match="base_missing"):
        advice.settle(asking(base="realistic"), sources(8), catalog)


@pytest.mark.parametrize("concept", Concept)
@pytest.mark.parametrize("count", [3, 10, 120])
@pytest.mark.parametrize("memory", [0, 4_000, 24_000, 90_000])
def test_whatever_is_advised_has_its_words(
    catalog: Catalog, concept: Concept, count: int, memory: int
) -> None:
    """Of every base there is and every method, each reason has a sentence."""
    here = tuple(
        replace(b, present=True, known=True, commercial=Commercial.CONDITIONS)
        for b in catalog.bases
    )
    listed = sources(count)
    for motif in SUBJECT_MATTERS[concept]:
        for concepts in (1, 3):
            chosen = asking(concept=concept, motif=motif, concepts=concepts, commercial=True)
            facts = advice.settle(chosen, listed, replace(catalog, bases=here, memory_mib=memory))
            first, second = facts["first"]["reasons"], facts["second"]["reasons"]
            assert len(wording.advice.reasons(first, "3 photos")) == 3
            assert chosen.class_word or chosen.method != "dreambooth"
            assert wording.advice.reason_apart(second, first, "3 photos")
