"""The advisor's advice, case by case."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from storage.errors import UserError
from storage.planning.advice_input import AdviceInput, SubjectMatter
from storage.planning.advisor import Advice, advise
from storage.planning.durations import TimingKey
from storage.records import Base, Catalog, Commercial, Concept, Dial, Domain, Method, Rule, Timing

GIB = 1024
METHODS = ("dreambooth", "embedding", "finetune", "locon", "lora", "pivotal")
WHOLE = {"dreambooth", "finetune"}


def base(name: str, domain: Domain, resolution: int, memory: int, **more: Any) -> Base:
    """Return a base as in bases.toml."""
    fields = {"present": True, "domain": domain, "memory_mib": memory}
    fields |= {"commercial": Commercial.CONDITIONS} | more
    return Base(name, name, "sdxl", name, resolution, "RAIL", "", **fields)


EMOJI = base("embedded", Domain.EMOJI, 64, 150, small=True, commercial=Commercial.YES)
SD15 = base("sd15", Domain.GENERAL, 512, 3500)
PHOTOS15 = base("realistic", Domain.PHOTO, 512, 3500)
PAINTED = base("dreamshaper", Domain.DRAWING, 512, 3500)
SDXL = base("sdxl", Domain.GENERAL, 1024, 9000)
REALVIS = base("realvis", Domain.PHOTO, 1024, 9000)
ANIMAGINE = base("animagine", Domain.ANIME, 1024, 9000)
ALL = (EMOJI, SD15, PHOTOS15, PAINTED, SDXL, REALVIS, ANIMAGINE)


def catalog(*bases: Base, memory: int = 24 * GIB, methods: tuple[str, ...] = METHODS) -> Catalog:
    """Return a catalog of methods and bases, on a GPU of 24 GiB by default."""
    rules = [
        Rule(m, b.name, c, d, 700, 40, 800, 1600, 0 if m in WHOLE else 16, 1e-4, 1, 1 << 20, "")
        for m in methods for b in bases for c in Concept for d in Dial
    ]  # fmt: skip
    return Catalog(bases, tuple(map(Method, methods)), "embedded", tuple(rules), "GPU", memory)


def case(
    concept: Concept = Concept.SUBJECT, matter: SubjectMatter = SubjectMatter.ANIMAL, **more: Any
) -> AdviceInput:
    """Return the advisor's input for a concept, with 12 large photos by default."""
    return AdviceInput(
        concept,
        matter,
        **({"distinct_photos": 12, "total_photos": 12, "median_side": 1024} | more),
    )


def short(advice: Advice) -> list[tuple[str, str, str]]:
    """Return a short form of the advice."""
    return [(c.method, c.base.name, str(c.dial)) for c in (advice.first, advice.second) if c]


def test_realistic_faces() -> None:
    """A face gets a LoRA on a photographic base; otherwise DreamBooth, if it fits."""
    asked = case(matter=SubjectMatter.PERSON)

    assert short(advise(catalog(*ALL), asked)) == [
        ("lora", "realvis", "balanced"), ("pivotal", "realvis", "balanced"),
    ]  # fmt: skip
    large = advise(catalog(*ALL, memory=80 * GIB), asked)
    assert short(large)[1] == ("dreambooth", "realvis", "balanced")
    assert large.first.reasons == ("method_face", "base_faces", "dial_usual")
    posted = advise(catalog(*ALL, memory=80 * GIB), replace(asked, large_file_ok=False))
    assert short(posted)[1][0] == "pivotal"


def test_a_look() -> None:
    """A look gets a LoRA on the plain base, or the same on the base for drawings."""
    advice = advise(
        catalog(SD15, PHOTOS15, PAINTED, EMOJI), case(Concept.LOOK, SubjectMatter.DRAWING)
    )

    assert short(advice) == [
        ("lora", "sd15", "balanced"), ("lora", "dreamshaper", "balanced"),
    ]  # fmt: skip
    assert advice.first.reasons == ("method_look", "base_domain_general", "dial_usual")
    only = advise(catalog(SD15), case(Concept.LOOK, SubjectMatter.DRAWING))
    assert short(only)[1] == ("locon", "sd15", "balanced")


@pytest.mark.parametrize(
    ("matter", "name"),
    [
        (SubjectMatter.ANIME, "animagine"),
        (SubjectMatter.PHOTOGRAPHY, "sdxl"),
        (SubjectMatter.EMOJI, "embedded"),
    ],
)
def test_each_look_has_its_base(matter: SubjectMatter, name: str) -> None:
    """The subject matter decides between general and special bases."""
    assert advise(catalog(*ALL), case(Concept.LOOK, matter)).first.base.name == name


def test_several_concepts() -> None:
    """Several concepts get a LoRA and the thorough dial, or one of more layers."""
    advice = advise(catalog(*ALL), case(concepts=3))

    assert [c[0] for c in short(advice)] == ["lora", "locon"]
    assert advice.first.dial is Dial.THOROUGH
    assert advice.first.reasons[0::2] == ("method_several", "dial_several")


@pytest.mark.parametrize(
    ("concept", "matter", "memory", "expected"),
    [
        (Concept.SUBJECT, "animal", 24, [("lora", "quick"), ("embedding", "balanced")]),
        (Concept.SUBJECT, "person", 24, [("lora", "quick"), ("pivotal", "quick")]),
        (Concept.SUBJECT, "person", 80, [("dreambooth", "quick"), ("lora", "quick")]),
        (Concept.LOOK, "photography", 24, [("embedding", "balanced"), ("lora", "quick")]),
    ],
)  # fmt: skip
def test_three_photos_only(
    concept: Concept, matter: str, memory: int, expected: list[tuple[str, str]]
) -> None:
    """With three photos a LoRA trains shorter, a look gets an embedding, a face DreamBooth."""
    advice = advise(
        catalog(*ALL, memory=memory * GIB),
        case(concept, SubjectMatter(matter), distinct_photos=3, total_photos=3),
    )

    assert [(method, dial) for method, _, dial in short(advice)] == expected


def test_photos_that_do_not_count() -> None:
    """Blurred and duplicate photos are not counted."""
    assert advise(catalog(*ALL), case(distinct_photos=3, total_photos=8)).first.dial is Dial.QUICK


def test_no_gpu() -> None:
    """Without a GPU only the embedded base is advised: its whole network for what is no emoji."""
    few = {"distinct_photos": 3, "total_photos": 3}
    advice = advise(catalog(*ALL, memory=0), case(matter=SubjectMatter.PERSON, **few))

    assert short(advice) == [
        ("finetune", "embedded", "balanced"), ("lora", "embedded", "quick"),
    ]  # fmt: skip
    assert advice.first.reasons == ("method_whole", "base_no_gpu", "dial_whole")
    emoji = advise(catalog(*ALL, memory=0), case(matter=SubjectMatter.EMOJI, **few))
    assert short(emoji) == [
        ("lora", "embedded", "quick"), ("embedding", "embedded", "balanced"),
    ]  # fmt: skip
    assert emoji.first.reasons[0] == "method_measured"
    many = {"distinct_photos": 4, "total_photos": 40}
    emoji = advise(catalog(*ALL, memory=0), case(matter=SubjectMatter.EMOJI, **many))
    assert short(emoji)[0] == ("lora", "embedded", "balanced")


@pytest.mark.parametrize(("memory", "name"), [(24, "realvis"), (8, "realistic"), (2, "embedded")])
def test_memory(memory: int, name: str) -> None:
    """The advised base fits the GPU."""
    assert advise(catalog(*ALL, memory=memory * GIB), case()).first.base.name == name


def test_nothing_fits() -> None:
    """If no base fits, the best one is still named, with a warning."""
    assert advise(catalog(SD15, memory=1), case()).first.reasons[1] == "base_tight"


def test_small_photos() -> None:
    """Photos of less than half a base's pixels get the smaller base of its kind."""
    assert advise(catalog(*ALL), case(median_side=400)).first.base is PHOTOS15


def test_licence() -> None:
    """For commercial use the advised base allows it, the freest of its kind first."""
    closed = replace(REALVIS, commercial=Commercial.NO)
    unseen = replace(PHOTOS15, commercial=Commercial.UNSEEN)
    free = replace(SDXL, name="free", commercial=Commercial.YES)

    offered = catalog(closed, unseen, SDXL, free)

    assert advise(offered, case()).first.base is closed
    sold = advise(offered, case(commercial=True))
    assert (sold.first.base, sold.first.reasons[1]) == (free, "base_free")


def test_many_photos() -> None:
    """More photos than the balanced dial has steps for get the thorough dial."""
    assert (
        advise(catalog(*ALL), case(distinct_photos=23, total_photos=23)).first.dial
        is Dial.BALANCED
    )
    assert (
        advise(catalog(*ALL), case(distinct_photos=24, total_photos=24)).first.dial
        is Dial.THOROUGH
    )


def test_hundreds() -> None:
    """Hundreds of pictures of a look get fine-tuning if it fits."""
    asked = case(Concept.LOOK, SubjectMatter.DRAWING, distinct_photos=300, total_photos=300)

    assert short(advise(catalog(SDXL, memory=80 * GIB), asked))[1][0] == "finetune"


def test_time() -> None:
    """A training over the time limit is shortened."""
    paces = {TimingKey("GPU", "realvis", 1024, "lora", Concept.SUBJECT, 1): Timing(1.0, 0, 0, 0)}
    rules = catalog(*ALL)
    steps = {Dial.QUICK: 100, Dial.BALANCED: 1000, Dial.THOROUGH: 5000}
    shorter = replace(
        rules,
        rules=tuple(
            replace(r, steps=steps[r.dial], min_steps=1, steps_per_photo=0) for r in rules.rules
        ),
    )

    assert advise(shorter, case(max_minutes=10), paces).first.reasons[2] == "dial_time"
    assert advise(shorter, case(max_minutes=10), paces).first.dial is Dial.QUICK
    assert advise(shorter, case(max_minutes=60), paces).first.dial is Dial.BALANCED


@pytest.mark.parametrize(
    ("bases", "more", "code"),
    [
        ((), {}, "scheduler_away"),
        ((replace(SD15, present=False),), {}, "advice_none"),
        ((replace(SD15, known=False),), {}, "advice_none"),
        ((replace(SD15, commercial=Commercial.UNSEEN),), {"commercial": True}, "advice_licence"),
    ],
)
def test_refused(bases: tuple[Base, ...], more: dict[str, Any], code: str) -> None:
    """If nothing can be advised, a code says why."""
    with pytest.raises(UserError) as refused:
        advise(catalog(*bases), case(**more))

    assert refused.value.code == code


def test_no_method() -> None:
    """A catalog without a suitable method gives a code, not a bug."""
    with pytest.raises(UserError) as refused:
        advise(catalog(SD15, methods=("hypernetwork",)), case())

    assert refused.value.code == "advice_none"
