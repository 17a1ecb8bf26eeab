"""What is wrong with the photos of a set."""

from __future__ import annotations

import base64
import json
from dataclasses import replace
from typing import Any

import pytest

from storage.measurements import Examination, FoundText, PhotoMeasures
from storage.photos.measures import list_warnings
from storage.planning.verdicts import (
    FINDINGS,
    Verdict,
    count_different,
    find_watermarks,
    group_shots,
    judge_photo,
    judge_photos,
)
from storage.records import CheckedPhoto, Concept, Photo

FAR = 0x0F0F_F0F0_0FF0
GREY, COLOURS = (base64.b64encode(bytes(size)).decode() for size in (32 * 32, 8 * 8 * 3))
MEASURES = PhotoMeasures(1.0, (0, 0, 0, 0), True, 0.1, 0.0, 50.0, GREY, COLOURS)


def make_photo(number: int = 1, *warnings: str, **measured: Any) -> CheckedPhoto:
    """Make a checked photo with warnings."""
    measures = replace(MEASURES, **measured)
    return CheckedPhoto(f"{number}", number * FAR, 900, 600, b"", b"", warnings, measures=measures)


def test_worst_first() -> None:
    """All findings of a photo are there, the worst first, whatever their order was."""
    verdict = judge_photo(make_photo(1, "animated", "dark", "bars", "blurred"))

    assert [finding.code for finding in verdict.findings] == [
        "bars",
        "dark",
        "blurred",
        "animated",
    ]


def test_hints() -> None:
    """Blur and watermarks are named, but not warned of: they did no style measurable harm."""
    soft, barred = (judge_photo(make_photo(1, *warned)) for warned in (("blurred",), ("bars",)))

    assert [[finding.code for finding in each.findings] for each in (soft, barred)] == [
        ["blurred"],
        ["bars"],
    ]
    assert (soft.warnings, soft.can_accept) == ((), False)
    assert (len(barred.warnings), barred.can_accept) == (1, True)


def test_facts() -> None:
    """A soft photo has the size of its detail, and a barred one its sides."""
    soft, barred = judge_photos(
        [make_photo(1, "blurred", detail=0.333), make_photo(2, "bars", bars=(0, 50, 0, 60))],
        ["a", "b"],
    )

    assert soft.findings[0].facts == {"width": 300, "height": 200}
    assert barred.findings[0].facts == {"sides": ["top", "bottom"]}


def test_same_shot() -> None:
    """Photos of the same shot name each other and the best one, and count once."""
    photos = [make_photo(1, "tiny"), make_photo(2), replace(make_photo(1), digest="other")]

    first, other, third = judge_photos(photos, ["a", "b", "c"])

    assert (count_different(photos), group_shots(photos)) == (2, [[0, 2]])
    assert first.findings[0].facts == {"others": ["c"], "best": "c", "is_best": False}
    assert (other.findings, third.findings[0].facts["is_best"]) == ((), True)


def store_photo(checked: CheckedPhoto, **changes: Any) -> Photo:
    """Return a checked photo as it is in a dataset."""
    fields = {
        "id": 1, "dataset": 1, "owner": 1, "contributor": 1, "caption": "", "written": False,
        "found_framing": checked.framing, "repeats": 1, "created": 0.0,
    }  # fmt: skip
    shared = ("digest", "phash", "width", "height", "warnings", "measures", "framing")
    return Photo(**fields | {name: getattr(checked, name) for name in shared} | changes)


def test_unchecked() -> None:
    """What nobody has looked at is named: all of an old photo, sharpness of a very small one."""
    old = store_photo(make_photo(1, "blurred", "duplicate"), measures=None)

    assert judge_photo(old).unchecked[:4] == ("detail", "light", "bars", "shots")
    assert [finding.code for finding in judge_photo(old).findings] == ["unsharp"]
    assert judge_photo(make_photo(detail=0.0)).unchecked[0] == "detail"
    assert "detail" not in judge_photo(make_photo()).unchecked


def test_accepted() -> None:
    """A verdict knows that the photo's owner keeps it anyway."""
    photo = store_photo(make_photo(1, "tiny"))

    assert not judge_photo(photo).accepted
    assert judge_photo(replace(photo, accepted=True)).accepted


@pytest.mark.parametrize("warned", [(), ("tiny",), ("bars", "blurred")])
def test_json(warned: tuple[str, ...]) -> None:
    """A verdict is the same after a way through JSON."""
    verdict = judge_photo(make_photo(1, *warned))

    assert Verdict.from_json(json.loads(json.dumps(verdict.to_json()))) == verdict


def test_nudity() -> None:
    """Nudity has three bands: fine, for a person to decide, and refused, which nobody accepts."""
    judged = [judge_photo(replace(make_photo(), examination=Examination(each)))
              for each in (0.1, 0.5, 0.9)]  # fmt: skip

    assert [[finding.code for finding in each.findings] for each in judged] == [
        [],
        ["nudity"],
        ["explicit"],
    ]
    assert [each.refused for each in judged] == [False, False, True]
    assert [each.can_accept for each in judged] == [False, True, False]
    assert all("nudity" not in each.unchecked and "text" in each.unchecked for each in judged)


def test_faces() -> None:
    """In photos of people, one with several faces or with none is named; in a look, neither."""
    photos = [make_photo(at, faces=faces) for at, faces in enumerate((1, 1, 2, 0, 1, 1))]
    names = [*"abcdef"]

    people = judge_photos(photos, names)
    pets = judge_photos([make_photo(at, faces=0) for at in range(6)], names)
    look = judge_photos(photos, names, Concept.LOOK)

    codes = [[finding.code for finding in each.findings] for each in people]
    assert codes == [[], [], ["several_faces"], ["no_face"], [], []]
    assert all("content" not in each.unchecked for each in people)
    assert all("content" in each.unchecked and not each.findings for each in pets)
    assert ["subjects" in each.unchecked for each in people] == [at == 3 for at in range(6)]
    assert not any(each.findings for each in look)


def test_text() -> None:
    """The same text at the same place in two photos is a watermark; other text is only named.

    Twice in one photo, it is only text.
    """
    here, there = FoundText("ShutterStock", 0.5, 0.7), FoundText("SHUTTERSTOCK", 0.52, 0.7)
    label, far = FoundText("*Her*schel @", 0.4, 0.4), FoundText("Shutterstock", 0.1, 0.1)
    moved = replace(label, x=0.8)
    texts = [(here,), (there, label), (moved,), (far,), ()]
    photos = [
        replace(make_photo(at), digest=f"{at}", phash=at * FAR, examination=Examination(0.0, text))
        for at, text in enumerate(texts)
    ]

    found = [judge_photo(each, watermarks=find_watermarks(photos[:3])) for each in photos]

    codes = [[finding.code for finding in each.findings] for each in found]
    assert codes == [["watermark"], ["watermark"], ["text"], ["watermark"], []]
    assert found[2].findings[0].facts == {"words": ["Herschel "]}
    assert find_watermarks([photos[0], photos[3]]) == set()
    assert (
        find_watermarks([replace(photos[0], examination=Examination(0.0, (here, there)))]) == set()
    )


def test_every_warning_is_a_finding() -> None:
    """Whatever is measured to be wrong is a finding."""
    bad = PhotoMeasures(0.3, (9, 9, 9, 9), True, 0.95, 0.9, 40.0, "", "")
    plain = replace(bad, contrast=1.0, clean_bars=False)
    bright = replace(bad, dark=0.0, clean_bars=False)
    found = {w for each in (bad, plain, bright) for w in list_warnings(each, (100, 100))}

    assert found == {*FINDINGS} - {
        "unsharp", "same_shot", "animated", "explicit", "nudity", "text", "watermark",
        "no_face", "several_faces", "other_subject",
    }  # fmt: skip
