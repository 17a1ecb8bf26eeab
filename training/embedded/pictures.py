"""Stage `pictures`: draw every usable emoji of six styles as 64-pixel RGBA."""

# ruff: noqa: T201  # a stage prints what it measured

from __future__ import annotations

import io
import json
import re
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from PIL import Image
from resvg_py import svg_to_bytes

from training.embedded.names import (
    BASE_STYLES,
    CATEGORIES,
    EVERYDAY,
    HELD_OUT_STYLES,
    HELD_OUT_SUBJECTS,
    usable,
)

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SIDE = 64
DRAWN = 256  # drawn large, then reduced: smoother edges than drawing small


def run(work: Path, npm: Path) -> None:
    """Draw all styles into `pictures.pt`."""
    names, styles, frames = [], [], []
    for style, package in (BASE_STYLES | HELD_OUT_STYLES).items():
        for name, picture in sorted(drawings(npm, package)):
            names.append(name)
            styles.append(style)
            frames.append(np.asarray(picture))
        print(f"{style}: {styles.count(style)} pictures")
    pixels = torch.from_numpy(np.stack(frames)).permute(0, 3, 1, 2).contiguous()
    torch.save({"names": names, "styles": styles, "rgba": pixels}, work / "pictures.pt")
    complete(names, styles)


def complete(names: list[str], styles: list[str]) -> None:
    """Refuse to go on when a name the base needs is not drawn in every base style."""
    drawn = set(zip(names, styles, strict=True))
    wanted = (*EVERYDAY, *HELD_OUT_SUBJECTS)
    missing = [(n, s) for n in wanted for s in BASE_STYLES if (n, s) not in drawn]
    if missing:
        raise ValueError(f"These pictures are missing: {missing}")
    print(f"{len(EVERYDAY)} everyday names, {len(HELD_OUT_SUBJECTS)} held out, {len(names)} all")


def drawings(npm: Path, package: str) -> Iterator[tuple[str, Image.Image]]:
    """Yield the name and the picture of every usable emoji of one package."""
    known = categories(npm, "noto")
    if package.startswith("@"):
        yield from rendered(npm, package, known)
        return
    icons = read(npm, package, "icons.json")
    named = {flat(name): name for name in known}
    allowed = categories(npm, package)
    for name in icons["icons"]:
        common = name if name in known else named.get(flat(name), name)
        if usable(common) and (common in known or (package == "fxemoji" and name in allowed)):
            yield common, vector(icons, name)


def rendered(npm: Path, package: str, known: set[str]) -> Iterator[tuple[str, Image.Image]]:
    """Yield the ready-made renders, which are named by code points."""
    points: dict[str, str] = {}
    for point, name in read(npm, "noto", "chars.json").items():
        if name in known and usable(name):
            points.setdefault(plain(point), name)
    seen = set()
    for path in sorted((npm / package / "assets").glob("*.webp")):
        name = points.get(plain(path.stem))
        if name and name not in seen:
            seen.add(name)
            with Image.open(path) as picture:
                yield name, reduced(picture)


def categories(npm: Path, package: str) -> set[str]:
    """Collect the names of the categories that hold things."""
    found = read(npm, package, "metadata.json").get("categories", {})
    return {name for category, names in found.items() if category in CATEGORIES for name in names}


def read(npm: Path, package: str, file: str) -> dict[str, Any]:
    """Read one JSON file of an icon package."""
    path = npm / "@iconify-json" / package / file
    content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return content


def vector(icons: dict[str, Any], name: str) -> Image.Image:
    """Draw one SVG body."""
    icon = icons["icons"][name]
    width, height = icon.get("width", icons["width"]), icon.get("height", icons["height"])
    left, top = icon.get("left", 0), icon.get("top", 0)
    svg = (
        f'<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" '
        f'viewBox="{left} {top} {width} {height}" width="{DRAWN}" height="{DRAWN}">'
        f"{icon['body']}</svg>"
    )
    with Image.open(io.BytesIO(bytes(svg_to_bytes(svg_string=svg)))) as picture:
        return reduced(picture)


def reduced(picture: Image.Image) -> Image.Image:
    """Reduce to 64 pixels without dark fringes at transparent edges."""
    small = picture.convert("RGBa").resize((SIDE, SIDE), Image.Resampling.BOX, reducing_gap=None)
    return small.convert("RGBA")


def flat(name: str) -> str:
    """Drop everything but letters and digits, for the set that writes names without hyphens."""
    return re.sub("[^a-z0-9]", "", name)


def plain(point: str) -> str:
    """Drop the emoji-presentation selector from a code point sequence."""
    return "-".join(part for part in point.split("-") if part != "fe0f")
