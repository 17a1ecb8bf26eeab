"""Glim, the mascot drawn for this project: twelve pictures, as SVG and as the PNG made of each."""

from __future__ import annotations

from pathlib import Path

FOLDER = Path(__file__).parent
SHEET = FOLDER / "all.webp"  #: the ten on one picture

#: What the demo trains on, with the colour of each ground.
GROUNDS = {
    "waving": "white", "winking": "blue", "sleeping": "purple", "jumping": "light blue",
    "hat": "green", "camera": "white", "looking": "orange", "small": "purple", "big": "blue",
    "loving": "yellow",
}  # fmt: skip
TRAINED = tuple(GROUNDS)

#: What no training sees.
HELD_OUT = ("walking", "showing")


def picture_files(names: tuple[str, ...] = TRAINED) -> list[Path]:
    """Return the PNG files of these pictures."""
    return [FOLDER / f"{name}.png" for name in names]
