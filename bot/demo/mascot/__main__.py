"""Draw the PNG files, and all ten on one sheet, anew: `python -m bot.demo.mascot`."""

from __future__ import annotations

import io

import resvg_py
from PIL import Image

from bot.demo.mascot import FOLDER, SHEET, TRAINED, on_ground
from bot.demo.mascot.poses import POSES, SIDE

SMALL, GAP, ROW = 240, 8, 5  #: of the sheet: pixels of a picture, between two; pictures a row


def draw(svg: str) -> bytes:
    """Rasterise one picture, transparent around the mascot."""
    pixels = bytes(resvg_py.svg_to_bytes(svg_string=svg, width=SIDE, height=SIDE))
    packed = io.BytesIO()
    with Image.open(io.BytesIO(pixels)) as picture:
        picture.save(packed, "PNG", optimize=True)
    return packed.getvalue()


def sheet() -> Image.Image:
    """Lay all ten out as one picture, each on its ground."""
    step, rows = SMALL + GAP, -(-len(TRAINED) // ROW)
    whole = Image.new("RGBA", (ROW * step - GAP, rows * step - GAP))
    for number, name in enumerate(TRAINED):
        small = on_ground(name).resize((SMALL, SMALL), Image.Resampling.LANCZOS)
        whole.paste(small, (number % ROW * step, number // ROW * step))
    return whole


def main() -> None:
    """Write each PNG, and the sheet."""
    for name, svg in POSES.items():
        (FOLDER / f"{name}.png").write_bytes(draw(svg))
    sheet().save(SHEET, quality=85)


if __name__ == "__main__":
    main()
