"""`safelight advise`, and `train --method auto`: the advisor asked about a folder of photos."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from storage.errors import JobError
from storage.planning.advisor import advise
from storage.planning.case import BESIDE, CLASS_WORDS, AdviceInput, SubjectMatter

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

    from storage.planning.advisor import Advice, Choice
    from storage.records import Catalog
    from training.cli.photos import Source

AUTO = "auto"  #: in a method's place


def settle(
    chosen: argparse.Namespace, sources: Sequence[Source], catalog: Catalog
) -> dict[str, Any]:
    """Let the advisor choose method, base and dial where nobody has; return what it says."""
    case, advice = asked(chosen, sources, catalog)
    chosen.method, chosen.base = advice.first.method, advice.first.base.name
    chosen.dial = chosen.dial or advice.first.dial
    if chosen.method in BESIDE and not chosen.class_word:
        chosen.class_word = CLASS_WORDS[case.subject_matter]
    return facts(case, advice)


def asked(
    chosen: argparse.Namespace, sources: Sequence[Source], catalog: Catalog
) -> tuple[AdviceInput, Advice]:
    """Ask about photos; a base that was named is the only one that is weighed."""
    if chosen.base:
        named = catalog.find_base(chosen.base)
        if named.missing_code:
            raise JobError(named.missing_code, **named.facts)
        catalog = replace(catalog, bases=(named,))
    motif = SubjectMatter(chosen.motif) if chosen.motif else None
    case = AdviceInput.from_photos(
        (source.checked for source in sources), chosen.concept, motif,
        concepts=chosen.concepts, commercial=chosen.commercial,
    )  # fmt: skip
    return case, advise(catalog, case)


def facts(case: AdviceInput, advice: Advice) -> dict[str, Any]:
    """Write advice as an event's facts."""
    second = advice.second and choice(advice.second)
    return {
        "photos": case.distinct_photos,
        "handed": case.total_photos,
        "first": choice(advice.first),
        "second": second,
        "terms": advice.first.base.terms if case.commercial else "",
    }


def choice(found: Choice) -> dict[str, Any]:
    """Write one way to train."""
    return {
        "method": found.method,
        "base": found.base.name,
        "title": found.base.title,
        "dial": found.dial,
        "reasons": found.reasons,
    }
