"""Photos are packed in the forms of other tools, and read back as they were."""

from __future__ import annotations

import json
import zipfile
from pathlib import PurePosixPath

import pytest
from PIL import Image

from storage.crops import FramedBy, Framing
from storage.photosets.pack import PackedPhoto, SetForm, fits_name, pack_set
from storage.photosets.reader import open_set
from storage.photosets.treatment import Treatment

CAPTIONS = (
    "a dog on grass", "a dog, asleep", "mydog, une forêt en été", "柴犬が公園で遊んでいる", "dog",
    "a_b dog c",
    "what is it? a dog", "2026 dogs in 12345 boxes", "a dog and " * 40 + "a cat", "a dog on grass",
    "100% dog & cat", "con", ". a dog", "a dog.", "👩‍🦰 with a dog",
)  # fmt: skip


@pytest.fixture
def photos(tmp_path):
    """Return photos with captions that are odd in names and texts."""
    made = []
    for at, caption in enumerate(CAPTIONS):
        file = tmp_path / f"{at}.png"
        Image.new("RGB", (32, 24), (at * 9, 90, 30)).save(file)
        made.append(PackedPhoto(f"IMG {at}", file, caption))
    return made


def read_back(packed):
    """Return the content and captions of a zip, sorted by content."""
    with open_set(packed) as found:
        return sorted((photo.file.read(9999), photo.caption) for photo in found.photos)


@pytest.mark.parametrize("form", SetForm)
def test_round_trip(photos, tmp_path, form):
    """Pixels and captions come back from each form."""
    pack_set(photos, form, "mydog", tmp_path / "a.zip")

    expected = sorted((photo.file.read_bytes(), photo.caption.strip()) for photo in photos)
    assert read_back(tmp_path / "a.zip") == expected


@pytest.mark.parametrize("form", SetForm)
def test_without_captions(photos, tmp_path, form):
    """A photo without a caption comes back without one; from kohya's form, with its trigger."""
    some = [*photos[:1], *(photo._replace(caption="") for photo in photos[1:])]

    pack_set(some, form, "mydog", tmp_path / "a.zip")

    assert {caption for _, caption in read_back(tmp_path / "a.zip")} == {
        photos[0].caption,
        "mydog" if form is SetForm.KOHYA else "",
    }


def test_names(photos, tmp_path):
    """Each form has the names that its tools look for."""
    names = {}
    for form in SetForm:
        pack_set(photos[:2], form, "sks dog", tmp_path / "a.zip")
        with zipfile.ZipFile(tmp_path / "a.zip") as packed:
            names[form] = packed.namelist()
            if form is SetForm.HUB:
                rows = packed.read("metadata.jsonl").decode().splitlines()

    assert names == {
        "plain": ["IMG 0.png", "IMG 0.txt", "IMG 1.png", "IMG 1.txt"],
        "kohya": [f"100_sks dog/IMG {name}" for name in ("0.png", "0.txt", "1.png", "1.txt")],
        "everydream": ["a dog on grass_0001.png", "a dog, asleep_0002.png"],
        "hub": ["metadata.jsonl", "IMG 0.png", "IMG 1.png"],
    }
    assert json.loads(rows[0]) == {"file_name": "IMG 0.png", "text": "a dog on grass"}


@pytest.mark.parametrize("trigger", ["../../etc", "/a", "C:\\a", "...", " ", "sks\ndog"])
def test_a_folder_leads_nowhere(photos, tmp_path, trigger):
    """Whatever the trigger is, the zip can be read again."""
    pack_set(photos, SetForm.KOHYA, trigger, tmp_path / "a.zip")

    assert len(read_back(tmp_path / "a.zip")) == len(photos)


def test_equal_names(photos, tmp_path):
    """Photos of one name get numbers, also where A and a are the same letter."""
    same = [
        photo._replace(stem=stem)
        for photo, stem in zip(photos[:3], ("a", "A", "a-2"), strict=True)
    ]

    pack_set(same, SetForm.PLAIN, "x", tmp_path / "a.zip")

    with zipfile.ZipFile(tmp_path / "a.zip") as packed:
        stems = [PurePosixPath(name).stem for name in packed.namelist()[::2]]
    assert stems == ["a", "A-2", "a-2-2"]


def test_names_are_safe_everywhere():
    """A caption becomes a name only if every system allows it."""
    assert [each for each in CAPTIONS if fits_name(each)] == [
        "a dog on grass", "a dog, asleep", "mydog, une forêt en été", "a dog on grass",
        "👩‍🦰 with a dog",
    ]  # fmt: skip


@pytest.mark.parametrize("form", [SetForm.HUB, SetForm.KOHYA])
def test_what_is_told_of_photos(photos, tmp_path, form):
    """Repeats come back from folders' names, and from metadata.jsonl with what is to be kept."""
    framing = Framing(0.25, 1.0, by=FramedBy.MEMBER)
    told = [Treatment(framing, 2), Treatment(Framing(0.1, 0.1, by=FramedBy.FACE)), Treatment()]
    made = [photo._replace(treatment=each) for photo, each in zip(photos, told, strict=False)]

    pack_set(made, form, "mydog", tmp_path / "a.zip")

    kept = Treatment(framing if form is SetForm.HUB else None, 2)
    with open_set(tmp_path / "a.zip") as found:
        read = [photo.treatment for photo in sorted(found.photos, key=lambda each: each.name[-9:])]
    assert read == [kept, Treatment(), Treatment()]


@pytest.mark.parametrize(
    "row",
    [
        {"framing": {"x": 3, "y": 0, "whole": False}}, {"framing": [1, 2]}, {"repeats": "many"},
        {"repeats": float("inf")}, {"framing": None, "repeats": None}, {"repeats": -5},
    ],
)  # fmt: skip
def test_nonsense_in_metadata_is_left_out(row):
    """What makes no sense in a row is as if it were not there."""
    assert Treatment.from_row(row) == Treatment()
    assert Treatment.from_row({"repeats": 10**9}) == Treatment(repeats=10)
