"""Judge the photos of a set: what is wrong with each, and what nobody has looked at.

A finding is a code with facts; `bot/wording/verdicts.py` says why it matters and what to do. No
finding removes a photo: that does only its owner.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, replace
from itertools import combinations
from typing import Any, NamedTuple, Self

from storage.errors import Fact
from storage.measurements import Examination
from storage.photos.sameshot import number_shots
from storage.planning.features import find_seen, find_strangers
from storage.records import CheckedPhoto, Concept, Photo

AnyPhoto = Photo | CheckedPhoto

#: codes of findings, the worst first
FINDINGS = (
    "explicit", "plain", "screenshot", "bars", "same_shot", "other_subject", "no_face",
    "several_faces", "tiny", "dark", "bright", "nudity", "text", "blurred", "unsharp",
    "watermark", "animated",
)  # fmt: skip
#: nothing to warn of: what they did to styles was less than what another seed does
#: (benchmarks/RESULTS.md, which check predicts a worse style)
HINTS = frozenset({"blurred", "unsharp", "watermark"})
#: what can be looked at, as people call it in `bot/wording/verdicts.py`
LOOKS = ("detail", "light", "bars", "shots", "text", "nudity", "subjects", "content")
#: probabilities, as the net's author bands them: below it is fine, between a person decides
MAX_CLEAN_NUDITY, MIN_EXPLICIT = 0.2, 0.8
REFUSED = frozenset({"explicit"})  #: cannot be accepted
#: photos with faces, and their share, from which one without is something else
MIN_PEOPLE, MIN_PEOPLE_SHARE = 4, 0.7
SAME_PLACE = 0.05  #: of a side, between two watermarks
MAX_NAMED_WORDS, MAX_WORD_CHARS = 3, 24
SIDES = ("left", "top", "right", "bottom")


class Finding(NamedTuple):
    """Something that is wrong with a photo."""

    code: str
    facts: dict[str, Fact]


@dataclass(frozen=True, slots=True)
class Verdict:
    """What is to be said of one photo."""

    findings: tuple[Finding, ...]  #: the worst first
    unchecked: tuple[str, ...]  #: of `LOOKS`
    accepted: bool = False  #: its owner keeps it anyway

    @property
    def warnings(self) -> tuple[Finding, ...]:
        """The findings to warn of: no hints, nor the best photo of a shot, nor an accepted one."""
        if self.accepted:
            return ()
        serious = (each for each in self.findings if each.code not in HINTS)
        return tuple(each for each in serious if not each.facts.get("is_best"))

    @property
    def can_accept(self) -> bool:
        """Whether the photo's owner may keep it against advice."""
        return bool(self.warnings) and not self.refused

    @property
    def has_bars(self) -> bool:
        """Whether there are bars to cut off."""
        return any(finding.code in {"bars", "screenshot"} for finding in self.findings)

    @property
    def refused(self) -> bool:
        """Whether nothing can be trained on the photo."""
        return any(finding.code in REFUSED for finding in self.findings)

    @classmethod
    def from_json(cls, facts: Mapping[str, Any]) -> Self:
        """Return the verdict in a JSON object, which may have more in it."""
        found = [dict(each) for each in facts["findings"]]
        findings = tuple(Finding(each.pop("code"), each) for each in found)
        return cls(findings, tuple(facts["unchecked"]), facts["accepted"])

    def to_json(self) -> dict[str, Any]:
        """Return it as JSON."""
        found = [{"code": each.code, **each.facts} for each in self.findings]
        return {"findings": found, "unchecked": [*self.unchecked], "accepted": self.accepted}


def judge_photos(
    photos: Sequence[AnyPhoto], names: Sequence[str], concept: Concept = Concept.SUBJECT
) -> list[Verdict]:
    """Return a verdict for each photo of a set; findings name other photos by their names."""
    same: dict[int, Finding] = {}
    for group in group_shots(photos):
        best = pick_best(photos, group)
        for at in group:
            others = [names[other] for other in group if other != at]
            facts: dict[str, Fact] = {"others": others, "best": names[best], "is_best": at == best}
            same[at] = Finding("same_shot", facts)
    subject = concept is Concept.SUBJECT  # a look has as many subjects as it likes
    marks, people = find_watermarks(photos), subject and show_people(photos)
    strangers, compared = (find_strangers(photos) if subject else set()), {*find_seen(photos)}
    verdicts = []
    for at, photo in enumerate(photos):
        more = [*describe_faces(photo, people=people)] if subject else []
        more += [same[at]] if at in same else []
        more += [Finding("other_subject", {})] if at in strangers else []
        verdict = judge_photo(photo, *more, watermarks=marks)
        seen = people or at in compared
        unchecked = tuple(look for look in verdict.unchecked if look != "content" or not seen)
        verdicts.append(replace(verdict, unchecked=unchecked))
    return verdicts


def judge_photo(photo: AnyPhoto, *more: Finding, watermarks: Set[str] = frozenset()) -> Verdict:
    """Return the verdict on one photo, with what the others of its set say of it."""
    findings = [Finding(*describe_warning(photo, code)) for code in photo.warnings]
    known = [each for each in findings if each.code in FINDINGS]
    known += [*more, *describe_examination(photo.examination or Examination(), watermarks)]
    known.sort(key=lambda finding: FINDINGS.index(finding.code))
    return Verdict(
        tuple(known), list_unchecked(photo), isinstance(photo, Photo) and photo.accepted
    )


def describe_warning(photo: AnyPhoto, code: str) -> tuple[str, dict[str, Fact]]:
    """Return a warning's code and facts; old photos have no measures."""
    measures, size = photo.measures, (photo.width, photo.height)
    if code == "blurred":
        if measures is None:
            return "unsharp", {}
        size = (round(photo.width * measures.detail), round(photo.height * measures.detail))
    if code in {"bars", "screenshot"} and measures is not None:
        sides = [side for side, width in zip(SIDES, measures.bars, strict=True) if width]
        return code, {"sides": sides}
    return code, {"width": size[0], "height": size[1]} if code in {"blurred", "tiny"} else {}


def show_people(photos: Sequence[AnyPhoto]) -> bool:
    """Return whether most photos show a face, so that one without shows something else."""
    faces = [photo.measures.faces for photo in photos if photo.measures]
    return len(faces) >= MIN_PEOPLE and sum(map(bool, faces)) >= MIN_PEOPLE_SHARE * len(faces)


def describe_faces(photo: AnyPhoto, *, people: bool) -> Iterator[Finding]:
    """Yield what is wrong with the number of faces in a photo of a subject."""
    faces = photo.measures.faces if photo.measures else None
    if faces is not None and faces > 1:
        yield Finding("several_faces", {"count": faces})
    if faces == 0 and people:
        yield Finding("no_face", {})


def describe_examination(found: Examination, watermarks: Set[str]) -> Iterator[Finding]:
    """Yield what nets found in a photo that is worth a word."""
    if found.nudity is not None and found.nudity >= MAX_CLEAN_NUDITY:
        yield Finding("explicit" if found.nudity >= MIN_EXPLICIT else "nudity", {})
    words = [clean_word(each.text) for each in found.text or ()]
    marks = [clean_word(each.text) for each in found.text or ()
             if each.text.casefold() in watermarks]  # fmt: skip
    if marks:
        yield Finding("watermark", {"words": marks[:MAX_NAMED_WORDS]})
    elif words:
        yield Finding("text", {"words": words[:MAX_NAMED_WORDS]})


def clean_word(text: str) -> str:
    """Return what a net read in a stranger's picture, harmless in any sentence."""
    return "".join(sign for sign in text if sign.isalnum() or sign == " ")[:MAX_WORD_CHARS]


def find_watermarks(photos: Sequence[AnyPhoto]) -> set[str]:
    """Return the texts, without case, that are at the same place in several photos."""
    places: defaultdict[str, list[tuple[int, tuple[float, float]]]] = defaultdict(list)
    for at, photo in enumerate(photos):
        for found in (photo.examination and photo.examination.text) or ():
            places[found.text.casefold()].append((at, (found.x, found.y)))
    return {
        text
        for text, found in places.items()
        if any(
            one != other and is_same_place(here, there)
            for (one, here), (other, there) in combinations(found, 2)
        )
    }


def is_same_place(one: tuple[float, float], other: tuple[float, float]) -> bool:
    """Return whether two places, in shares of the sides, are about the same."""
    return all(abs(a - b) <= SAME_PLACE for a, b in zip(one, other, strict=True))


def list_unchecked(photo: AnyPhoto) -> tuple[str, ...]:
    """Return what nobody has looked at in a photo."""
    measures, examined = photo.measures, photo.examination or Examination()
    looked = {
        "detail": measures is not None and measures.detail > 0,
        "light": measures is not None,
        "bars": measures is not None,
        "shots": measures is not None,
        "subjects": measures is not None and bool(measures.faces),
        "nudity": examined.nudity is not None,
        "text": examined.text is not None,
    }
    return tuple(look for look in LOOKS if not looked.get(look))


def group_shots(photos: Sequence[AnyPhoto]) -> list[list[int]]:
    """Return the places of the photos of each shot that there are several of."""
    groups: defaultdict[int, list[int]] = defaultdict(list)
    for at, shot in enumerate(number_shots(photos)):
        groups[shot].append(at)
    return [group for group in groups.values() if len(group) > 1]


def count_different(photos: Sequence[AnyPhoto]) -> int:
    """Return how many different photos there are: all of one shot are one."""
    return len(set(number_shots(photos)))


def pick_best(photos: Sequence[AnyPhoto], group: Sequence[int]) -> int:
    """Return the place of the photo of a shot with the most detail and the fewest warnings."""

    def rate(at: int) -> tuple[int, float, int]:
        photo = photos[at]
        detail = photo.measures.detail if photo.measures and photo.measures.detail else 1.0
        return -len(photo.warnings), photo.width * photo.height * detail**2, -at

    return max(group, key=rate)
