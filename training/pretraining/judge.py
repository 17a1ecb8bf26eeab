"""The judge: a small classifier that measures what models draw.

It was trained on real pictures of all six styles and is frozen: numbers of different versions
of the models compare. Its gallery holds the features of every real picture on white.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch
from PIL import Image
from safetensors import safe_open
from safetensors.torch import load_file, save_file
from torch import nn
from torch.nn import functional

from training.pretraining.names import STYLES

if TYPE_CHECKING:
    from collections.abc import Sequence

WEIGHTS = "judge.safetensors"
GALLERY = "gallery.safetensors"
CONTENT_FEATURES, STYLE_FEATURES = 128, 32  # how many features tell what is shown, and how


def make_block(width: int, out: int) -> nn.Sequential:
    """Halve the picture: two convolutions, normalised."""
    return nn.Sequential(
        nn.Conv2d(width, out, 3, stride=2, padding=1),
        nn.GroupNorm(8, out),
        nn.SiLU(),
        nn.Conv2d(out, out, 3, padding=1),
        nn.GroupNorm(8, out),
        nn.SiLU(),
    )


class JudgeNetwork(nn.Module):
    """The network: features, and from them the name and the style."""

    def __init__(self, names: int) -> None:
        super().__init__()
        self.fine = make_block(3, 32)
        self.middle = make_block(32, 64)
        self.coarse = nn.Sequential(
            make_block(64, 96), make_block(96, 128), nn.Flatten(), nn.Dropout(0.2)
        )
        self.thing = nn.Linear(2048, CONTENT_FEATURES)
        self.look = nn.Sequential(
            nn.Linear(2048 + 192, 96), nn.SiLU(), nn.Linear(96, STYLE_FEATURES)
        )
        self.name = nn.Linear(CONTENT_FEATURES, names)
        self.style = nn.Linear(STYLE_FEATURES, len(STYLES))

    def forward(self, pixels: torch.Tensor) -> torch.Tensor:
        """Give features (B, 160) of pixels (B, 3, 64, 64) in -1..1: the thing, then its look."""
        fine = self.fine(pixels)
        middle = self.middle(fine)
        texture = [s for x in (fine, middle) for s in (x.mean((2, 3)), x.std((2, 3)))]
        deep = self.coarse(middle)
        return torch.cat([self.thing(deep), self.look(torch.cat([deep, *texture], 1))], 1)

    def score_names(self, features: torch.Tensor) -> torch.Tensor:
        """Score every name."""
        scores: torch.Tensor = self.name(features[:, :CONTENT_FEATURES])
        return scores

    def score_styles(self, features: torch.Tensor) -> torch.Tensor:
        """Score every style."""
        scores: torch.Tensor = self.style(features[:, CONTENT_FEATURES:])
        return scores


@dataclass
class Gallery:
    """The real pictures of one style: their names and features."""

    names: list[str]
    features: torch.Tensor  # (N, 160)


class Judge:
    """Measures pictures against real ones."""

    def __init__(self, eye: JudgeNetwork, names: list[str], galleries: dict[str, Gallery]) -> None:
        self.network = eye.eval()
        self.names = names
        self.galleries = galleries

    @torch.no_grad()
    def extract_features(self, pictures: Sequence[Image.Image]) -> torch.Tensor:
        """Give the features (B, 160) of pictures."""
        return torch.cat([self.network(part) for part in torch.split(to_pixels(pictures), 64)])

    @torch.no_grad()
    def classify_styles(self, features: torch.Tensor) -> list[str]:
        """Name the style each picture looks most like."""
        return [STYLES[i] for i in self.network.score_styles(features).argmax(1).tolist()]

    @torch.no_grad()
    def style_probability(self, features: torch.Tensor, style: str) -> float:
        """Give the mean probability of one style."""
        return float(self.network.score_styles(features).softmax(1)[:, STYLES.index(style)].mean())

    def measure_style_distance(
        self, features: torch.Tensor, style: str, names: Sequence[str] = ()
    ) -> float:
        """Measure how far the mean look lies from that of real pictures of a style.

        Given names, only the real pictures of those names count.
        """
        gallery = self.galleries[style]
        rows = [i for i, name in enumerate(gallery.names) if not names or name in set(names)]
        difference = features.mean(0) - gallery.features[rows].mean(0)
        return float(difference[CONTENT_FEATURES:].norm())

    def rank_within_style(self, features: torch.Tensor, name: str, style: str) -> list[int]:
        """Rank the true picture among all of one style by cosine; 1 is best."""
        gallery = self.galleries[style]
        near = compare_content(features, gallery.features)
        true = gallery.names.index(name)
        return ((near > near[:, true : true + 1]).sum(1) + 1).tolist()

    def rank_anywhere(self, features: torch.Tensor, real: torch.Tensor) -> list[int]:
        """Rank what real pictures (N, 160) have in common among those of all galleries; 1 is best.

        Each picture of a gallery, of whatever style, that a drawn one is nearer to than to the
        mean of the real ones puts them one place back.
        """
        crowd = torch.cat([gallery.features for gallery in self.galleries.values()])
        common = compare_content(features, real.mean(0, keepdim=True))
        return ((compare_content(features, crowd) > common).sum(1) + 1).tolist()


def compare_content(features: torch.Tensor, others: torch.Tensor) -> torch.Tensor:
    """Compare what is shown in each of (B, 160) with each of (N, 160), whatever it looks like."""
    one, two = features[:, :CONTENT_FEATURES], others[:, :CONTENT_FEATURES]
    return functional.normalize(one, dim=1) @ functional.normalize(two, dim=1).T  # (B, N)


def nearest_cosines(features: torch.Tensor, others: torch.Tensor) -> list[float]:
    """Give the cosine between each of (B, 160) and the nearest of (N, 160)."""
    return compare_content(features, others).amax(1).tolist()


def to_pixels(pictures: Sequence[Image.Image]) -> torch.Tensor:
    """Turn pictures into (B, 3, 64, 64) in -1..1."""
    arrays = [np.asarray(p.convert("RGB").resize((64, 64))) for p in pictures]
    return torch.from_numpy(np.stack(arrays)).permute(0, 3, 1, 2).float() / 127.5 - 1


def load_judge(folder: Path) -> Judge:
    """Load the judge and its galleries."""
    with safe_open(folder / WEIGHTS, framework="pt") as stored:
        names = json.loads(stored.metadata()["names"])
    eye = JudgeNetwork(len(names))
    eye.load_state_dict({k: v.float() for k, v in load_file(folder / WEIGHTS).items()})
    tensors = load_file(folder / GALLERY)
    with safe_open(folder / GALLERY, framework="pt") as stored:
        listed = {style: json.loads(text) for style, text in stored.metadata().items()}
    galleries = {s: Gallery(listed[s], tensors[s].float()) for s in STYLES}
    return Judge(eye, names, galleries)


def save_judge(
    eye: JudgeNetwork, names: list[str], galleries: dict[str, Gallery], folder: Path
) -> None:
    """Write the judge and its galleries as fp16."""
    folder.mkdir(parents=True, exist_ok=True)
    state = {k: v.half().contiguous() for k, v in eye.state_dict().items()}
    save_file(state, folder / WEIGHTS, {"names": json.dumps(names)})
    features = {s: g.features.half().contiguous() for s, g in galleries.items()}
    save_file(features, folder / GALLERY, {s: json.dumps(g.names) for s, g in galleries.items()})
