"""Stage `pictures`: render every usable emoji of six styles as 64-pixel RGBA."""

# ruff: noqa: T201  # a stage prints what it measured

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import numpy as np
import torch
from PIL import Image
from resvg_py import svg_to_bytes

from training.pretraining.names import BASE_STYLES, EVERYDAY, HELD_OUT_STYLES, HELD_OUT_SUBJECTS
from training.pretraining.sources import read_checked
from training.pretraining.tokenizers import save_prompt_tokenizer

if TYPE_CHECKING:
    from pathlib import Path

SIDE = 64


def run(work: Path, npm: Path) -> None:
    """Render all styles into `pictures.pt`: names, styles and pixels (N, 4, 64, 64)."""
    names, styles, frames = [], [], []
    for style, package in (BASE_STYLES | HELD_OUT_STYLES).items():
        found = read_checked(npm, style, package)
        for name, source in found:
            names.append(name)
            styles.append(style)
            frames.append(np.asarray(render(source)))
        print(f"{style}: {len(found)} pictures")
    pixels = torch.from_numpy(np.stack(frames)).permute(0, 3, 1, 2).contiguous()
    torch.save({"names": names, "styles": styles, "rgba": pixels}, work / "pictures.pt")
    check_complete(names, styles)
    save_prompt_tokenizer(work, sorted(set(names)))


def check_complete(names: list[str], styles: list[str]) -> None:
    """Raise ValueError if a name that the base needs is missing in a base style."""
    existing = set(zip(names, styles, strict=True))
    required = (*EVERYDAY, *HELD_OUT_SUBJECTS)
    missing = [(n, s) for n in required for s in BASE_STYLES if (n, s) not in existing]
    if missing:
        raise ValueError(f"These pictures are missing: {missing}")
    print(f"{len(EVERYDAY)} everyday names, {len(HELD_OUT_SUBJECTS)} held out, {len(names)} all")


def render(source: bytes, side: int = SIDE) -> Image.Image:
    """Render an SVG or open a WebP, and reduce it to `side` pixels."""
    if source.startswith(b"<svg"):
        source = bytes(svg_to_bytes(svg_string=source.decode()))
    with Image.open(io.BytesIO(source)) as picture:
        return downscale(picture, side)


def downscale(picture: Image.Image, side: int) -> Image.Image:
    """Reduce to `side` pixels, without dark fringes at transparent edges."""
    small = picture.convert("RGBa").resize((side, side), Image.Resampling.BOX, reducing_gap=None)
    return small.convert("RGBA")
