"""Stage `benchmark_pictures`: write test pictures of held-out styles and subjects as PNG."""

# ruff: noqa: T201  # a stage prints what it measured

from __future__ import annotations

import json
from pathlib import Path

import torch

from training.pretraining.backgrounds import plain_backgrounds, put_on
from training.pretraining.captions import full_caption
from training.pretraining.names import BASE_STYLES, EVERYDAY, HELD_OUT_STYLES
from training.pretraining.score import to_picture
from training.recipe.backgrounds import COLOURS

FOLDER = Path("benchmarks/pictures")
SUBJECTS = ("panda", "octopus", "guitar", "penguin", "rocket", "robot")
BACKGROUNDS = ("white", "light blue", "green", "yellow", "pink")
MAX_NAMES = 154  # everyday names to choose from; the shipped test pictures come from these
COUNT = 24  # pictures of a held-out style to train on, and as many of other names to measure
LICENCES = """# Where these pictures come from

Drawn at 64 pixels by `python -m training.pretraining benchmark_pictures` from these npm packages:

| folder | package | art | licence |
| --- | --- | --- | --- |
| `firefox/` | @iconify-json/fxemoji 1.2.2 | FxEmojis, Mozilla Foundation | Apache-2.0 |
| `ink/` | @iconify-json/fluent-emoji-high-contrast 1.2.6 | Fluent Emoji, Microsoft | MIT |
| `*/flat-*` | @iconify-json/fluent-emoji-flat 1.2.6 | Fluent Emoji, Microsoft | MIT |
| `*/glossy-*` | @lobehub/fluent-emoji-3d 1.1.0 | Fluent Emoji, Microsoft | MIT |
| `*/noto-*` | @iconify-json/noto 1.2.9 | Noto Emoji, Google | Apache-2.0 |
| `*/blob-*` | @iconify-json/noto-v1 1.2.5 | Noto Emoji (2017), Google | Apache-2.0 |

None of them was in the UNet's training; the subjects were not in the autoencoder's either.
"""


def run(work: Path) -> None:
    """Write two held-out styles and six subjects as PNG folders, each with its captions."""
    stored = torch.load(work / "pictures.pt", weights_only=True)
    pairs = zip(stored["names"], stored["styles"], strict=True)
    pictures = dict(zip(pairs, stored["rgba"], strict=True))
    for style in HELD_OUT_STYLES:
        names = [name for name in EVERYDAY[:MAX_NAMES] if (name, style) in pictures]
        spread = names[:: max(1, len(names) // (2 * COUNT))][: 2 * COUNT]
        for use, use_names in (("teach", spread[0::2]), ("measure", spread[1::2])):
            keys = [((name, style), "white") for name in use_names]
            write_pictures(FOLDER / style / use, pictures, keys)
    for subject in SUBJECTS:
        keys = [
            ((subject, style), background) for style in BASE_STYLES for background in BACKGROUNDS
        ]
        write_pictures(FOLDER / subject, pictures, keys)
    (FOLDER / "LICENCES.md").write_text(LICENCES, encoding="utf-8")


def write_pictures(
    folder: Path,
    pictures: dict[tuple[str, str], torch.Tensor],
    keys: list[tuple[tuple[str, str], str]],
) -> None:
    """Write pictures on their backgrounds, and `captions.json` beside them."""
    folder.mkdir(parents=True, exist_ok=True)
    captions = {}
    for (name, style), colour in keys:
        background = plain_backgrounds(torch.tensor([tuple(COLOURS).index(colour)]))
        subject = name in SUBJECTS
        file = f"{style}-{colour.replace(' ', '-')}.png" if subject else f"{name}.png"
        to_picture(put_on(pictures[name, style][None], background)[0]).save(
            folder / file, optimize=True
        )
        captions[file] = full_caption(name, style, colour)
    (folder / "captions.json").write_text(json.dumps(captions, indent=1) + "\n", encoding="utf-8")
    print(f"{folder}: {len(captions)} pictures")
