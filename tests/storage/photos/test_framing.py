"""What is to be kept of a photo is found."""

from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image, ImageDraw, ImageFilter

from storage.crops import FramedBy, crop_at
from storage.photos.faces import FaceDetector
from storage.photos.framing import find_framing, find_window

#: a part of NASA's portrait of Eileen Collins, in the public domain (scikit-image's astronaut)
FACE = Path(__file__).parent / "pictures" / "face.webp"


def field(size: tuple[int, int]) -> Image.Image:
    """Return a busy ground: noise in greens."""
    noise = Image.effect_noise(size, 90).filter(ImageFilter.GaussianBlur(1))
    return Image.merge("RGB", [noise.point(lambda v, k=k: v * k // 255) for k in (90, 200, 70)])


@pytest.mark.parametrize("at", [0.1, 0.5, 0.9])
@pytest.mark.parametrize("turned", [False, True])
def test_a_smooth_thing_on_busy_ground_is_kept(at: float, *, turned: bool) -> None:
    """Not the detail of the ground is kept but what differs from it, wherever it is."""
    picture = field((900, 300))
    middle = at * 900
    ImageDraw.Draw(picture).ellipse((middle - 80, 70, middle + 80, 230), fill=(230, 120, 40))
    if turned:
        picture = picture.transpose(Image.Transpose.ROTATE_270)

    framing = find_framing(picture, None)

    box = crop_at(picture.size, 64, framing)
    first, last = (box.top, box.bottom) if turned else (box.left, box.right)
    assert first <= max(0, at - 80 / 900) + 0.01
    assert last >= min(1, at + 80 / 900) - 0.01
    assert framing.by is FramedBy.CONTRAST


def test_of_equal_windows_the_middle_one() -> None:
    """Where all is the same, and where there is one pixel, the middle is kept."""
    assert find_window([3] * 48, 1 / 3) == 0.5
    assert find_window([0] * 9, 1) == 0.5
    assert find_framing(Image.new("RGB", (400, 16), "red"), None).x == pytest.approx(0.5, abs=0.01)


def test_a_face_goes_first() -> None:
    """A face is kept, though something else stands out more; where none is, none is seen."""
    detector = FaceDetector.load()
    assert detector is not None
    face = Image.open(FACE).convert("RGB")
    picture = Image.new("RGB", (900, 300), (120, 130, 140))
    picture.paste(face.resize((220, 220)), (660, 40))
    ImageDraw.Draw(picture).rectangle((60, 40, 280, 260), fill=(255, 30, 0))

    seen, unseen = find_framing(picture, detector), find_framing(picture, None)

    (box,) = detector.find_faces(picture)
    assert 0.7 < box.left < box.right < 1
    kept = crop_at(picture.size, 64, seen)
    assert kept.left <= box.left
    assert kept.right >= box.right
    assert (seen.by, unseen.by) == (FramedBy.FACE, FramedBy.CONTRAST)
    assert crop_at(picture.size, 64, unseen).right < 0.5
    assert not detector.find_faces(field((600, 400)))


@pytest.mark.parametrize(("side", "found"), [(220, 1), (110, 1), (30, 0)])
def test_small_faces_are_found(side: int, found: int) -> None:
    """A face of a sixteenth of a photo is found where it is; one of a sixtieth is not."""
    detector = FaceDetector.load()
    assert detector is not None
    face = Image.open(FACE).convert("RGB").resize((side, side))
    picture = field((900, 600))
    picture.paste(face, (620, 330))

    boxes = detector.find_faces(picture)

    assert len(boxes) == found
    for box in boxes:
        across, down = (box.left + box.right) * 450, (box.top + box.bottom) * 300
        assert across == pytest.approx(620 + side / 2, abs=side / 4)
        assert down == pytest.approx(330 + side / 2, abs=side / 4)
