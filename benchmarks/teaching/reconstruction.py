"""Measure what the embedded autoencoder gives back of pictures that it was not trained on.

`--photos DIR` adds the photographs in the folders of a folder, cut square and shrunk to 64 pixels.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from diffusers import AutoencoderKL
from PIL import Image

from benchmarks import machine, table
from benchmarks.teaching import runner, spec
from benchmarks.teaching.photographs import SIDE, read_square
from bot.demo.mascot import HELD_OUT, TRAINED, on_ground
from training.embedded import find_folder
from training.pretraining import photos
from training.pretraining.judge import to_pixels
from training.pretraining.names import HELD_OUT_SUBJECTS
from training.pretraining.score import reconstruct

EMOJI, MASCOT, PHOTOGRAPHS = "emoji never seen", "the mascot", "photographs"
LEAST = {EMOJI: 32.0, MASCOT: 28.0, PHOTOGRAPHS: 28.0}  #: dB


def collect_pictures(folder: Path | None) -> dict[str, list[Image.Image]]:
    """Return the groups of pictures."""
    folders = [spec.PICTURES / name for name in HELD_OUT_SUBJECTS]
    emoji = [path for place in folders for path in sorted(place.glob("*.png"))]
    groups = {
        EMOJI: [runner.read_picture(path) for path in emoji],
        MASCOT: [on_ground(name) for name in TRAINED + HELD_OUT],
    }
    if folder:
        found = [path for path in sorted(folder.glob("*/*")) if path.suffix in photos.SUFFIXES]
        groups[PHOTOGRAPHS] = [read_square(path, SIDE) for path in found]
    return groups


def grade_autoencoder(
    vae: Any, groups: Mapping[str, Sequence[Image.Image]]
) -> Iterator[table.Row]:
    """Yield the mean PSNR of each group."""
    for name, pictures in groups.items():
        pixels = to_pixels(pictures)
        error = ((pixels - reconstruct(vae, pixels)) / 2).square().mean((1, 2, 3))
        psnr = float((-10 * error.log10()).mean())
        yield table.at_least(f"{name} ({len(pictures)})", psnr, LEAST[name], "dB")


def main() -> int:
    """Print the table."""
    arguments = machine.parse_arguments(__doc__ or "", photos=Path)
    vae = AutoencoderKL.from_pretrained(find_folder("diffusion") / "vae").eval()
    return table.print_table(grade_autoencoder(vae, collect_pictures(arguments.photos)))


if __name__ == "__main__":
    sys.exit(main())
