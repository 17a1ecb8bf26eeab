"""`safelight advise`, and `train --method auto`: the advisor asked about a folder of photos."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from storage.errors import JobError
from storage.planning.advice_input import CLASS_WORDS, AdviceInput
from storage.planning.advisor import Advice, Choice, advise
from storage.records import Catalog
from training.cli.arguments import AdviseArguments, TrainArguments
from training.cli.photos import FolderPhoto
from training.cli.request import ConceptFolder

AUTO = "auto"  #: in a method's place


def ask_advisor(
    given: AdviseArguments, photos: Sequence[FolderPhoto], catalog: Catalog
) -> tuple[AdviceInput, Advice]:
    """Ask the advisor about photos; a base that is named is the only one it considers.

    Raises SafelightError if the base is unknown or not installed, or if nothing suits.
    """
    if given.base:
        base = catalog.find_base(given.base)
        if base.missing_code:
            raise JobError(base.missing_code, **base.missing_facts)
        catalog = replace(catalog, bases=(base,))
    case = AdviceInput.from_photos(
        (photo.checked for photo in photos), given.concept, given.motif,
        transparent=any(photo.transparent for photo in photos),
        concepts=given.concepts, commercial=given.commercial,
    )  # fmt: skip
    return case, advise(catalog, case)


def apply_advice(
    given: TrainArguments, concepts: Sequence[ConceptFolder], catalog: Catalog
) -> tuple[TrainArguments, list[ConceptFolder], dict[str, Any]]:
    """Let the advisor choose method, base, dial and class word where they are not given.

    Returns the completed arguments and concepts, and the advice as an event's facts.
    """
    first, *others = concepts
    question = AdviseArguments(
        photos=given.photos, concept=first.concept, base=given.base, concepts=len(concepts),
        motif=given.motif, commercial=given.commercial,
    )  # fmt: skip
    photos = [photo for concept in concepts for photo in concept.photos]
    case, advice = ask_advisor(question, photos, catalog)
    best = advice.first
    if best.needs_class_word and not first.class_word:
        first = replace(first, class_word=CLASS_WORDS[case.subject_matter])
    given = replace(given, method=best.method, base=best.base.name, dial=given.dial or best.dial)
    return given, [first, *others], advice_facts(case, advice)


def advice_facts(case: AdviceInput, advice: Advice) -> dict[str, Any]:
    """Return advice as an event's facts."""
    return {
        "photos": case.counted_photos,
        "handed": case.total_photos,
        "first": choice_facts(advice.first),
        "second": advice.second and choice_facts(advice.second),
        "terms": advice.first.base.terms if case.commercial else "",
    }


def choice_facts(choice: Choice) -> dict[str, Any]:
    """Return one way to train as JSON."""
    return {
        "method": choice.method,
        "method_title": choice.title,
        "base": choice.base.name,
        "title": choice.base.title,
        "dial": choice.dial,
        "reasons": choice.reasons,
    }
