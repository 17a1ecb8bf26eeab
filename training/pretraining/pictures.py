"""Stage `pictures`: render every usable emoji of six styles as 64-pixel RGBA.

Further styles show known names only: the captioner learns from them what a thing looks like.
"""

# ruff: noqa: T201  # a stage prints what it measured

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from PIL import Image
from resvg_py import svg_to_bytes

from training.pretraining.names import (
    BASE_STYLES,
    EVERYDAY,
    HELD_OUT_STYLES,
    HELD_OUT_SUBJECTS,
    KNOWN_NAMES,
    MORE_STYLES,
)
from training.pretraining.sources import read_checked
from training.pretraining.tokenizers import save_prompt_tokenizer

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from pathlib import Path

SIDE = 64


def run(work: Path, npm: Path) -> None:
    """Render the styles into `pictures.pt`, and more pictures of known names into `more.pt`.

    Each has names, styles and pixels (N, 4, 64, 64).
    """
    pictures = render_styles(npm, BASE_STYLES | HELD_OUT_STYLES)
    names, styles = pictures["names"], pictures["styles"]
    torch.save(pictures, work / "pictures.pt")
    torch.save(render_styles(npm, MORE_STYLES, KNOWN_NAMES), work / "more.pt")
    check_complete(names, styles)
    save_prompt_tokenizer(work, sorted(set(names)))


def render_styles(
    npm: Path, packages: Mapping[str, str], wanted: Collection[str] = ()
) -> dict[str, Any]:
    """Return the pictures of styles, by style and package; with names wanted, only those."""
    names, styles, frames = [], [], []
    for style, package in packages.items():
        found = read_checked(npm, style, package)
        kept = [(name, source) for name, source in found if not wanted or name in wanted]
        for name, source in kept:
            names.append(name)
            styles.append(style)
            frames.append(np.asarray(render(source)))
        print(f"{style}: {len(kept)} pictures")
    pixels = torch.from_numpy(np.stack(frames)).permute(0, 3, 1, 2).contiguous()
    return {"names": names, "styles": styles, "rgba": pixels}


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
