"""Stage `photos`: cut squares from the photographs that two Python packages ship.

The autoencoder learns from them that not everything is flat. `pip install --no-deps
mvtb-data==1.6.1 scikit-image==0.26.0` installs both; nothing else of them is used.
"""

# ruff: noqa: T201  # a stage prints what it measured

from __future__ import annotations

import random
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import torch
from PIL import Image

SIDE = 64
SQUARES = 8000
LARGEST_SIDE = 1200  #: pixels to which photographs are shrunk first
SMALLEST_CUT = 0.35  #: the least square, as a power of how many times `SIDE` fits into a photo
SUFFIXES = {".png", ".jpg", ".jpeg"}
#: the photographs of scikit-image, public domain or CC0; all of mvtb-data's (MIT) but a portrait
#: whose licence is not known
SKIMAGE = ("astronaut", "chelsea", "coffee", "rocket")
LEFT_OUT = "lena"


def run(work: Path) -> None:
    """Write `photos.pt`: squares (N, 3, 64, 64), bytes."""
    photos = [photo for photo in map(read_photo, list_files()) if photo is not None]
    print(f"{len(photos)} photographs")
    generator = random.Random(5)  # noqa: S311 - no secret
    squares = [cut_square(generator.choice(photos), generator) for _ in range(SQUARES)]
    torch.save(
        torch.from_numpy(np.stack(squares)).permute(0, 3, 1, 2).contiguous(), work / "photos.pt"
    )


def list_files() -> list[Path]:
    """Return the photographs of both packages, sorted."""
    mvtb = [
        p for p in find_package("mvtbdata").joinpath("images").rglob("*") if LEFT_OUT not in p.name
    ]
    skimage = [p for p in find_package("skimage").joinpath("data").iterdir() if p.stem in SKIMAGE]
    return sorted(path for path in mvtb + skimage if path.suffix.lower() in SUFFIXES)


def find_package(name: str) -> Path:
    """Return an installed package's folder; nothing of it is imported."""
    spec = find_spec(name)
    if spec is None or spec.origin is None:
        raise SystemExit(
            f"The package {name} is missing; training/pretraining/photos.py names it."
        )
    return Path(spec.origin).parent


def read_photo(path: Path) -> Image.Image | None:
    """Return a photograph in colour, None for grey ones."""
    with Image.open(path) as opened:
        if opened.mode not in ("RGB", "RGBA"):
            return None
        photo = opened.convert("RGB")
    photo.thumbnail((LARGEST_SIDE, LARGEST_SIDE))
    return photo


def cut_square(photo: Image.Image, generator: random.Random) -> np.ndarray:
    """Return a random square of a photograph (64, 64, 3), shrunk; small ones are as frequent."""
    shorter = min(photo.size)
    side = shorter
    if shorter > SIDE:
        side = int(SIDE * (shorter / SIDE) ** generator.uniform(SMALLEST_CUT, 1))
    left = generator.randrange(photo.width - side + 1)
    top = generator.randrange(photo.height - side + 1)
    square = photo.crop((left, top, left + side, top + side))
    return np.asarray(square.resize((SIDE, SIDE), Image.Resampling.LANCZOS))
