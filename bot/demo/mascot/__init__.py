"""Glim, the mascot drawn for this project: twelve transparent pictures, made by `poses`."""

from __future__ import annotations

import io
from pathlib import Path

from PIL import Image

FOLDER = Path(__file__).parent
SHEET = FOLDER / "all.webp"  #: the ten on one picture

#: What the demo trains on, with a colour that suits it.
GROUNDS = {
    "waving": "#ffffff", "winking": "#3c6ecd", "sleeping": "#8755af", "jumping": "#a5d2f0",
    "hat": "#4ba55a", "camera": "#f0963c", "looking": "#f5d75f", "small": "#f5afc8",
    "big": "#a5d2f0", "loving": "#ffffff",
}  # fmt: skip
TRAINED = tuple(GROUNDS)

#: What tells a picture from a plain one: named, it is not taken for a part of Glim.
CAPTIONS = dict.fromkeys(TRAINED, "a {word} emoji") | {
    "winking": "a winking {word} emoji",
    "sleeping": "a sleeping {word} emoji",
    "hat": "a {word} emoji with a hat",
    "camera": "a {word} emoji with a camera",
    "small": "a small {word} emoji",
    "big": "a big {word} emoji",
    "loving": "a {word} emoji with a heart",
}

#: What no training sees.
HELD_OUT = ("walking", "showing")


def picture_files(names: tuple[str, ...] = TRAINED) -> list[Path]:
    """Return the PNG files of these pictures."""
    return [FOLDER / f"{name}.png" for name in names]


def on_ground(name: str) -> Image.Image:
    """Return a picture on its ground, in RGB."""
    with Image.open(FOLDER / f"{name}.png") as picture:
        ground = Image.new("RGBA", picture.size, GROUNDS.get(name, "#ffffff"))
        ground.alpha_composite(picture.convert("RGBA"))
    return ground.convert("RGB")


def face(name: str) -> bytes:
    """Return a picture on its ground as PNG, for who is shown as it."""
    file = io.BytesIO()
    on_ground(name).resize((128, 128), Image.Resampling.LANCZOS).save(file, "PNG")
    return file.getvalue()
