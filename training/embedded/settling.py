"""Stage `settling`: let the denoiser keep single things beside composed scenes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from training.embedded.drill import drill
from training.embedded.unet import Settling

if TYPE_CHECKING:
    from pathlib import Path


def run(work: Path) -> None:
    """Train on things and scenes alike."""
    drill(Settling, work)
