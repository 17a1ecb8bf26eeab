"""Masks beside photos: `x.mask.png` is our name, `x-masklabel.png` OneTrainer's."""

from __future__ import annotations

import re
from pathlib import PurePath

PICTURE_SUFFIXES = frozenset(
    {".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".webp", ".heic", ".heif", ".hif", ".avif",
     ".gif", ".bmp", ".tif", ".tiff", ".jxl"}
)  # fmt: skip
MASK_MARKS = (".mask", "-masklabel")
#: PNGs come first
MASK_SUFFIXES = sorted(PICTURE_SUFFIXES, key=lambda suffix: (suffix != ".png", suffix))
MASK_ENDINGS = tuple(mark + suffix for mark in MASK_MARKS for suffix in MASK_SUFFIXES)
MASK_END = re.compile(r"(\.mask|-masklabel)(\.\w+)?$", re.IGNORECASE)
MASK_NAME = re.compile(rf".+{MASK_END.pattern}", re.IGNORECASE)


def unmask_name(name: str) -> str:
    """Return the name of a mask's photo, or that without its suffix."""
    found = MASK_END.search(name)
    return name[: found.start()] if found else name


def is_mask(path: PurePath) -> bool:
    """Return whether a picture is a mask, by its name."""
    return MASK_NAME.fullmatch(path.name) is not None
