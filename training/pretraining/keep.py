"""Stage `keep`: mark the shipped base as trained, so that `all` trains only a new captioner."""

from __future__ import annotations

from typing import TYPE_CHECKING

from training.embedded import verify_folder
from training.pretraining.stages import mark_finished

if TYPE_CHECKING:
    from pathlib import Path

BASE = ("photos", "vae", "latents", "scenes", "unet")


def run(work: Path) -> None:
    """Mark the base's stages as finished; refuse a folder that holds files of another base."""
    existing = [path.name for stage in BASE for path in sorted(work.glob(f"{stage}.*"))]
    if existing:
        raise SystemExit(f"{work} has {', '.join(existing)} of another base. Use an empty folder.")
    verify_folder("diffusion")
    mark_finished(work, dict.fromkeys(BASE, 0))
