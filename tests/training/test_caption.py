"""Caption jobs: the trigger comes first, one event per photo."""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING, Any

import pytest
from PIL import Image

from benchmarks.teaching.spec import PICTURES
from storage.errors import JobError
from storage.events import Note, PhotoCaptioned
from storage.folders import JobFolder, write_json
from storage.planning.features import measure_cosines
from training.caption import caption, describe, put_trigger_first
from training.captioners import Description

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from storage.events import Event
    from training.bases.cache import BaseCache

    Told = Callable[[Iterator[Event]], list[Event]]


def write_job(path: Path, **asked: Any) -> JobFolder:
    """Write a caption job with two photos."""
    folder = JobFolder(path)
    folder.photos.mkdir(parents=True)
    for name, colour in (("1.png", "red"), ("2.png", "blue")):
        Image.new("RGB", (90, 60), colour).save(folder.photos / name)
    request = {"captioner": "embedded", "trigger": "mydog", "photos": [31, 40]} | asked
    write_json(folder.request_file, {"kind": "caption", "request": request})
    return folder


def test_captions(bases: BaseCache, run_task: Told, tmp_path: Path) -> None:
    """Each photo gets a caption that begins with the trigger, in an event and in the result."""
    folder = write_job(tmp_path)

    events = run_task(caption(folder, bases))
    told = [event for event in events if isinstance(event, PhotoCaptioned)]

    assert [event.photo for event in told] == [31, 40]
    assert all(event.caption.startswith("mydog") for event in told)
    seen = json.loads(folder.features_file.read_text("utf-8"))
    assert [*seen] == ["31", "40"]
    assert measure_cosines([*seen.values()])[0, 1] < 0.99
    written = json.loads((folder.result / "captions.json").read_text("utf-8"))
    assert written == {event.file: event.caption for event in told}
    assert events[-1].kind == "done"


def test_what_the_captioner_does_not_know(
    bases: BaseCache, run_task: Told, tmp_path: Path
) -> None:
    """Photographs get trigger and plain ground alone, and are counted; emoji are described."""
    folder = write_job(tmp_path, photos=[1, 2, 3])
    noise = Image.effect_noise((90, 60), 90).convert("RGB")
    noise.save(folder.photos / "1.png")
    wall = Image.radial_gradient("L").point(lambda level: 255 - level // 5).convert("RGB")
    wall.paste(noise, (80, 90))
    wall.save(folder.photos / "2.png")
    shutil.copy(PICTURES / "firefox" / "measure" / "cat.png", folder.photos / "3.png")

    events = run_task(caption(folder, bases))
    told = [event.caption for event in events if isinstance(event, PhotoCaptioned)]

    assert told[:2] == ["mydog", "mydog, on a white background"]
    assert "emoji" in told[2]
    assert Note("captions_unknown", {"unknown": 2, "photos": 3}) in events


def test_nothing_left(bases: BaseCache, run_task: Told, tmp_path: Path) -> None:
    """Photos that were removed are counted; where none is left, the job ends well, at once."""
    folder = write_job(tmp_path, photos=[], gone=2)
    for photo in folder.photos.iterdir():
        photo.unlink()

    events = run_task(caption(folder, bases))

    assert [event.kind for event in events] == ["started", "note", "done"]
    assert events[1] == Note("photos_gone", {"photos": 2})


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("nowhere", "captioner_unknown"),
        ("some/where", "captioner_missing"),
        ("../up", "captioner_missing"),
    ],
)
def test_missing(bases: BaseCache, run_task: Told, tmp_path: Path, name: str, code: str) -> None:
    """A captioner that is not installed fails the job with a code; nothing is downloaded."""
    with pytest.raises(JobError) as refused:
        run_task(caption(write_job(tmp_path, captioner=name), bases))

    assert refused.value.code == code


def test_broken_photo(bases: BaseCache, run_task: Told, tmp_path: Path) -> None:
    """A photo that cannot be read is named."""
    folder = write_job(tmp_path)
    (folder.photos / "2.png").write_bytes(b"no picture")

    with pytest.raises(JobError) as refused:
        run_task(caption(folder, bases))

    assert refused.value.facts == {"file": "2.png"}


@pytest.mark.parametrize(
    ("trigger", "text", "led"),
    [
        ("mydog", "a dog", "mydog, a dog"),
        ("mydog", "MyDog, a dog", "MyDog, a dog"),
        ("mydog", "", "mydog"),
        ("", "a dog", "a dog"),
        ("pan", "panda bear", "pan, panda bear"),
        ("a", "a panda", "a, a panda"),
        ("a", "a, a panda", "a, a panda"),
    ],
)
def test_trigger_comes_first(trigger: str, text: str, led: str) -> None:
    """The trigger is prepended once; whole words are compared."""
    assert put_trigger_first(trigger, text) == led


class Counting:
    """A captioner that remembers how many photos it was given at once."""

    def __init__(self) -> None:
        self.batches: list[int] = []

    def describe(self, pictures: Sequence[Image.Image]) -> list[Description]:
        """Describe every picture in the same way."""
        self.batches.append(len(pictures))
        return [Description("a dog")] * len(pictures)


def test_photos_are_described_in_batches(tmp_path: Path) -> None:
    """As many at once as asked for, in their order; the last batch has what is left."""
    photos = [(number, tmp_path / f"{number}.png") for number in range(5)]
    for _, path in photos:
        Image.new("RGB", (8, 8)).save(path)
    captioner = Counting()

    found = list(describe(captioner, photos, 2))  # type: ignore[arg-type]

    assert [photo for photo, _ in found] == photos
    assert captioner.batches == [2, 2, 1]
