"""The advisor: which method, base and dial suit what somebody wants to teach.

Arithmetic over the catalog. Each rule weighs one of the factors that people weigh (what is taught,
from how many photos, how real it must look, the GPU at hand, time, licences) and names its source.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from storage.errors import UserError
from storage.planning.case import Motif
from storage.planning.durations import TimingKey, estimate_duration
from storage.planning.plan import find_rule, plan
from storage.records import Commercial, Concept, Dial, Domain

if TYPE_CHECKING:
    from collections.abc import Iterator

    from storage.planning.case import Case
    from storage.planning.durations import KnownTimings
    from storage.records import Base, Catalog

#: Up to so many photos are few: "3-5 images" are what Gal et al. 2022 (arXiv 2208.01618) and
#: Ruiz et al. 2022 (arXiv 2208.12242) teach with.
FEW = 5
#: From so many on, a whole network has enough to learn from: fine-tuning is shown with sets of
#: hundreds (diffusers, examples/text_to_image).
HUNDREDS = 100
#: What training whole networks takes, in parts of what the base takes: weights, gradients and
#: AdamW's two moments are 16 bytes a parameter, 12.8 GiB (SD 1.5) and 38.3 GiB (SDXL), of bases
#: that take 3.4 and 8.8 GiB.
WHOLE = 4.5
DIALS = (Dial.QUICK, Dial.BALANCED, Dial.THOROUGH)

#: Which bases suit, the best first. Where a picture must look real, those made for photographs
#: lead (RealVisXL, Realistic Vision: training/bases.toml, `good` and `weak`). A look of one's own
#: and things that may be drawn in any look start from a plain base: a special one mixes its own
#: look in, and what is trained on the plain one fits every base that came from it.
SUITS = {
    Motif.ANIMAL: (Domain.PHOTO, Domain.GENERAL),
    Motif.PERSON: (Domain.PHOTO, Domain.GENERAL),
    Motif.THING: (Domain.GENERAL, Domain.PHOTO),
    Motif.FIGURE: (Domain.GENERAL, Domain.DRAWING, Domain.ANIME),
    Motif.DRAWING: (Domain.GENERAL, Domain.DRAWING),
    Motif.ANIME: (Domain.ANIME, Domain.GENERAL, Domain.DRAWING),
    Motif.PHOTOGRAPHY: (Domain.GENERAL, Domain.PHOTO),
    Motif.EMOJI: (Domain.EMOJI, Domain.DRAWING, Domain.GENERAL),
}
LICENCES = (Commercial.YES, Commercial.CONDITIONS)  #: that allow to earn money, the freer first


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


def advise(catalog: Catalog, case: Case, durations: KnownTimings | None = None) -> Advice:
    """Choose method, base and dial of what is here; `paces` say how long runs took.

    Raises:
        UserError: `scheduler_away`, `advice_none` or `advice_licence`.
    """
    if not catalog.bases:
        raise UserError("scheduler_away")
    bases = suited(catalog, case)
    choices = [
        chosen(catalog, case, (method, base), (why, place), durations or {})
        for method, why, base, place in offered(catalog, case, bases)
    ]
    return Advice(choices[0], choices[1] if len(choices) > 1 else None)


def suited(catalog: Catalog, case: Case) -> list[Base]:
    """List the bases that can be used, the best first.

    Memory decides first: a base that does not fit is no choice at all. A bare processor has none
    of it to offer: a step of SD 1.5 is 1.7 TFLOP (counted on meta tensors), most of a minute
    there; one of the embedded base takes 0.14 s (benchmarks/RESULTS.md, threads).
    """
    usable = [base for base in catalog.bases if base.present and base.known]
    usable = [base for base in usable if any(r.base == base.name for r in catalog.rules)]
    if not usable:
        raise UserError("advice_none")
    if case.commercial:
        usable = [base for base in usable if base.commercial in LICENCES]
        if not usable:
            raise UserError("advice_licence")
    fitting = [base for base in usable if base.small or base.memory_mib <= catalog.memory_mib]
    return sorted(fitting or usable, key=lambda base: order(base, case))


def order(base: Base, case: Case) -> tuple[int, ...]:
    """Give the place of a base: what it knows, its licence, its size.

    More pixels show more, unless photos have not half of them: enlarged ones teach their blur
    (Podell et al. 2023, arXiv 2307.01952, section 2.2).
    """
    suits = SUITS[case.motif]
    knows = suits.index(base.domain) if base.domain in suits else len(suits)
    licence = LICENCES.index(base.commercial) if case.commercial else 0
    enlarged = bool(case.side) and case.side * 2 < base.resolution and not base.small
    return knows, licence, int(enlarged), -base.resolution, base.memory_mib


def offered(
    catalog: Catalog, case: Case, bases: list[Base]
) -> Iterator[tuple[str, str, Base, str]]:
    """Give methods with reasons and bases with reasons, the best first; two are enough.

    What a look's second choice varies is the base, plain or special; of few photos, and of
    everything else, it is the method.
    """
    best = bases[0]
    ways = [(m, why) for m, why in methods(case, best) if possible(catalog, case, m, best)]
    if not ways:
        raise UserError("advice_none")
    method, why = ways[0]
    yield method, why, best, place(catalog, case, bases)
    varied = case.concept is Concept.LOOK and case.photos > FEW
    other = next((base for base in bases if base.domain is not best.domain), None)
    if varied and other and other.domain in SUITS[case.motif]:
        yield method, why, other, told(other)
    for method, why in ways[1:]:
        yield method, why, best, place(catalog, case, bases)


def methods(case: Case, base: Base) -> Iterator[tuple[str, str]]:
    """Give the methods that suit, the best first, each with its reason."""
    if case.concepts > 1:
        yield from several()
    elif case.concept is Concept.LOOK:
        yield from looks(case, base)
    elif case.motif is Motif.PERSON and not base.small:
        yield from faces(case)
    else:
        yield from subjects(case, base)


def several() -> Iterator[tuple[str, str]]:
    """Several things in one run: layers, which tell words apart; a learned word is one word.

    Kumari et al. 2022 (arXiv 2212.04488): taught together, they can stand in one picture, for one
    network's memory and more steps. Things may run into each other (bmaltais/kohya_ss#2826); more
    layers have more room for them (Yeh et al. 2023, arXiv 2309.14859).
    """
    yield "lora", "several"
    yield "locon", "several_layers"


def looks(case: Case, base: Base) -> Iterator[tuple[str, str]]:
    """A look: layers learn strokes and colours, convolutions their texture.

    From a few pictures layers learn by heart what they show, too; a word cannot (Gal et al. 2022
    teach looks so). The embedded base's words carry too little for that (benchmarks/RESULTS.md,
    the column of embeddings). Convolutions: Yeh et al. 2023 (arXiv 2309.14859).
    """
    if case.photos <= FEW and not base.small:
        yield "embedding", "look_few"
    yield "lora", "look"
    if case.photos >= HUNDREDS:
        yield "finetune", "hundreds"
    yield "locon", "texture"
    yield "embedding", "word"


def faces(case: Case) -> Iterator[tuple[str, str]]:
    """A face is known by its finest traits: whole networks learn most of them, layers nearly.

    Ruiz et al. 2022, table 1: likeness (DINO) .668 against .569 for a word alone; its pictures of
    the class keep other faces from becoming this one, which a few photos need most. From more
    photos, peft's method_comparison/image-gen found LoRAs ahead of whole networks (.743, .577).
    A learned word beside the LoRA: edenartlab/trainer, its settings for faces.
    """
    if case.photos <= FEW:
        yield "dreambooth", "face_few"
    yield "lora", "face"
    yield "dreambooth", "face_whole"
    yield "pivotal", "face_word"
    yield "embedding", "word"


def subjects(case: Case, base: Base) -> Iterator[tuple[str, str]]:
    """A subject: layers first.

    Of 12 pictures with a LoRA 12, 12 and 12 came nearest to the true subject, with a word 0, 0
    and 0 (benchmarks/RESULTS.md, panda, octopus, guitar; Ruiz et al. 2022, table 1, has it so of
    photographs). A word takes a few KB and leaves the base as it is (Gal et al. 2022).
    """
    yield "lora", "measured" if base.small else "few" if case.photos <= FEW else "subject"
    yield "embedding", "word"
    yield "pivotal", "subject_word"


def possible(catalog: Catalog, case: Case, method: str, base: Base) -> bool:
    """Tell whether a method can be had: it is there, fits, and its file can be handed over."""
    try:
        found = find_rule(catalog, method, base.name, Dial.BALANCED, case.concept)
    except UserError:
        return False
    if found.rank or base.small:
        return True
    return case.large and base.memory_mib * WHOLE <= catalog.memory_mib


def place(catalog: Catalog, case: Case, bases: list[Base]) -> str:
    """Say why the first of these bases."""
    best = bases[0]
    if best.small and case.motif is not Motif.EMOJI and not catalog.memory_mib:
        return "no_gpu"
    if not best.small and best.memory_mib > catalog.memory_mib:
        return "tight"
    if len(bases) == 1:
        return "only"
    if case.commercial and best.commercial is Commercial.YES:
        return "free"
    if best.domain is Domain.PHOTO and case.motif is Motif.PERSON:
        return "faces"
    return told(best) if best.domain in SUITS[case.motif] else "nearest"


def told(base: Base) -> str:
    """Say what a base is good for, as a reason."""
    return f"domain_{base.domain}"


def chosen(
    catalog: Catalog,
    case: Case,
    way: tuple[str, Base],
    why: tuple[str, str],
    paces: KnownTimings,
) -> Choice:
    """Choose the dial for a method on a base: by the photos, then by the time there is."""
    method, base = way
    dial, reason = dialled(catalog, case, method, base)
    while case.minutes and dial is not Dial.QUICK:
        planned = plan(
            catalog, method=method, base=base.name, dial=dial, concept=case.concept,
            photos=case.handed,
        )  # fmt: skip
        gait = TimingKey.from_training(catalog.device, base, planned, case.concept)
        planned = estimate_duration(paces, gait, planned)
        if planned.seconds <= case.minutes * 60:
            break
        dial, reason = DIALS[DIALS.index(dial) - 1], "time"
    return Choice(method, base, dial, (f"method_{why[0]}", f"base_{why[1]}", f"dial_{reason}"))


def dialled(catalog: Catalog, case: Case, method: str, base: Base) -> tuple[Dial, str]:
    """Choose how long by the photos.

    A few are learnt by heart when a training goes on (Ruiz et al. 2022, section 3.3); a word
    alone cannot do that, and takes its steps (diffusers, examples/textual_inversion: 3,000 for
    3-5). Photos beyond those that the balanced dial has steps for need the thorough one.
    """
    if case.concepts > 1:
        return Dial.THOROUGH, "several"
    if case.photos <= FEW and method != "embedding":
        return Dial.QUICK, "few"
    usual = find_rule(catalog, method, base.name, Dial.BALANCED, case.concept)
    if (
        usual.steps_per_photo
        and usual.steps + usual.steps_per_photo * (case.photos - 1) > usual.max_steps
    ):
        return Dial.THOROUGH, "many"
    return Dial.BALANCED, "usual"
