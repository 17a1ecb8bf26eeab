"""The darkroom: a bad picture harms neither the bot nor the next picture."""

from __future__ import annotations

import asyncio
import os
import random
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from functools import partial
from io import BytesIO
from pathlib import Path

import psutil
import pytest
from PIL import Image, ImageChops, ImageDraw, ImageOps, ImageStat, PngImagePlugin

from storage.crops import MIDDLE, Box, FramedBy
from storage.errors import UserError
from storage.photos.sandbox import MAX_FILE_BYTES, Darkroom, explain_end
from storage.variations import Variation
from tests.fakes.memory import measure_growth

PICTURES = Path(__file__).parent / "pictures"
HEIC = (PICTURES / "located.heic").read_bytes()
Encode = Callable[..., bytes]

FACE = Path(__file__).parent / "pictures" / "face.webp"


@pytest.fixture
async def darkroom() -> AsyncIterator[Darkroom]:
    """A darkroom with one child."""
    async with Darkroom(children=1) as opened:
        yield opened


@pytest.fixture
def good(encode: Encode) -> bytes:
    """A file that is accepted."""
    return encode(scene(), "JPEG")


def scene(size: tuple[int, int] = (300, 200)) -> Image.Image:
    """Draw a picture with edges."""
    picture = Image.new("RGB", size, "white")
    draw = ImageDraw.Draw(picture)
    for at in range(0, size[0], 20):
        draw.ellipse((at, 10, at + 15, size[1] - 10), fill=(at % 256, 80, 200))
    return picture


def child(darkroom: Darkroom) -> int:
    """Return the process id of the idle child."""
    process = darkroom._idle[0]._process
    assert process is not None
    return process.pid


async def refusal(darkroom: Darkroom, content: bytes) -> str:
    """Return the code of a refused picture."""
    with pytest.raises(UserError) as caught:
        await darkroom.check(content)
    return caught.value.code


async def test_good(darkroom: Darkroom, good: bytes) -> None:
    """A picture is returned as pixels and a preview."""
    checked = await darkroom.check(good)
    with Image.open(BytesIO(checked.pixels), formats=("PNG",)) as picture:
        measures, mode = picture.size, picture.mode

    assert (measures, mode) == ((300, 200), "RGB")
    assert (checked.width, checked.height, checked.warnings) == (300, 200, ("tiny",))
    assert len(checked.digest) == 64
    assert checked.preview.startswith(b"RIFF")


async def test_heic(darkroom: Darkroom) -> None:
    """A HEIC is accepted; its metadata is dropped."""
    checked = await darkroom.check(HEIC)

    assert b"Secretphone" in HEIC
    assert (checked.width, checked.height) == (96, 64)
    assert b"Secretphone" not in checked.pixels + checked.preview


async def test_bad(darkroom: Darkroom, encode: Encode, good: bytes) -> None:
    """Each bad file is refused with a reason, by one and the same child."""
    png, webp = encode(scene(), "PNG"), encode(scene(), "WEBP")
    noise = random.Random(1).randbytes(2000)
    bomb = PngImagePlugin.PngInfo()
    bomb.add_text("bomb", "x" * (100 << 20), zip=True)
    cases = [
        (b"", "photo_empty"),
        (b"hello", "photo_unknown"),
        (noise, "photo_unknown"),
        (encode(scene(), "GIF"), "photo_unknown"),
        (encode(scene(), "TIFF"), "photo_unknown"),
        (b"\xff\xd8\xff\xe0" + bytes(MAX_FILE_BYTES), "photo_heavy"),
        (good[:-500], "photo_damaged"),
        (good[:100], "photo_damaged"),
        (png[: len(png) // 2], "photo_damaged"),
        (png[:20], "photo_damaged"),
        (webp[: len(webp) // 2], "photo_damaged"),
        (webp[:30], "photo_damaged"),
        (HEIC[:-300], "photo_damaged"),
        (HEIC[:40], "photo_damaged"),
        (b"\xff\xd8\xff" + noise, "photo_damaged"),
        (b"\x89PNG\r\n\x1a\n" + noise, "photo_damaged"),
        (encode(Image.new("1", (13000, 13000)), "PNG"), "photo_big"),
        (encode(Image.new("1", (20000, 20000)), "PNG"), "photo_big"),
        (encode(Image.new("RGB", (1, 1)), "PNG"), "photo_small"),
        (encode(scene(), "PNG", pnginfo=bomb), "photo_memory"),
        (good.replace(b"\xff\xc0\0\x11\x08", b"\xff\xc0\0\x11\x0c"), "photo_codec"),
    ]
    await darkroom.check(good)
    before = child(darkroom)

    codes = [await refusal(darkroom, content) for content, _ in cases]
    await darkroom.check(good)

    assert codes == [reason for _, reason in cases]
    assert child(darkroom) == before


async def test_random_changes(darkroom: Darkroom, encode: Encode, good: bytes) -> None:
    """Files with random changes are accepted or refused; nothing else is raised."""
    rng = random.Random(7)
    codes = set()
    originals = [good, encode(scene(), "PNG"), encode(scene(), "WEBP"), HEIC]
    for at in range(120):
        content = bytearray(originals[at % 4])
        for _ in range(rng.randrange(1, 8)):
            content[rng.randrange(len(content))] = rng.randrange(256)
        try:
            await darkroom.check(bytes(content))
        except UserError as refused:
            codes.add(refused.code)

    assert all(code.startswith("photo_") for code in codes)
    assert (await darkroom.check(good)).width == 300


def check_once(content: bytes) -> tuple[int, int]:
    """Return the size of a file's picture."""

    async def ask() -> tuple[int, int]:
        async with Darkroom(children=1) as darkroom:
            checked = await darkroom.check(content)
            return checked.width, checked.height

    return asyncio.run(ask())


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_large(encode: Encode, kind: str) -> None:
    """12 megapixels fit into the child's memory, and the bot's memory hardly grows."""
    options = {"compress_level": 1} if kind == "PNG" else {"method": 0} if kind == "WEBP" else {}
    content = encode(scene((4000, 3000)), kind, **options)

    size, growth = measure_growth(check_once, content)

    assert size == ((1500, 1125) if kind == "JPEG" else (1536, 1152))
    assert growth < 50 << 20


def check_all(files: list[bytes]) -> list[tuple[int, int]]:
    """Return the sizes of the pictures in some files."""
    return [check_once(content) for content in files]


@pytest.mark.slow(6)
def test_huge(encode: Encode) -> None:
    """A phone's largest photos fit into the child's memory, and the bot's hardly grows.

    HEIC and AVIF have 48 megapixels here, PNG has 64 and JPEG 200.
    """
    draw = partial(Image.new, "RGB", color="grey")
    grey = Image.new("L", (8064, 6048), 90)
    files = [
        Path(__file__).with_name("pictures").joinpath("48-megapixels.heic").read_bytes(),
        encode(grey, "AVIF", speed=10, quality=30, subsampling="4:0:0"),
        encode(draw((9280, 6944)), "PNG", compress_level=1),
        encode(draw((16000, 12500)), "JPEG"),
    ]

    sizes, growth = measure_growth(check_all, files)

    assert sizes == [(1536, 1152), (1536, 1152), (1536, 1149), (1536, 1200)]
    assert growth < 50 << 20


async def test_limits(darkroom: Darkroom, good: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    """The child has little memory and CPU time, cannot write files, and has no secrets."""
    monkeypatch.setenv("DISCORD_TOKEN", "canary")
    await darkroom.check(good)
    pid = child(darkroom)
    environment = await asyncio.to_thread(Path(f"/proc/{pid}/environ").read_bytes)

    limits = await asyncio.to_thread(Path(f"/proc/{pid}/limits").read_text)
    lines = {line[:25].strip(): line[26:].split()[:2] for line in limits.splitlines()}

    assert lines["Max address space"] == [str(1 << 30)] * 2
    assert lines["Max file size"] == lines["Max open files"] == ["0", "0"]
    assert int(lines["Max cpu time"][0]) < 60
    assert b"canary" not in environment


@pytest.mark.parametrize(
    ("death", "expected"),
    [
        (signal.SIGSEGV, "photo_crashed"),
        (signal.SIGABRT, "photo_crashed"),
        (signal.SIGXCPU, "photo_slow"),
        (signal.SIGKILL, "photo_memory"),
    ],
)
async def test_crashed(darkroom: Darkroom, good: bytes, death: int, expected: str) -> None:
    """A picture that crashes the decoder is told as that; the next one gets a new child."""
    await darkroom.check(good)
    pid = child(darkroom)
    os.kill(pid, signal.SIGSTOP)
    waiting = asyncio.create_task(refusal(darkroom, good))
    await asyncio.sleep(0.05)
    for number in (death, signal.SIGCONT):
        os.kill(pid, number)

    assert await waiting == expected
    assert (await darkroom.check(good)).width == 300


async def test_crashing_heic(darkroom: Darkroom, good: bytes) -> None:
    """A HEIC found by the fuzz, which crashes libheif 1.23, is told as crashing."""
    await darkroom.check(good)

    assert await refusal(darkroom, HEIC.replace(b"Exif", b"Exi\x80", 1)) == "photo_crashed"
    assert (await darkroom.check(good)).width == 300


def test_blames_no_picture() -> None:
    """A child that ends by itself, as one that cannot start, is our fault and no picture's."""
    assert isinstance(explain_end(1), RuntimeError)


async def test_slow(darkroom: Darkroom, good: bytes) -> None:
    """A child that takes too long is killed and replaced; the picture is refused."""
    await darkroom.check(good)
    pid = child(darkroom)
    darkroom._idle[0]._seconds = 0.2
    os.kill(pid, signal.SIGSTOP)

    code = await refusal(darkroom, good)
    checked = await darkroom.check(good)

    assert code == "photo_slow"
    assert checked.width == 300
    assert not psutil.pid_exists(pid)


def test_memory(encode: Encode) -> None:
    """A picture that needs too much memory ends the child, which says so."""
    content = encode(scene((4000, 3000)), "PNG", compress_level=1)
    code = "from storage.photos import child; child.MAX_MEMORY_BYTES = 100 << 20; child.main()"
    ended = subprocess.run(
        [sys.executable, "-c", code],
        input=len(content).to_bytes(8, "big") + content,
        capture_output=True,
        check=False,
    )

    error = explain_end(ended.returncode)

    assert isinstance(error, UserError)
    assert error.code == "photo_memory"


async def test_died(darkroom: Darkroom, good: bytes) -> None:
    """A child that died while idle is replaced."""
    await darkroom.check(good)
    dead = psutil.Process(child(darkroom))
    dead.kill()
    while dead.status() != psutil.STATUS_ZOMBIE:
        await asyncio.sleep(0.01)

    assert (await darkroom.check(good)).width == 300


async def test_cancelled(darkroom: Darkroom, good: bytes) -> None:
    """A cancelled check does not leave its answer to the next picture."""
    await darkroom.check(good)
    pid = child(darkroom)
    os.kill(pid, signal.SIGSTOP)
    waiting = asyncio.create_task(darkroom.check(good))
    await asyncio.sleep(0.05)

    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    checked = await darkroom.check(good)

    assert checked.width == 300
    assert child(darkroom) != pid


async def test_pool(good: bytes) -> None:
    """Two children work at a time, and none is left at the end."""
    async with Darkroom() as darkroom:
        await asyncio.gather(*(darkroom.check(good) for _ in range(6)))
        children = len(darkroom._idle)

    assert children == 2
    assert not [p for p in psutil.Process().children() if "storage.photos.child" in p.cmdline()]


async def test_tile(darkroom: Darkroom, good: bytes) -> None:
    """A preview becomes a numbered square, dark where it is cut; damaged ones are refused."""
    preview = (await darkroom.check(good)).preview

    whole, cut = [await darkroom.draw_tile(preview, 7, Box(left, 0, 1, 1)) for left in (0.0, 0.5)]

    pictures = [Image.open(BytesIO(each)).convert("RGBA") for each in (whole, cut)]
    assert {picture.size for picture in pictures} == {(300, 300)}
    assert {picture.getpixel((150, 290))[3] for picture in pictures} == {0}
    left, right = ((60, 60, 140, 240), (160, 60, 290, 240))
    dark, light = (ImageStat.Stat(pictures[1].crop(box)).mean[0] for box in (left, right))
    before = [ImageStat.Stat(pictures[0].crop(box)).mean[0] for box in (left, right)]
    assert dark < before[0] / 2
    assert light == pytest.approx(before[1], abs=6)
    with pytest.raises(UserError, match="photo_damaged"):
        await darkroom.draw_tile(preview[:-99], 1, Box(0, 0, 1, 1))
    assert (await darkroom.check(good)).preview == preview


async def test_strip(darkroom: Darkroom, good: bytes) -> None:
    """Variations of a preview are drawn side by side, each with the size that was asked."""
    preview = (await darkroom.check(good)).preview

    strip = await darkroom.draw_strip(preview, (60, 40), MIDDLE, [None, Variation(mirrored=True)])

    picture = Image.open(BytesIO(strip)).convert("RGBA")
    assert picture.size == (124, 40)
    left, right = picture.crop((0, 0, 60, 40)), ImageOps.mirror(picture.crop((64, 0, 124, 40)))
    apart = ImageChops.difference(left.convert("L"), right.convert("L"))
    assert ImageStat.Stat(apart).mean[0] < 6


async def test_framing(good: bytes) -> None:
    """A stored preview is framed as its photo was; faces are looked for in the closed child."""
    face = FACE.read_bytes()
    async with Darkroom(children=1, faces=True) as darkroom:
        checked = await darkroom.check(good)
        framings = [await darkroom.find_framing(each) for each in (checked.preview, face)]

    assert framings[0].x == pytest.approx(checked.framing.x, abs=0.1)  # a preview is not exact
    assert [each.by for each in framings] == [FramedBy.CONTRAST, FramedBy.FACE]
