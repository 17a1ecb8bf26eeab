"""The advisor's answers about a folder of photos, in a shell."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from bot import wording
from storage.errors import JobError
from storage.planning.advice_input import SUBJECT_MATTERS
from storage.records import CheckedPhoto, Commercial, Concept, Dial, Domain
from training.cli import advice
from training.cli.arguments import AdviseArguments
from training.cli.commands import parse
from training.cli.photos import FolderPhoto
from training.cli.request import ConceptFolder
from training.settings import TrainingSettings
from training.worker.runtime import Runtime

if TYPE_CHECKING:
    from storage.records import Catalog
    from training.cli.arguments import TrainArguments


@pytest.fixture(scope="module")
def catalog(tmp_path_factory: pytest.TempPathFactory) -> Catalog:
    """Return the catalog that a worker on a CPU publishes."""
    settings = TrainingSettings(_env_file=None)  # type: ignore[call-arg]
    return Runtime(tmp_path_factory.mktemp("bases"), settings, "cpu").catalog()


def photos(count: int) -> list[FolderPhoto]:
    """Return photos that differ strongly."""
    return [
        FolderPhoto(f"{at}.png", f"{at}.png", "",
                    CheckedPhoto("", at * 0x0F0F_F0F0_0FF0, 400, 300, b"", b"", ()))
        for at in range(count)
    ]  # fmt: skip


def training(*flags: str) -> TrainArguments:
    """Return the parsed arguments of `train --method auto`."""
    train = ["train", "photos", "--out", "out", "--name", "a", "--method", "auto", *flags]
    _, given = parse(train)
    return given


def concept(count: int) -> list[ConceptFolder]:
    """Return a subject with a number of photos."""
    return [ConceptFolder(Path("photos"), "a", Concept.SUBJECT, "", photos(count))]


def test_auto(catalog: Catalog) -> None:
    """Method, base and dial are chosen; a CPU only gets the embedded base."""
    given, _, facts = advice.apply_advice(training(), concept(8), catalog)

    assert (given.method, given.base, given.dial) == ("finetune", "embedded", Dial.BALANCED)
    assert (facts["photos"], facts["handed"], facts["terms"]) == (8, 8, "")
    assert facts["second"]["method"] == "lora"


def test_emoji(catalog: Catalog) -> None:
    """Pictures as small as emoji get a LoRA: the embedded base knows their kind."""
    (large,) = concept(20)
    small = [
        photo._replace(checked=replace(photo.checked, width=64, height=64))
        for photo in large.photos
    ]

    given, _, _ = advice.apply_advice(training(), [replace(large, photos=small)], catalog)

    assert (given.method, given.base, given.dial) == ("lora", "embedded", Dial.BALANCED)


def test_transparent_pictures(catalog: Catalog) -> None:
    """What was cut out is taken for drawn, which a base for photographs is not best for."""
    present = tuple(replace(b, present=True, known=True) for b in catalog.bases)
    both = replace(catalog, memory_mib=24_000, bases=present)
    (drawn,) = concept(8)
    photos = [photo._replace(transparent=True) for photo in drawn.photos]

    given, _, _ = advice.apply_advice(training(), [replace(drawn, photos=photos)], both)
    photographed, _, _ = advice.apply_advice(training(), concept(8), both)

    assert both.find_base(given.base).domain is Domain.GENERAL
    assert both.find_base(photographed.base).domain is Domain.PHOTO


def test_what_was_given_stays(catalog: Catalog) -> None:
    """A given dial is kept, and licence terms are named where they matter."""
    asked = training("--dial", "thorough", "--commercial")

    given, _, facts = advice.apply_advice(asked, concept(3), catalog)

    assert facts["terms"]
    assert given.dial is Dial.THOROUGH


def test_a_named_base_is_the_only_one(catalog: Catalog) -> None:
    """A named base that is not on this machine is refused as missing."""
    both = replace(
        catalog, memory_mib=24_000, bases=tuple(replace(b, present=True) for b in catalog.bases)
    )
    asked = training("--base", "realistic")

    given, _, _ = advice.apply_advice(asked, concept(8), both)

    assert given.base == "realistic"
    with pytest.raises(JobError, match="base_missing"):
        advice.apply_advice(asked, concept(8), catalog)


def test_a_class_word_is_chosen(catalog: Catalog) -> None:
    """Advised DreamBooth gets a class word that fits the photos."""
    both = replace(
        catalog, memory_mib=90_000,
        bases=tuple(replace(b, present=True, known=True) for b in catalog.bases),
    )  # fmt: skip
    asked = training("--motif", "person", "--base", "realistic")

    given, (first,), _ = advice.apply_advice(asked, concept(3), both)

    assert (given.method, first.class_word) == ("dreambooth", "person")


@pytest.mark.parametrize("concept", Concept)
@pytest.mark.parametrize("count", [3, 10, 120])
@pytest.mark.parametrize("memory", [0, 4_000, 24_000, 90_000])
def test_whatever_is_advised_has_its_words(
    catalog: Catalog, concept: Concept, count: int, memory: int
) -> None:
    """Every reason has a sentence, for every base and method."""
    here = tuple(
        replace(b, present=True, known=True, commercial=Commercial.CONDITIONS)
        for b in catalog.bases
    )
    for motif in SUBJECT_MATTERS[concept]:
        for concepts in (1, 3):
            asked = AdviseArguments(
                photos=Path("photos"), concept=concept, base="", concepts=concepts, motif=motif,
                commercial=True,
            )  # fmt: skip
            known = replace(catalog, bases=here, memory_mib=memory)
            facts = advice.advice_facts(*advice.ask_advisor(asked, photos(count), known))
            first, second = facts["first"]["reasons"], facts["second"]["reasons"]
            assert len(wording.advice.format_reasons(first, "3 photos")) == 3
            assert wording.advice.format_second_reason(second, first, "3 photos")
