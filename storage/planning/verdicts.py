"""Judge the photos of a set: what is wrong with each, and what nobody has looked at.

A finding is a code with facts; `bot/wording/verdicts.py` says why it matters and what to do. No
finding removes a photo: that does only its owner.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, Self

from storage.errors import Fact
from storage.photos.sameshot import number_shots
from storage.records import CheckedPhoto, Photo

AnyPhoto = Photo | CheckedPhoto

#: codes of findings, the worst first
FINDINGS = (
    "plain", "tiny", "blurred", "unsharp", "screenshot", "bars", "dark", "bright", "same_shot",
    "animated",
)  # fmt: skip
#: what can be looked at, as people call it in `bot/wording/verdicts.py`
LOOKS = ("detail", "light", "bars", "shots", "text", "nudity", "content")
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


def judge_photos(photos: Sequence[AnyPhoto], names: Sequence[str]) -> list[Verdict]:
    """Return a verdict for each photo of a set; findings name other photos by their names."""
    same: dict[int, Finding] = {}
    for group in group_shots(photos):
        best = pick_best(photos, group)
        for at in group:
            others = [names[other] for other in group if other != at]
            facts: dict[str, Fact] = {"others": others, "best": names[best], "is_best": at == best}
            same[at] = Finding("same_shot", facts)
    return [judge_photo(photo, same.get(at)) for at, photo in enumerate(photos)]


def judge_photo(photo: AnyPhoto, same_shot: Finding | None = None) -> Verdict:
    """Return the verdict on one photo, with what the others of its set say of it."""
    findings = [Finding(*describe_warning(photo, code)) for code in photo.warnings]
    known = [each for each in findings if each.code in FINDINGS]
    known += [same_shot] if same_shot else []
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


def list_unchecked(photo: AnyPhoto) -> tuple[str, ...]:
    """Return what nobody has looked at in a photo."""
    measures = photo.measures
    looked = {
        "detail": measures is not None and measures.detail > 0,
        "light": measures is not None,
        "bars": measures is not None,
        "shots": measures is not None,
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
