"""Stage `combining`: go on training the denoiser with composed scenes among single things."""

from __future__ import annotations

from typing import TYPE_CHECKING

from training.embedded.drill import drill
from training.embedded.unet import Combining

if TYPE_CHECKING:
    from pathlib import Path


def run(work: Path) -> None:
    """Train on things and scenes."""
    drill(Combining, work)
