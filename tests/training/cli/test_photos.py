"""Photos are read from a folder or zip on this machine."""

from __future__ import annotations

import json
import zipfile
from contextlib import ExitStack
from pathlib import PurePosixPath

import pytest
from PIL import Image, ImageDraw

from storage.errors import UserError
from storage.folders import JobFolder
from storage.photosets.entries import Entry
from storage.photosets.reader import SetPhoto
from training.cli.photos import list_photos, name_captions, read_photos


@pytest.fixture
def photos(tmp_path):
    """Return a folder with two pictures, a duplicate, captions and a file that is no photo."""
    folder = tmp_path / "photos"
    (folder / "deeper").mkdir(parents=True)
    for name, colour in {"b.png": "red", "c.jpg": "blue", "d.png": "red"}.items():
        Image.new("RGB", (300, 280), colour).save(folder / name)
    (folder / "b.txt").write_text(" a red\nwall ")
    (folder / ".hidden").write_text("no picture")
    return folder


def read(source, job):
    """Return the photos of a folder or zip, as `read_photos` does, and how many were left out."""
    with ExitStack() as stack:
        return read_photos(list_photos(source, stack), job)


def test_pictures_are_read(photos, tmp_path):
    """Each picture is read once, in order of names, with the caption file beside it."""
    folder = JobFolder(tmp_path / "job")
    found, left_out = read(photos, folder)

    told = [(photo.file, photo.name, photo.caption) for photo in found]
    assert told == [("0001.png", "b.png", "a red wall"), ("0002.png", "c.jpg", "")]
    assert sorted(path.name for path in folder.photos.iterdir()) == ["0001.png", "0002.png"]
    assert [photo.copies for photo in found] == [("d.png",), ()]
    assert left_out == 0


def test_an_animation_gives_its_first_frame(tmp_path, capsys):
    """Of an animated file the first frame is used, and that is said."""
    red, blue = (Image.new("RGB", (64, 64), colour) for colour in ("red", "blue"))
    red.save(tmp_path / "a.webp", save_all=True, append_images=[blue], lossless=True)

    (photo,), _ = read(tmp_path, job := JobFolder(tmp_path / "job"))

    assert Image.open(job.photos / photo.file).getpixel((9, 9)) == (255, 0, 0)
    (line,) = map(json.loads, capsys.readouterr().out.splitlines())
    assert (line["code"], line["file"]) == ("photo_animated", "a.webp")


def test_a_zip_is_read_as_its_folder(photos, tmp_path):
    """A zip of a folder has the same photos with the same captions, also by a path inside it."""
    packed = tmp_path / "photos.zip"
    with zipfile.ZipFile(packed, "w") as archive:
        for path in photos.iterdir():
            archive.write(path, f"mine/{path.name}")

    found = [read(each, JobFolder(tmp_path / "job")) for each in (photos, packed, packed / "mine")]

    inside = [[photo[2:] for photo in photos] for photos, _ in found]
    assert inside[0][0][:1] == ("a red wall",)
    assert [[photo.checked for photo in photos] for photos, _ in found[1:]] == [
        [photo.checked for photo in found[0][0]]
    ] * 2
    assert inside[2] == inside[0]


def test_a_bad_picture_is_left_out(photos, tmp_path, capsys):
    """It is told with its name, and the good ones are used; if there is none, it is the error."""
    (photos / "a.png").write_bytes(b"")
    found, left_out = read(photos, JobFolder(tmp_path / "job"))
    told = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    for good in ("b.png", "c.jpg", "d.png"):
        (photos / good).unlink()
    with pytest.raises(UserError) as bad:
        read(photos, JobFolder(tmp_path / "job"))

    assert (len(found), left_out) == (2, 1)
    assert ("photo_empty", "a.png") in [(line["code"], line.get("file")) for line in told]
    assert (bad.value.code, bad.value.facts["file"]) == ("photo_empty", "a.png")


def test_a_mask_becomes_the_alpha_channel(photos, tmp_path):
    """`c.mask.png` is no photo; its bright parts become the alpha of `c.jpg`."""
    mask = Image.new("L", (150, 140))
    ImageDraw.Draw(mask).rectangle((0, 0, 74, 139), fill=255)
    mask.save(photos / "c.mask.png")
    folder = JobFolder(tmp_path / "job")

    found, _ = read(photos, folder)

    assert [photo.name for photo in found] == ["b.png", "c.jpg"]
    with Image.open(folder.photos / "0002.png") as picture:
        assert picture.size == (300, 280)
        assert picture.convert("RGB").getpixel((200, 100)) == (0, 0, 254)
        alpha = picture.getchannel("A")
    assert (alpha.getpixel((20, 100)), alpha.getpixel((280, 100))) == (255, 0)


def test_a_mask_hides_nothing(photos, tmp_path):
    """A picture is transparent by its own alpha; a mask says only where to learn."""
    Image.new("L", (150, 140), 90).save(photos / "c.mask.png")
    Image.new("RGBA", (64, 64), (255, 0, 0, 90)).save(photos / "z.png")

    found, _ = read(photos, JobFolder(tmp_path / "job"))

    assert [photo.name for photo in found if photo.transparent] == ["z.png"]


def test_a_mask_of_another_shape_is_named(photos, tmp_path, capsys):
    """A photo whose mask does not fit it is left out, and the mask is named."""
    Image.new("L", (100, 280)).save(photos / "b.mask.png")

    found, left_out = read(photos, JobFolder(tmp_path / "job"))

    told = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert (left_out, [photo.name for photo in found]) == (1, ["c.jpg", "d.png"])
    (line,) = (line for line in told if line["code"] == "mask_shape")
    assert (line["file"], line["photo"]) == ("b.mask.png", "b.png")


def test_two_pictures_of_one_stem_share_nothing(photos, tmp_path, capsys):
    """The first has `b.txt`, the second its own `b.webp.txt`; who misses one is told its name."""
    Image.new("RGB", (300, 280), "green").save(photos / "b.webp")

    before, _ = read(photos, JobFolder(tmp_path / "job"))
    said = capsys.readouterr().out
    (photos / "b.webp.txt").write_text("a green wall")
    after, _ = read(photos, JobFolder(tmp_path / "job"))

    assert [photo.caption for photo in before] == ["a red wall", "", ""]
    assert [photo.caption for photo in after] == ["a red wall", "a green wall", ""]
    assert "b.webp.txt" in said
    assert "beside_shared" not in capsys.readouterr().out


def test_names_of_captions():
    """No two pictures write one file, also where A and a are the same letter."""
    pictures = ["A.JPG", "a.png", "a.png.jpg", "b.png", "more/b.png"]
    photos = [SetPhoto(make_entry(name), name) for name in pictures]
    names = name_captions(photos, beside=False)

    assert [*names.values()] == ["A.txt", "a.png.txt", "a.png.jpg.txt", "b.txt", "more/b.txt"]


def test_names_of_captions_that_are_there():
    """Beside the photos, a caption is written where the present one is read from, or before it."""
    there = {"a.jpg": "a.jpg.txt", "a.png": "a.txt", "b.png": "b.png.json", "c.png": "c.caption",
             "d.png": "D.TXT", "e.png": "metadata.jsonl"}  # fmt: skip
    photos = [SetPhoto(make_entry(p), p, "x", source=make_entry(t)) for p, t in there.items()]
    names = name_captions(photos, beside=True)

    assert names == {"a.jpg": "a.jpg.txt", "a.png": "a.txt", "b.png": "b.png.txt",
                     "c.png": "c.txt", "d.png": "D.TXT", "e.png": "e.txt"}  # fmt: skip


def make_entry(name):
    """Return a file of a folder, which is not read."""
    return Entry(PurePosixPath(name), 1, lambda _: b"")


def test_a_mask_belongs_to_one_picture(photos, tmp_path):
    """A mask of the first of two pictures of one stem does not hide parts of the second."""
    Image.new("RGB", (300, 280), "green").save(photos / "c.webp")
    Image.new("L", (300, 280), 255).save(photos / "c.mask.png")
    folder = JobFolder(tmp_path / "job")

    found, _ = read(photos, folder)

    assert [len(photo.digests) for photo in found] == [1, 2, 1]
    with Image.open(folder.photos / "0003.png") as picture:
        assert picture.mode == "RGB"
