"""The strip of checkpoints."""

from __future__ import annotations

import io
import os
from pathlib import Path

import pytest
from PIL import Image, ImageColor

from storage.photos.filmstrip import (
    BAR,
    GAP,
    MARK_COLOUR,
    MAX_LABEL_WIDTH,
    SIDE,
    Frame,
    draw_filmstrip,
    find_font,
    read_squares,
    wrap_label,
)


def test_rows(tmp_path: Path) -> None:
    """Pictures of any form stand in equal rows, tiny ones enlarged; the marked one has a frame."""
    Image.new("RGB", (64, 64), "#123456").save(tmp_path / "tiny.png")
    Image.new("RGBA", (300, 150), "#654321").save(tmp_path / "wide.png")
    frames = [Frame(tmp_path / "tiny.png", "Step 25", marked=True)]
    frames += [Frame(tmp_path / "wide.png", f"Step {step}") for step in range(50, 300, 50)]

    with Image.open(io.BytesIO(draw_filmstrip(frames))) as strip:
        assert strip.size == (3 * (SIDE + GAP) - GAP, 2 * (SIDE + BAR + GAP) - GAP)
        shown = strip.convert("RGB")
    middles = [shown.getpixel((SIDE // 2, y)) for y in (SIDE // 2, SIDE * 3 // 2 + BAR + GAP)]
    assert middles == [(0x12, 0x34, 0x56), (0x65, 0x43, 0x21)]
    assert shown.getpixel((1, 1)) == ImageColor.getrgb(MARK_COLOUR)


def test_labels() -> None:
    """All labels of a strip have one size: the largest in which the longest one fits."""
    short, long = Frame(Path(), "38 · 1.0"), Frame(Path(), "a long name · 1.4")

    font = find_font([short, long])
    assert find_font([short]).getlength("38 · 1.0") > font.getlength("38 · 1.0")
    assert abs(font.getlength(long.label) - MAX_LABEL_WIDTH) < 4  # letters are rounded to pixels


@pytest.mark.parametrize(
    ("label", "lines"),
    [
        ("Embedding · 42", ("Embedding · 42",)),
        ("rate 0.0015, rank 16 (usual) · 59", ("rate 0.0015,", "rank 16 (usual) · 59")),
        ("Stable Diffusion XL · 59", ("Stable Diffusion", "XL · 59")),
        ("a_name_without_any_place_to_break_it", ("a_name_without_any_place_to_break_it",)),
    ],
)
def test_long_labels(label: str, lines: tuple[str, ...]) -> None:
    """One that would be tiny takes two lines, which are no higher than the bar."""
    font = find_font([Frame(Path(), label), Frame(Path(), "38")])

    assert wrap_label(label) == lines
    assert max(font.getlength(line) for line in lines) < SIDE
    assert len(lines) * font.size * 1.2 < BAR


def test_remembered(tmp_path: Path) -> None:
    """A picture is read once for all strips, and again when it has changed."""
    path = tmp_path / "one.png"
    Image.new("RGB", (64, 64), "#123456").save(path)
    (tmp_path / "broken.png").write_bytes(b"no picture")
    read_squares([tmp_path / "broken.png", tmp_path / "missing.png", path])
    known = path.stat()
    first = draw_filmstrip([Frame(path, "a")])

    path.write_bytes(b"no picture any more")
    os.utime(path, ns=(known.st_atime_ns, known.st_mtime_ns))
    assert draw_filmstrip([Frame(path, "a")]) == first
    Image.new("RGB", (64, 64), "#654321").save(path)
    os.utime(path, ns=(known.st_atime_ns, known.st_mtime_ns + 1))
    assert draw_filmstrip([Frame(path, "a")]) != first
