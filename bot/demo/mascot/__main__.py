"""Draw the PNG files, and all ten on one sheet, anew from the SVG: `python -m bot.demo.mascot`."""

from __future__ import annotations

import io
from pathlib import Path

import resvg_py
from PIL import Image

from bot.demo.mascot import FOLDER, SHEET, picture_files

SIDE = 512
SMALL, GAP, ROW = 240, 8, 5  #: of the sheet: pixels of a picture, between two; pictures a row


def draw(svg: Path) -> bytes:
    """Rasterise one picture; 256 colours keep it under 30 KB."""
    pixels = bytes(resvg_py.svg_to_bytes(svg_path=str(svg), width=SIDE, height=SIDE))
    with Image.open(io.BytesIO(pixels)) as picture:
        small = picture.convert("RGB").quantize(256, dither=Image.Dither.NONE)
    packed = io.BytesIO()
    small.save(packed, "PNG", optimize=True)
    return packed.getvalue()


def sheet() -> Image.Image:
    """Lay all ten out as one picture."""
    step, shots = SMALL + GAP, picture_files()
    rows = -(-len(shots) // ROW)
    whole = Image.new("RGBA", (ROW * step - GAP, rows * step - GAP))
    for number, path in enumerate(shots):
        with Image.open(path) as picture:
            small = picture.convert("RGB").resize((SMALL, SMALL), Image.Resampling.LANCZOS)
        whole.paste(small, (number % ROW * step, number // ROW * step))
    return whole


def main() -> None:
    """Write each PNG beside its SVG, and the sheet."""
    for svg in sorted(FOLDER.glob("*.svg")):
        svg.with_suffix(".png").write_bytes(draw(svg))
    sheet().save(SHEET, quality=85)


if __name__ == "__main__":
    main()
