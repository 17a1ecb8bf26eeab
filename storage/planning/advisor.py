"""The advisor: chooses a method, a base and a dial for what somebody wants to teach.

Each rule weighs one factor (the subject matter, the number of photos, realism, the GPU, time, the
licence) and names its source. Reasons are codes of sentences in `bot/wording/advice.py`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

from storage.errors import UserError
from storage.places import find_place, name_for_timings
from storage.planning.advice_input import AdviceInput, SubjectMatter
from storage.planning.durations import KnownTimings, TimingKey, estimate_duration
from storage.planning.plan import find_rule, plan_training
from storage.records import Base, Catalog, Commercial, Concept, Dial, Domain

#: at most so many are few: Gal et al. 2022 (arXiv 2208.01618) and Ruiz et al. 2022 (arXiv
#: 2208.12242) teach with "3-5 images"
FEW_PHOTOS = 5
#: at least so many are enough for full fine-tuning, which is shown with hundreds (diffusers,
#: examples/text_to_image)
FULL_TRAINING_PHOTOS = 100
#: memory of full fine-tuning over that of the loaded base: weights, gradients and AdamW's two
#: moments are 16 bytes a parameter, 12.8 GiB for SD 1.5 and 38.3 GiB for SDXL, whose bases take
#: 3.4 and 8.8 GiB
FULL_TRAINING_MEMORY_FACTOR = 4.5
DIALS = (Dial.QUICK, Dial.BALANCED, Dial.THOROUGH)

#: The best first. Where a picture must look real, bases made for photographs lead (RealVisXL,
#: Realistic Vision: `good` and `weak` in bases.toml). Looks, and things that may be drawn in any
#: look, start from a general base: a special one mixes its own look in, and a style trained on the
#: general base fits all bases derived from it.
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
COMMERCIAL_LICENCES = (Commercial.YES, Commercial.CONDITIONS)  #: that allow it, the freer first


@dataclass(frozen=True, slots=True)
class Choice:
    """A way to train, with the reasons for its method, its base and its dial."""

    method: str
    base: Base
    dial: Dial
    reasons: tuple[str, str, str]
    needs_class_word: bool = False  #: for its class pictures
    title: str = ""  #: of the method


@dataclass(frozen=True, slots=True)
class Advice:
    """The best way to train, and another one if there is any."""

    first: Choice
    second: Choice | None


@dataclass(frozen=True, slots=True)
class Candidate:
    """A method on a base, with the reason for each."""

    method: str
    method_reason: str
    base: Base
    base_reason: str


def advise(catalog: Catalog, inputs: AdviceInput, timings: KnownTimings | None = None) -> Advice:
    """Choose method, base and dial; with `timings`, a dial that keeps to `max_minutes`.

    Raises UserError: "scheduler_away" without a catalog, "advice_licence" if no base allows
    commercial use, "advice_none" if nothing else suits.
    """
    if not catalog.bases:
        raise UserError("scheduler_away")
    candidates = list_candidates(catalog, inputs, rank_bases(catalog, inputs))
    choices = [make_choice(catalog, inputs, each, timings or {}) for each in islice(candidates, 2)]
    return Advice(choices[0], choices[1] if len(choices) > 1 else None)


def rank_bases(catalog: Catalog, inputs: AdviceInput) -> list[Base]:
    """Return the bases that can be used, the best first.

    Bases that do not fit into the GPU's memory are left out, unless none fits. Without a GPU only
    small ones fit: a step of SD 1.5 is 1.7 TFLOP (counted on meta tensors), most of a minute on a
    CPU; one of the embedded base takes 0.14 s (benchmarks/RESULTS.md, threads).
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
    """Return the sort key of a base: its domain, its licence, its resolution; least is best.

    A larger resolution shows more, unless the photos have less than half of it: a base learns the
    blur of enlarged ones (Podell et al. 2023, arXiv 2307.01952, section 2.2).
    """
    domains = PREFERRED_DOMAINS[inputs.subject_matter]
    domain = domains.index(base.domain) if base.domain in domains else len(domains)
    licence = COMMERCIAL_LICENCES.index(base.commercial) if inputs.commercial else 0
    enlarged = 0 < inputs.median_side * 2 < base.resolution and not base.small
    return domain, licence, int(enlarged), -base.resolution, base.memory_mib


def list_candidates(
    catalog: Catalog, inputs: AdviceInput, bases: list[Base]
) -> Iterator[Candidate]:
    """Yield methods on bases, the best first.

    For a look of many photos the second one has the same method on a base of another domain; else
    it has another method on the same base.
    """
    best, base_reason = bases[0], explain_base(catalog, inputs, bases)
    methods = [
        (method, reason)
        for method, reason in list_methods(inputs, best)
        if can_train(catalog, inputs, method, best)
    ]
    if not methods:
        raise UserError("advice_none")
    method, reason = methods[0]
    yield Candidate(method, reason, best, base_reason)
    other = next((base for base in bases if base.domain is not best.domain), None)
    vary_base = inputs.concept is Concept.LOOK and inputs.counted_photos > FEW_PHOTOS
    if vary_base and other and other.domain in PREFERRED_DOMAINS[inputs.subject_matter]:
        yield Candidate(method, reason, other, explain_domain(other))
    for method, reason in methods[1:]:
        yield Candidate(method, reason, best, base_reason)


def list_methods(inputs: AdviceInput, base: Base) -> Iterator[tuple[str, str]]:
    """Yield the methods that suit, each with its reason, the best first."""
    if inputs.concepts > 1:
        yield from methods_for_concepts()
    elif inputs.concept is Concept.LOOK:
        yield from methods_for_look(inputs, base)
    elif inputs.subject_matter is SubjectMatter.PERSON and not base.small:
        yield from methods_for_face(inputs)
    else:
        yield from methods_for_subject(inputs, base)


def methods_for_concepts() -> Iterator[tuple[str, str]]:
    """Yield methods for several concepts in one run: adapters, not an embedding's single word.

    Concepts that are trained together can be drawn in one picture, at the memory of one network
    (Kumari et al. 2022, arXiv 2212.04488). They may blend into each other
    (bmaltais/kohya_ss#2826); more layers leave more room for them (Yeh et al. 2023, arXiv
    2309.14859).
    """
    yield "lora", "several"
    yield "locon", "several_layers"


def methods_for_look(inputs: AdviceInput, base: Base) -> Iterator[tuple[str, str]]:
    """Yield methods for a look: a LoRA for strokes and colours, a LoCon for texture.

    With few pictures a LoRA memorises what they show, too; an embedding cannot (Gal et al. 2022
    teach looks with one). The embedded base's prompts carry too little for that
    (benchmarks/RESULTS.md, the column of embeddings). Convolutions: Yeh et al. 2023 (arXiv
    2309.14859).
    """
    if inputs.counted_photos <= FEW_PHOTOS and not base.small:
        yield "embedding", "look_few"
    yield "lora", "look"
    if inputs.counted_photos >= FULL_TRAINING_PHOTOS:
        yield "finetune", "hundreds"
    yield "locon", "texture"
    yield "embedding", "word"


def methods_for_face(inputs: AdviceInput) -> Iterator[tuple[str, str]]:
    """Yield methods for a person's face, which needs the finest detail.

    DreamBooth with few photos: its likeness (DINO) is .668 against .569 of an embedding (Ruiz et
    al. 2022, table 1), and its class pictures keep other faces from becoming this one. With more
    photos LoRAs are ahead of whole networks (.743 and .577 in peft's method_comparison/image-gen).
    Pivotal tuning: the settings for faces of edenartlab/trainer.
    """
    if inputs.counted_photos <= FEW_PHOTOS:
        yield "dreambooth", "face_few"
    yield "lora", "face"
    yield "dreambooth", "face_whole"
    yield "pivotal", "face_word"
    yield "embedding", "word"


def methods_for_subject(inputs: AdviceInput, base: Base) -> Iterator[tuple[str, str]]:
    """Yield methods for any other subject: a LoRA first.

    Of 12 pictures of each of three subjects all 12 came nearest to the true one with a LoRA, none
    with an embedding (benchmarks/RESULTS.md: panda, octopus, guitar; Ruiz et al. 2022, table 1,
    find the same for photographs). An embedding takes a few KB and leaves the base as it is (Gal
    et al. 2022). The embedded base learns whatever is no emoji as a whole (benchmarks/RESULTS.md,
    photographs and mascot); of emoji a LoRA draws all 12 right, as a whole network does, in a
    file of a twelfth (benchmarks/RESULTS.md, octopus).
    """
    few = inputs.counted_photos <= FEW_PHOTOS
    if base.small and inputs.subject_matter is not SubjectMatter.EMOJI:
        yield "finetune", "whole"
        yield "lora", "smaller"
    yield "lora", "measured" if base.small else "few" if few else "subject"
    yield "embedding", "word"
    yield "pivotal", "subject_word"


def can_train(catalog: Catalog, inputs: AdviceInput, method: str, base: Base) -> bool:
    """Return whether a method is in the catalog, fits into memory, and its file can be posted."""
    try:
        rule = find_rule(catalog, method, base.name, Dial.BALANCED, inputs.concept)
    except UserError:
        return False
    if rule.rank or base.small:
        return True
    memory_mib = base.memory_mib * FULL_TRAINING_MEMORY_FACTOR
    return inputs.large_file_ok and memory_mib <= catalog.memory_mib


def explain_base(catalog: Catalog, inputs: AdviceInput, bases: list[Base]) -> str:
    """Return the reason for the first of these bases."""
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
    suits = best.domain in PREFERRED_DOMAINS[inputs.subject_matter]
    return explain_domain(best) if suits else "nearest"


def explain_domain(base: Base) -> str:
    """Return a base's domain as a reason for it."""
    return f"domain_{base.domain}"


def make_choice(
    catalog: Catalog, inputs: AdviceInput, candidate: Candidate, timings: KnownTimings
) -> Choice:
    """Choose the dial for a candidate by the photos, and lower it to keep to `max_minutes`."""
    method, base = candidate.method, candidate.base
    dial, reason = choose_dial(catalog, inputs, method, base)
    while inputs.max_minutes and dial is not Dial.QUICK:
        plan = plan_training(
            catalog, method=method, base=base.name, dial=dial, concept=inputs.concept,
            photos=inputs.total_photos, different=inputs.distinct_photos,
        )  # fmt: skip
        device = name_for_timings(catalog, find_place(catalog, base.name).device)
        key = TimingKey.from_training(device, base, plan, inputs.concept)
        if estimate_duration(timings, key, plan).seconds <= inputs.max_minutes * 60:
            break
        dial, reason = DIALS[DIALS.index(dial) - 1], "time"
    rule = find_rule(catalog, method, base.name, dial, inputs.concept)
    reasons = (
        f"method_{candidate.method_reason}", f"base_{candidate.base_reason}", f"dial_{reason}",
    )  # fmt: skip
    title = catalog.method_title(method)
    return Choice(method, base, dial, reasons, bool(rule.num_class_images), title)


def choose_dial(
    catalog: Catalog, inputs: AdviceInput, method: str, base: Base
) -> tuple[Dial, str]:
    """Return a dial and its reason, by the number of photos.

    Long trainings memorise a few photos (Ruiz et al. 2022, section 3.3). An embedding cannot, and
    needs its steps (diffusers, examples/textual_inversion: 3,000 for 3-5), as does a whole network
    that learns photographs although it knows only emoji. Photos beyond those that the balanced
    dial has steps for need the thorough one, but not twenty emoji: after the balanced one all of
    12 pictures are right (benchmarks/RESULTS.md, panda and octopus).
    """
    if inputs.concepts > 1:
        return Dial.THOROUGH, "several"
    if method == "finetune" and base.small and inputs.concept is Concept.SUBJECT:
        return Dial.BALANCED, "whole"
    if inputs.counted_photos <= FEW_PHOTOS and method != "embedding":
        return Dial.QUICK, "few"
    usual = find_rule(catalog, method, base.name, Dial.BALANCED, inputs.concept)
    steps = usual.steps + usual.steps_per_photo * (inputs.counted_photos - 1)
    if usual.steps_per_photo and steps > usual.max_steps and not base.small:
        return Dial.THOROUGH, "many"
    return Dial.BALANCED, "usual"
