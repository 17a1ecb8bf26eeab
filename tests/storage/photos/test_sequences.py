"""Files with several pictures: which of them is the photo."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image

from benchmarks.hostile.boxes import join_frames, join_stills, relate_stills
from storage.photos.pixels import check_picture
from tests.storage.photos.scenes import draw_scene
from tests.storage.photos.stored import decode, has_colour

PICTURES = Path(__file__).parent / "pictures"
Encode = Callable[..., bytes]


@pytest.mark.parametrize("kind", ["PNG", "WEBP", "AVIF"])
def test_animated(encode: Encode, kind: str) -> None:
    """An animated picture gives its first frame, with a warning."""
    colours = ("red", "lime", "blue")
    frames = [Image.new("RGB", (300, 280), colour) for colour in colours]

    moving = check_picture(encode(frames[0], kind, save_all=True, append_images=frames[1:]))

    assert "animated" in moving.warnings
    assert has_colour(decode(moving), (9, 9), (255, 0, 0))
    assert "animated" not in check_picture(encode(frames[0], kind)).warnings


def test_animated_heic() -> None:
    """A HEIC sequence gives its first frame, or its cover if it has stills, too."""
    stills = (PICTURES / "two.heic").read_bytes()

    for content in (join_frames(stills, 2, 64), stills.replace(b"ftypheic", b"ftypmsf1")):
        checked = check_picture(content)
        assert "animated" in checked.warnings
        assert has_colour(decode(checked), (9, 9), (254, 0, 0))
    assert "animated" not in check_picture(stills).warnings


def test_heic_with_alpha() -> None:
    """A HEIC's second still is its alpha if it says so, and no photo."""
    content = relate_stills((PICTURES / "two.heic").read_bytes(), alpha=True)

    picture = decode(check_picture(content))

    assert (picture.mode, picture.getchannel("A").getextrema()) == ("RGBA", (29, 29))
    assert has_colour(picture.convert("RGB"), (9, 9), (255, 226, 226))


def test_spatial_heic() -> None:
    """Of a photo for two eyes the primary one is taken; it is not animated."""
    checked = check_picture(relate_stills((PICTURES / "two.heic").read_bytes(), alpha=False))

    assert has_colour(decode(checked), (9, 9), (254, 0, 0))
    assert "animated" not in checked.warnings


def test_multi_picture_jpeg(encode: Encode) -> None:
    """A JPEG with a second picture inside (a depth map, a preview) is accepted."""
    content = encode(draw_scene(1), "MPO", save_all=True, append_images=[draw_scene(2)])

    assert check_picture(content).digest == check_picture(encode(draw_scene(1), "JPEG")).digest


@pytest.mark.parametrize(("primary", "colour"), [(1, (254, 0, 0)), (2, (0, 0, 254))])
def test_primary_heic(primary: int, colour: tuple[int, int, int]) -> None:
    """A HEIC with several stills gives the one that it says to show."""
    content = bytearray((PICTURES / "two.heic").read_bytes())
    content[content.index(b"pitm") + 9] = primary

    assert has_colour(decode(check_picture(bytes(content))), (9, 9), colour)


@pytest.mark.parametrize(("primary", "size"), [(1, (60, 40)), (2, (80, 48))])
def test_primary_avif(encode: Encode, primary: int, size: tuple[int, int]) -> None:
    """An AVIF with several stills gives the one that it says to show, and is not animated."""
    stills = [Image.new("RGB", (60, 40), "red"), Image.new("RGB", (80, 48), "blue")]
    content = join_stills(*(encode(still, "AVIF") for still in stills), primary=primary)
    colour = ((254, 0, 0), (0, 0, 254))[primary - 1]

    assert decode(check_picture(content)).size == size
    assert has_colour(decode(check_picture(content)), (9, 9), colour)
    assert "animated" not in check_picture(content).warnings
