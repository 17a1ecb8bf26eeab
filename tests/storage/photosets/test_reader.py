"""Sets of photos are read as other tools leave them; what was not used is named."""

from __future__ import annotations

import json
import random
import unicodedata
import zipfile
from io import BytesIO

import pytest
from PIL import Image

from storage.errors import UserError
from storage.photosets.archive import MAX_LIST_BYTES
from storage.photosets.reader import open_set


def picture(seed=0):
    """Return a small PNG."""
    file = BytesIO()
    Image.new("RGB", (32, 32), (seed % 256, 90, 90)).save(file, "PNG")
    return file.getvalue()


def fill(folder, **files):
    """Write files; those of no content are pictures."""
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content or picture())
    return folder


def read(source, **options):
    """Return the captions of a set by name, and the facts of its notes by code."""
    with open_set(source, **options) as found:
        captions = {photo.name: photo.caption for photo in found.photos}
        return captions, {note.code: note.facts for note in found.notes}


@pytest.mark.parametrize(
    "beside",
    [
        {"a.txt": "a dog"},
        {"a.caption": "a dog"},
        {"a.jpg.txt": " a\r\ndog \n"},
        {"A.TXT": "a dog"},
        {"a.json": '{"caption": "a dog", "width": 9}'},
        {"a.json": '{"tags": ["a dog"]}'},
        {"a.jpg.json": '"a dog"'},
        {"metadata.jsonl": '{"file_name": "a.jpg", "text": "a dog"}\n'},
        {"captions.json": '{"a.jpg": "a dog", "b.jpg": "a cat"}'},
        {"meta_cap.json": '{"C:\\\\train\\\\a": {"caption": "a dog", "tags": "dog"}}'},
        {"meta_cap.json": '{"/train/a.jpg": {"caption": "a dog"}}'},
        {"metadata.jsonl": 'junk\n[]\n{"file_name": "./a.jpg", "prompt": "a dog"}'},
    ],
)
def test_captions(tmp_path, beside):
    """A caption is found wherever people keep it."""
    captions, notes = read(fill(tmp_path, **{"a.jpg": None}, **beside))

    assert (captions, notes) == ({"a.jpg": "a dog"}, {})


@pytest.mark.parametrize("forms", [("NFC", "NFD"), ("NFD", "NFC")])
def test_forms_of_unicode(tmp_path, forms):
    """A caption belongs to its photo also if one program composed é and the other did not."""
    photo, text = (unicodedata.normalize(form, "café") for form in forms)

    captions, notes = read(fill(tmp_path, **{f"{photo}.png": None, f"{text}.txt": "a café"}))

    assert ([*captions.values()], notes) == (["a café"], {})


@pytest.mark.parametrize(
    ("encoding", "texts", "title"),
    [
        ("utf-8-sig", ["a café"], ""),
        ("utf-16", ["a café"], "UTF-16"),
        ("utf-16-be", ["a cafe"], "UTF-16"),
        ("cp1252", ["un garçon à la forêt, été", "ein Mädchen läuft über die Straße"],
         "Windows-1252"),
        ("cp932", ["柴犬が公園で遊んでいる", "赤い傘"], "Shift-JIS"),
        ("cp1251", ["собака на траве, лето"], "Windows-1251"),
    ],
)  # fmt: skip
def test_encodings(tmp_path, encoding, texts, title):
    """Captions of other encodings are read as they were meant, and the encoding is said."""
    for at, text in enumerate(texts):
        fill(tmp_path, **{f"{at}.png": None, f"{at}.txt": text.encode(encoding)})

    captions, notes = read(tmp_path)

    assert [*captions.values()] == texts
    facts = {"count": len(texts), "encoding": title}
    assert notes == ({"captions_decoded": facts} if title else {})


def test_two_encodings(tmp_path):
    """Of two encodings in one folder, each is detected."""
    texts = {"a": ("柴犬が公園で遊んでいる", "cp932"), "b": ("ein Mädchen läuft ¥, ÿ", "cp1252")}
    for name, (text, encoding) in texts.items():
        fill(tmp_path, **{f"{name}.png": None, f"{name}.txt": text.encode(encoding)})

    captions, _ = read(tmp_path)

    assert [*captions.values()] == [text for text, _ in texts.values()]


def test_kohya(tmp_path):
    """Kohya's folders belong together; one's name is the caption of photos without another."""
    fill(
        tmp_path / "img",
        **{"10_sks dog/a.png": None, "10_sks dog/a.txt": "asleep", "10_sks dog/b.png": None},
        **{"5_sks cat/a.png": None, "../reg/1_dog/c.png": None, "../model/last.safetensors": "x"},
    )

    captions, notes = read(tmp_path)

    assert captions == {
        "10_sks dog/a.png": "asleep",
        "10_sks dog/b.png": "sks dog",
        "5_sks cat/a.png": "sks cat",
    }
    assert notes["captions_named"] == {"count": 2, "caption": "sks dog"}
    assert notes["folders_left"]["folders"] == ["reg/1_dog"]
    assert notes["files_unused"]["files"] == ["model/last.safetensors"]
    assert read(tmp_path / "img" / "10_sks dog")[0]["b.png"] == "sks dog"


def test_everydream(tmp_path):
    """The caption is in the file's name up to the first underscore, unless a file has one."""
    files = {"a dog on grass_1.png": None, "a dog, asleep_2_x.png": None, "a cat at home_3.png": 0}
    fill(tmp_path, **files, **{"a cat at home_3.txt": "a cat"})

    captions, notes = read(tmp_path)

    assert [*captions.values()] == ["a cat", "a dog on grass", "a dog, asleep"]
    assert notes == {"captions_named": {"count": 2, "caption": "a dog on grass"}}


@pytest.mark.parametrize(
    "name",
    ["IMG_1234", "my dog 3", "Screenshot 2026-11-30 at 10.00.00_x", "PXL_2026_me and you",
     "WhatsApp Image 2026-11-30_1", "dog_1", "photo of 12345_6"],
)  # fmt: skip
def test_names_that_are_no_captions(tmp_path, name):
    """Names by cameras, phones and screenshots are no captions."""
    assert read(fill(tmp_path, **{f"{name}.png": None})) == ({f"{name}.png": ""}, {})


def test_a_folder_as_other_tools_leave_it(tmp_path):
    """Good photos go in; other files are listed once, sub-folders are offered."""
    rest = ["Thumbs.db", "a.npz", "clip.mp4", "desktop.ini", "lost.txt", "notes.csv", "z.mask.txt"]
    fill(tmp_path, **dict.fromkeys(rest, "x"), **{".DS_Store": "x", "._a.jpg": "x"})
    fill(tmp_path, **{"a.jpg": None, "noname": picture(3), "more/b.png": None, "more/b.txt": "b"})

    captions, notes = read(tmp_path)

    assert captions == {"a.jpg": "", "noname": ""}
    assert notes["files_unused"] == {"count": len(rest), "files": rest}
    facts = {"count": 1, "folders": ["more"], "pictures": 1, "example": str(tmp_path / "more")}
    assert notes["folders_left"] == facts


def test_several_folders(tmp_path):
    """Photos that are all in folders are refused with their names, or taken if that is asked."""
    fill(tmp_path, **{"cat/a.png": None, "dog/b.png": None, "dog/b.txt": "a dog"})

    with pytest.raises(UserError) as refused:
        read(tmp_path)

    assert refused.value.code == "folders_many"
    assert refused.value.facts["folders"] == ["cat", "dog"]
    fill(tmp_path, **{"masks/b.png": None})
    captions, notes = read(tmp_path, all_folders=True)
    assert captions == {"cat/a.png": "", "dog/b.png": "a dog"}
    assert notes["folders_left"]["folders"] == ["masks"]


def test_metadata_of_folders(tmp_path):
    """Photos that metadata.jsonl names belong together; it leads nowhere else."""
    lines = [{"file_name": name, "text": name} for name in ("x/a.png", "y/b.png", "../../etc")]
    fill(tmp_path, **{"x/a.png": None, "y/b.png": None})
    (tmp_path / "metadata.jsonl").write_text("\n".join(map(json.dumps, lines)))

    assert read(tmp_path) == ({"x/a.png": "x/a.png", "y/b.png": "y/b.png"}, {})


@pytest.mark.parametrize(
    "name",
    ["a-masklabel.png", "A-MaskLabel.PNG", "A.MASK.PNG", "a.mask.jpg", "a.mask.jpeg",
     "a.mask.webp", "a.png.mask.png", "a.mask.tiff"],
)  # fmt: skip
def test_masks(tmp_path, name):
    """A mask by any name is no photo and belongs to its own."""
    with open_set(fill(tmp_path, **{"a.png": None, name: None})) as found:
        assert [(photo.name, photo.mask.path.name) for photo in found.photos] == [("a.png", name)]
        assert found.notes == ()


def test_masks_without_photos(tmp_path):
    """A mask whose photo is missing is named as that, also without a suffix; it is no photo."""
    masks = ["A.MASK.JPG", "c-masklabel.png", "lost.mask.png"]
    fill(tmp_path, **dict.fromkeys([*masks, "d.mask"]), **{"b.png": None})

    captions, notes = read(tmp_path)

    assert captions == {"b.png": ""}
    assert notes["masks_orphaned"] == {"count": 3, "files": masks}
    assert notes["files_unused"] == {"count": 1, "files": ["d.mask"]}


def test_a_zip(tmp_path):
    """A zip's folder does not matter, nor do names that are not marked as UTF-8."""
    packed = tmp_path / "a.zip"
    with zipfile.ZipFile(packed, "w") as archive:
        for name, content in {"cafXX.png": picture(), "cafXX.txt": b"a cup"}.items():
            archive.writestr(f"photos\\{name}", content)
        archive.writestr("__MACOSX/photos/._a.png", b"x")
    packed.write_bytes(packed.read_bytes().replace(b"cafXX", "café".encode()))

    assert read(packed)[0] == {"café.png": "a cup"}


def test_nothing(tmp_path):
    """A folder or zip without pictures is refused, and so is what is neither."""
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr("a.txt", b"x")
    (tmp_path / "a.jpg").write_bytes(picture())
    (tmp_path / "none").mkdir()
    sources = {"a.zip": "zip_empty", "a.jpg": "folder_missing", "none": "no_photos"}

    for name, code in {**sources, "gone": "folder_missing"}.items():
        with pytest.raises(UserError) as refused:
            read(tmp_path / name)
        assert refused.value.code == code


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_large_photos_in_a_zip(tmp_path, method):
    """Photos larger than a zip's list of files may be are read whole."""
    noise = Image.frombytes("RGB", (900, 900), random.Random(0).randbytes(900 * 900 * 3))
    noise.save(tmp_path / "a.png")
    content = (tmp_path / "a.png").read_bytes()
    with zipfile.ZipFile(tmp_path / "a.zip", "w", method) as archive:
        archive.write(tmp_path / "a.png", "a.png")

    with open_set(tmp_path / "a.zip") as found:
        (photo,) = found.photos
        assert photo.file.read(photo.file.size) == content
    assert len(content) > MAX_LIST_BYTES
