"""Stage `keep`: count the shipped base as trained, so that `all` makes a captioner beside it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from training.embedded import verify_folder
from training.pretraining.stages import mark_finished

if TYPE_CHECKING:
    from pathlib import Path

BASE = ("vae", "latents", "scenes", "unet")


def run(work: Path) -> None:
    """Remember the base's stages as finished; the folder must hold nothing of another base."""
    begun = [path.name for stage in BASE for path in sorted(work.glob(f"{stage}.*"))]
    if begun:
        raise SystemExit(f"{work} has {', '.join(begun)} of another base. Use an empty folder.")
    verify_folder("diffusion")
    mark_finished(work, dict.fromkeys(BASE, 0))
