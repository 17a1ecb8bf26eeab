"""Class images that trainings have drawn, kept for the next one of that class on that base.

They are of no member: a base draws them from a prompt such as "a photo of a dog". They lie in
`classes/<key>/`, apart from all photos.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from contextlib import suppress
from pathlib import Path
from typing import Any

from storage.folders import Home, JobFolder, link_file
from storage.records import Base

MAX_SETS = 8  #: those that were used last


def find_set(home: Home, base: Base, recipe: dict[str, Any]) -> Path:
    """Return the folder for what a base draws of a recipe's class, at its resolution."""
    file = home.bases / base.source
    changed = file.stat().st_mtime_ns if file.exists() else 0
    made_of = [base.name, base.source, changed, recipe["class_prompt"], recipe["resolution"]]
    key = hashlib.sha256(json.dumps(made_of).encode()).hexdigest()
    return home.class_images / key[:16]


def lend_images(home: Home, folder: JobFolder, base: Base, recipe: dict[str, Any]) -> None:
    """Link kept images into a job's folder, in place of drawing them."""
    kept = find_set(home, base, recipe)
    for number in range(recipe.get("num_class_images", 0)):
        file = kept / f"{number:04}.png"
        if file.exists() and not (folder.class_images / file.name).exists():
            link_file(file, folder.class_images / file.name)
    if kept.is_dir():
        os.utime(kept)  # it was used


def keep_images(home: Home, folder: JobFolder, base: Base, recipe: dict[str, Any]) -> None:
    """Keep the images of a job that has ended, and of all sets those that were used last."""
    kept = find_set(home, base, recipe)
    for file in folder.class_images.glob("[0-9]*.png"):
        if not (kept / file.name).exists():
            link_file(file, kept / file.name)
    sets = [path for path in home.class_images.glob("*") if path.is_dir()]
    for old in sorted(sets, key=lambda path: path.stat().st_mtime_ns)[:-MAX_SETS]:
        with suppress(OSError):
            shutil.rmtree(old)
