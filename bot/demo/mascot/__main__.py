"""Draw the PNG files anew from the SVG files: `python -m bot.demo.mascot`."""

from __future__ import annotations

import io
from pathlib import Path

import resvg_py
from PIL import Image

from bot.demo.mascot import FOLDER

SIDE = 512


def draw(svg: Path) -> bytes:
    """Rasterise one picture; 256 colours keep it under 30 KB."""
    pixels = bytes(resvg_py.svg_to_bytes(svg_path=str(svg), width=SIDE, height=SIDE))
    with Image.open(io.BytesIO(pixels)) as picture:
        small = picture.convert("RGB").quantize(256, dither=Image.Dither.NONE)
    packed = io.BytesIO()
    small.save(packed, "PNG", optimize=True)
    return packed.getvalue()


def main() -> None:
    """Write each PNG beside its SVG."""
    for svg in sorted(FOLDER.glob("*.svg")):
        svg.with_suffix(".png").write_bytes(draw(svg))


if __name__ == "__main__":
    main()
