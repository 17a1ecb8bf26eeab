"""The advisor: which method, base and dial suit what somebody wants to teach.

Arithmetic over the catalog. Each rule weighs one of the factors that people weigh (what is taught,
from how many photos, how real it must look, the GPU at hand, time, licences) and names its source.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from storage.errors import UserError
from storage.planning.case import SubjectMatter
from storage.planning.durations import TimingKey, estimate_duration
from storage.planning.plan import find_rule, plan_training
from storage.records import Commercial, Concept, Dial, Domain

if TYPE_CHECKING:
    from collections.abc import Iterator

    from storage.planning.case import AdviceInput
    from storage.planning.durations import KnownTimings
    from storage.records import Base, Catalog

#: Up to so many photos are few: "3-5 images" are what Gal et al. 2022 (arXiv 2208.01618) and
#: Ruiz et al. 2022 (arXiv 2208.12242) teach with.
FEW_PHOTOS = 5
#: From so many on, a whole network has enough to learn from: fine-tuning is shown with sets of
#: hundreds (diffusers, examples/text_to_image).
FULL_TRAINING_PHOTOS = 100
#: What training whole networks takes, in parts of what the base takes: weights, gradients and
#: AdamW's two moments are 16 bytes a parameter, 12.8 GiB (SD 1.5) and 38.3 GiB (SDXL), of bases
#: that take 3.4 and 8.8 GiB.
FULL_TRAINING_MEMORY_FACTOR = 4.5
DIALS = (Dial.QUICK, Dial.BALANCED, Dial.THOROUGH)

#: Which bases suit, the best first. Where a picture must look real, those made for photographs
#: lead (RealVisXL, Realistic Vision: training/bases.toml, `good` and `weak`). A look of one's own
#: and things that may be drawn in any look start from a plain base: a special one mixes its own
#: look in, and what is trained on the plain one fits every base that came from it.
PREFERRED_DOMAINS = {
    SubjectMatter.ANIMAL: (Domain.PHOTO, Domain.GENERAL),
    SubjectMatter.PERSON: (Domain.PHOTO, Domain.GENERAL),
    SubjectMatter.THING: (Domain.GENERAL, Domain.PHOTO),
    SubjectMatter.FIGURE: (Domain.GENERAL, Domain.DRAWING, Domain.ANIME),
    SubjectMatter.DRAWING: (Domain.GENERAL, Domain.DRAWING),
    SubjectMatter.ANIME: (Domain.ANIME, Domain.GENERAL, Domain.DRAWING),
    SubjectMatter.PHOTOGRAPHY: (Domain.GENERAL, Domain.PHOTO),
    SubjectMatter.EMOJI: (Domain.EMOJI, Domain.DRAWING, Domain.GENERAL),
}
COMMERCIAL_LICENCES = (
    Commercial.YES,
    Commercial.CONDITIONS,
)  #: that allow to earn money, the freer first


@dataclass(frozen=True, slots=True)
class Choice:
    """A way to train; the reasons are codes of sentences: why this method, base, dial."""

    method: str
    base: Base
    dial: Dial
    reasons: tuple[str, str, str]


@dataclass(frozen=True, slots=True)
class Advice:
    """What is advised, and what else would do."""

    first: Choice
    second: Choice | None


def advise(catalog: Catalog, inputs: AdviceInput, timings: KnownTimings | None = None) -> Advice:
    """Choose method, base and dial of what is here; `paces` say how long runs took.

    Raises:
        UserError: `scheduler_away`, `advice_none` or `advice_licence`.
    """
    if not catalog.bases:
        raise UserError("scheduler_away")
    bases = rank_bases(catalog, inputs)
    choices = [
        make_choice(catalog, inputs, (method, base), (why, place), timings or {})
        for method, why, base, place in list_candidates(catalog, inputs, bases)
    ]
    return Advice(choices[0], choices[1] if len(choices) > 1 else None)


def rank_bases(catalog: Catalog, inputs: AdviceInput) -> list[Base]:
    """List the bases that can be used, the best first.

    Memory decides first: a base that does not fit is no choice at all. A bare processor has none
    of it to offer: a step of SD 1.5 is 1.7 TFLOP (counted on meta tensors), most of a minute
    there; one of the embedded base takes 0.14 s (benchmarks/RESULTS.md, threads).
    """
    usable = [base for base in catalog.bases if base.present and base.known]
    usable = [base for base in usable if any(r.base == base.name for r in catalog.rules)]
    if not usable:
        raise UserError("advice_none")
    if inputs.commercial:
        usable = [base for base in usable if base.commercial in COMMERCIAL_LICENCES]
        if not usable:
            raise UserError("advice_licence")
    fitting = [base for base in usable if base.small or base.memory_mib <= catalog.memory_mib]
    return sorted(fitting or usable, key=lambda base: base_sort_key(base, inputs))


def base_sort_key(base: Base, inputs: AdviceInput) -> tuple[int, ...]:
    """Give the place of a base: what it knows, its licence, its size.

    More pixels show more, unless photos have not half of them: enlarged ones teach their blur
    (Podell et al. 2023, arXiv 2307.01952, section 2.2).
    """
    suits = PREFERRED_DOMAINS[inputs.subject_matter]
    knows = suits.index(base.domain) if base.domain in suits else len(suits)
    licence = COMMERCIAL_LICENCES.index(base.commercial) if inputs.commercial else 0
    enlarged = (
        bool(inputs.median_side) and inputs.median_side * 2 < base.resolution and not base.small
    )
    return knows, licence, int(enlarged), -base.resolution, base.memory_mib


def list_candidates(
    catalog: Catalog, inputs: AdviceInput, bases: list[Base]
) -> Iterator[tuple[str, str, Base, str]]:
    """Give methods with reasons and bases with reasons, the best first; two are enough.

    What a look's second choice varies is the base, plain or special; of few photos, and of
    everything else, it is the method.
    """
    best = bases[0]
    ways = [
        (m, why) for m, why in list_methods(inputs, best) if can_train(catalog, inputs, m, best)
    ]
    if not ways:
        raise UserError("advice_none")
    method, why = ways[0]
    yield method, why, best, explain_base(catalog, inputs, bases)
    varied = inputs.concept is Concept.LOOK and inputs.distinct_photos > FEW_PHOTOS
    other = next((base for base in bases if base.domain is not best.domain), None)
    if varied and other and other.domain in PREFERRED_DOMAINS[inputs.subject_matter]:
        yield method, why, other, explain_domain(other)
    for method, why in ways[1:]:
        yield method, why, best, explain_base(catalog, inputs, bases)


def list_methods(inputs: AdviceInput, base: Base) -> Iterator[tuple[str, str]]:
    """Give the methods that suit, the best first, each with its reason."""
    if inputs.concepts > 1:
        yield from methods_for_concepts()
    elif inputs.concept is Concept.LOOK:
        yield from methods_for_look(inputs, base)
    elif inputs.subject_matter is SubjectMatter.PERSON and not base.small:
        yield from methods_for_face(inputs)
    else:
        yield from methods_for_subject(inputs, base)


def methods_for_concepts() -> Iterator[tuple[str, str]]:
    """Several things in one run: layers, which tell words apart; a learned word is one word.

    Kumari et al. 2022 (arXiv 2212.04488): taught together, they can stand in one picture, for one
    network's memory and more steps. Things may run into each other (bmaltais/kohya_ss#2826); more
    layers have more room for them (Yeh et al. 2023, arXiv 2309.14859).
    """
    yield "lora", "several"
    yield "locon", "several_layers"


def methods_for_look(inputs: AdviceInput, base: Base) -> Iterator[tuple[str, str]]:
    """A look: layers learn strokes and colours, convolutions their texture.

    From a few pictures layers learn by heart what they show, too; a word cannot (Gal et al. 2022
    teach looks so). The embedded base's words carry too little for that (benchmarks/RESULTS.md,
    the column of embeddings). Convolutions: Yeh et al. 2023 (arXiv 2309.14859).
    """
    if inputs.distinct_photos <= FEW_PHOTOS and not base.small:
        yield "embedding", "look_few"
    yield "lora", "look"
    if inputs.distinct_photos >= FULL_TRAINING_PHOTOS:
        yield "finetune", "hundreds"
    yield "locon", "texture"
    yield "embedding", "word"


def methods_for_face(inputs: AdviceInput) -> Iterator[tuple[str, str]]:
    """A face is known by its finest traits: whole networks learn most of them, layers nearly.

    Ruiz et al. 2022, table 1: likeness (DINO) .668 against .569 for a word alone; its pictures of
    the class keep other faces from becoming this one, which a few photos need most. From more
    photos, peft's method_comparison/image-gen found LoRAs ahead of whole networks (.743, .577).
    A learned word beside the LoRA: edenartlab/trainer, its settings for faces.
    """
    if inputs.distinct_photos <= FEW_PHOTOS:
        yield "dreambooth", "face_few"
    yield "lora", "face"
    yield "dreambooth", "face_whole"
    yield "pivotal", "face_word"
    yield "embedding", "word"


def methods_for_subject(inputs: AdviceInput, base: Base) -> Iterator[tuple[str, str]]:
    """A subject: layers first.

    Of 12 pictures with a LoRA 12, 12 and 12 came nearest to the true subject, with a word 0, 0
    and 0 (benchmarks/RESULTS.md, panda, octopus, guitar; Ruiz et al. 2022, table 1, has it so of
    photographs). A word takes a few KB and leaves the base as it is (Gal et al. 2022).
    """
    yield (
        "lora",
        "measured" if base.small else "few" if inputs.distinct_photos <= FEW_PHOTOS else "subject",
    )
    yield "embedding", "word"
    yield "pivotal", "subject_word"


def can_train(catalog: Catalog, inputs: AdviceInput, method: str, base: Base) -> bool:
    """Tell whether a method can be had: it is there, fits, and its file can be handed over."""
    try:
        found = find_rule(catalog, method, base.name, Dial.BALANCED, inputs.concept)
    except UserError:
        return False
    if found.rank or base.small:
        return True
    return (
        inputs.large_file_ok
        and base.memory_mib * FULL_TRAINING_MEMORY_FACTOR <= catalog.memory_mib
    )


def explain_base(catalog: Catalog, inputs: AdviceInput, bases: list[Base]) -> str:
    """Say why the first of these bases."""
    best = bases[0]
    if best.small and inputs.subject_matter is not SubjectMatter.EMOJI and not catalog.memory_mib:
        return "no_gpu"
    if not best.small and best.memory_mib > catalog.memory_mib:
        return "tight"
    if len(bases) == 1:
        return "only"
    if inputs.commercial and best.commercial is Commercial.YES:
        return "free"
    if best.domain is Domain.PHOTO and inputs.subject_matter is SubjectMatter.PERSON:
        return "faces"
    return (
        explain_domain(best)
        if best.domain in PREFERRED_DOMAINS[inputs.subject_matter]
        else "nearest"
    )


def explain_domain(base: Base) -> str:
    """Say what a base is good for, as a reason."""
    return f"domain_{base.domain}"


def make_choice(
    catalog: Catalog,
    inputs: AdviceInput,
    method_and_base: tuple[str, Base],
    reasons: tuple[str, str],
    timings: KnownTimings,
) -> Choice:
    """Choose the dial for a method on a base: by the photos, then by the time there is."""
    method, base = method_and_base
    dial, reason = choose_dial(catalog, inputs, method, base)
    while inputs.max_minutes and dial is not Dial.QUICK:
        planned = plan_training(
            catalog, method=method, base=base.name, dial=dial, concept=inputs.concept,
            photos=inputs.total_photos,
        )  # fmt: skip
        gait = TimingKey.from_training(catalog.device, base, planned, inputs.concept)
        planned = estimate_duration(timings, gait, planned)
        if planned.seconds <= inputs.max_minutes * 60:
            break
        dial, reason = DIALS[DIALS.index(dial) - 1], "time"
    return Choice(
        method, base, dial, (f"method_{reasons[0]}", f"base_{reasons[1]}", f"dial_{reason}")
    )


def choose_dial(
    catalog: Catalog, inputs: AdviceInput, method: str, base: Base
) -> tuple[Dial, str]:
    """Choose how long by the photos.

    A few are learnt by heart when a training goes on (Ruiz et al. 2022, section 3.3); a word
    alone cannot do that, and takes its steps (diffusers, examples/textual_inversion: 3,000 for
    3-5). Photos beyond those that the balanced dial has steps for need the thorough one.
    """
    if inputs.concepts > 1:
        return Dial.THOROUGH, "several"
    if inputs.distinct_photos <= FEW_PHOTOS and method != "embedding":
        return Dial.QUICK, "few"
    usual = find_rule(catalog, method, base.name, Dial.BALANCED, inputs.concept)
    if (
        usual.steps_per_photo
        and usual.steps + usual.steps_per_photo * (inputs.distinct_photos - 1) > usual.max_steps
    ):
        return Dial.THOROUGH, "many"
    return Dial.BALANCED, "usual"
