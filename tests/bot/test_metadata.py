"""What a camera writes into a photo reaches no disk, by whichever way the photo comes."""

from __future__ import annotations

import asyncio
import io
import zipfile
from contextlib import ExitStack
from pathlib import Path

import pytest
from PIL import Image, PngImagePlugin

from bot import wording
from storage.folders import JobFolder
from tests.bot.upload.conftest import serving
from tests.fakes.discord import draw_photo
from training.cli.photos import list_photos, read_photos

WORDS = (
    b"Sunny Camera Works",
    b"Unter den Linden 1",
    b"2026:11:30 07:08:09",
    b"secret-xmp",
    b"secret-text",
)
GPS, DATE, MAKER = 0x8825, 0x9003, 0x010F
KINDS = ("JPEG", "PNG", "WEBP")


def make_photo(seed: int, kind: str) -> bytes:
    """Return a photo with maker, date, place and an XMP packet, which stand in it in the clear."""
    picture, file = Image.open(io.BytesIO(draw_photo(seed))), io.BytesIO()
    exif = picture.getexif()
    exif[MAKER] = WORDS[0].decode()
    exif.get_ifd(GPS).update({1: "N", 2: (52.0, 30.0, 58.7), 28: b"ASCII\0\0\0" + WORDS[1]})
    exif.get_ifd(0x8769)[DATE] = WORDS[2].decode()
    more = {"xmp": b"<x:xmpmeta>" + WORDS[3] + b"</x:xmpmeta>"} if kind != "PNG" else {}
    if kind == "PNG":
        more["pnginfo"] = info = PngImagePlugin.PngInfo()
        info.add_text("Comment", WORDS[4].decode())
        info.add_itxt("XML:com.adobe.xmp", WORDS[3].decode())
    elif kind == "JPEG":
        more["comment"] = WORDS[4]
    picture.save(file, kind, exif=exif, **more)
    content = file.getvalue()
    assert sum(word in content for word in WORDS) >= 4
    return content


def make_zip(*seeds: int) -> bytes:
    """Return a zip, not compressed, of photos of all kinds."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for seed, kind in zip(seeds, KINDS, strict=True):
            archive.writestr(f"{seed}.{kind.lower()}", make_photo(seed, kind))
    return packed.getvalue()


def search(folder: Path) -> set[str]:
    """Return the files in a folder that have one of the words."""
    files = [path for path in folder.rglob("*") if path.is_file()]
    return {path.name for path in files if any(word in path.read_bytes() for word in WORDS)}


@pytest.fixture
def named():
    """Return photos with their names."""
    return [(f"{seed}.{kind.lower()}", make_photo(seed, kind)) for seed, kind in enumerate(KINDS)]


async def test_discord(collecting_kit, named):
    """Attachments, the form, a zip, collected messages and the menu keep pixels alone."""
    kit, alice = collecting_kit, collecting_kit.add_member("alice")
    dataset = await kit.add_dataset(alice)

    await kit.send_photos(alice, named)
    options = {f"photo{at}": file for at, file in enumerate(named[:2], 1)}
    await alice.slash(kit.channel, "dataset add", name="my dog", **options)
    await kit.send_photos(alice, [("photos.zip", make_zip(10, 11, 12))])
    await alice.slash(kit.channel, "dataset collect", name="my dog")
    collected = [("m.jpg", make_photo(20, "JPEG"))]
    message = await alice.send(kit.channel, "look", attachments=collected)
    await alice.context_menu(kit.channel, wording.dataset.MENU_ADD, message)

    assert len(await kit.store.photos.list_for(dataset.id, alice.id)) == 7
    assert search(kit.home) == set()


async def test_page(tmp_path, named):
    """The page's photos and zips keep pixels alone."""
    async with serving(tmp_path / "home") as site:
        dataset = await site.add_dataset(site.add_member("alice"))
        visit = await site.visit(dataset)

        added = [await visit.put(content) for _, content in named]
        await visit.put(make_zip(10, 11, 12), "zips")
        async with asyncio.timeout(20):
            while len(await visit.photos()) < 6:
                await asyncio.sleep(0.05)

        assert [status for status, _ in added] == [200] * 3
        assert search(site.home) == set()


def test_shell(tmp_path, named):
    """What the shell copies out of a folder or zip has pixels alone."""
    folder, job = tmp_path / "photos", JobFolder(tmp_path / "job")
    folder.mkdir()
    for name, content in named:
        (folder / name).write_bytes(content)
    (tmp_path / "a.zip").write_bytes(make_zip(10, 11, 12))
    with ExitStack() as stack:
        for source in (folder, tmp_path / "a.zip"):
            read_photos(list_photos(source, stack), job, len([*job.photos.glob("*")]))

    assert len([*job.photos.iterdir()]) == 6
    assert search(job.path) == set()
