"""The judge: a small classifier that measures generated pictures.

It was trained on real pictures of all six styles and is frozen, so that figures of different
versions of the models are comparable. Its gallery holds the features of every real picture on
white.
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
CONTENT_FEATURES, STYLE_FEATURES = 128, 32  #: numbers of features, in this order


def make_block(width: int, out: int) -> nn.Sequential:
    """Return two normalized convolutions, the first of which halves the sides."""
    return nn.Sequential(
        nn.Conv2d(width, out, 3, stride=2, padding=1),
        nn.GroupNorm(8, out),
        nn.SiLU(),
        nn.Conv2d(out, out, 3, padding=1),
        nn.GroupNorm(8, out),
        nn.SiLU(),
    )


class JudgeNetwork(nn.Module):
    """The judge's network: features, and from them scores of names and of styles."""

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
        """Return features (B, 160) of pixels (B, 3, 64, 64) in -1..1: content, then style."""
        fine = self.fine(pixels)
        middle = self.middle(fine)
        texture = [s for x in (fine, middle) for s in (x.mean((2, 3)), x.std((2, 3)))]
        deep = self.coarse(middle)
        return torch.cat([self.thing(deep), self.look(torch.cat([deep, *texture], 1))], 1)

    def score_names(self, features: torch.Tensor) -> torch.Tensor:
        """Return a score for every name, (B, names)."""
        scores: torch.Tensor = self.name(features[:, :CONTENT_FEATURES])
        return scores

    def score_styles(self, features: torch.Tensor) -> torch.Tensor:
        """Return a score for every style, (B, styles)."""
        scores: torch.Tensor = self.style(features[:, CONTENT_FEATURES:])
        return scores


@dataclass
class Gallery:
    """The names and features of all real pictures of one style."""

    names: list[str]
    features: torch.Tensor  # (N, 160)


class Judge:
    """Measures generated pictures against real ones."""

    def __init__(
        self, network: JudgeNetwork, names: list[str], galleries: dict[str, Gallery]
    ) -> None:
        self.network = network.eval()
        self.names = names
        self.galleries = galleries

    @torch.no_grad()
    def extract_features(self, pictures: Sequence[Image.Image]) -> torch.Tensor:
        """Return the features (B, 160) of pictures."""
        return torch.cat([self.network(part) for part in torch.split(to_pixels(pictures), 64)])

    @torch.no_grad()
    def classify_styles(self, features: torch.Tensor) -> list[str]:
        """Return the most probable style of each picture."""
        return [STYLES[i] for i in self.network.score_styles(features).argmax(1).tolist()]

    @torch.no_grad()
    def style_probability(self, features: torch.Tensor, style: str) -> float:
        """Return the mean probability of one style."""
        return float(self.network.score_styles(features).softmax(1)[:, STYLES.index(style)].mean())

    def measure_style_distance(
        self, features: torch.Tensor, style: str, names: Sequence[str] = ()
    ) -> float:
        """Return the distance of the mean style features from those of a style's real pictures.

        With names given, only the real pictures of those names count.
        """
        gallery = self.galleries[style]
        rows = [i for i, name in enumerate(gallery.names) if not names or name in set(names)]
        difference = features.mean(0) - gallery.features[rows].mean(0)
        return float(difference[CONTENT_FEATURES:].norm())

    def rank_within_style(self, features: torch.Tensor, name: str, style: str) -> list[int]:
        """Return the true picture's rank by cosine among all of its style; 1 is best."""
        gallery = self.galleries[style]
        cosines = compare_content(features, gallery.features)
        true = gallery.names.index(name)
        return ((cosines > cosines[:, true : true + 1]).sum(1) + 1).tolist()

    def rank_anywhere(self, features: torch.Tensor, real: torch.Tensor) -> list[int]:
        """Return the rank of the real pictures' (N, 160) mean content in all galleries; 1 is best.

        Every gallery picture, of any style, that a generated one is nearer to than to this mean
        moves the mean one rank down.
        """
        everything = torch.cat([gallery.features for gallery in self.galleries.values()])
        common = compare_content(features, real.mean(0, keepdim=True))
        return ((compare_content(features, everything) > common).sum(1) + 1).tolist()


def compare_content(features: torch.Tensor, others: torch.Tensor) -> torch.Tensor:
    """Return the content cosines (B, N) of features (B, 160) and (N, 160), ignoring style."""
    one, two = features[:, :CONTENT_FEATURES], others[:, :CONTENT_FEATURES]
    return functional.normalize(one, dim=1) @ functional.normalize(two, dim=1).T  # (B, N)


def nearest_cosines(features: torch.Tensor, others: torch.Tensor) -> list[float]:
    """Return the content cosine of each of (B, 160) to the nearest of (N, 160)."""
    return compare_content(features, others).amax(1).tolist()


def to_pixels(pictures: Sequence[Image.Image]) -> torch.Tensor:
    """Convert pictures to pixels (B, 3, 64, 64) in -1..1."""
    arrays = [np.asarray(p.convert("RGB").resize((64, 64))) for p in pictures]
    return torch.from_numpy(np.stack(arrays)).permute(0, 3, 1, 2).float() / 127.5 - 1


def load_judge(folder: Path) -> Judge:
    """Load the judge and its galleries."""
    with safe_open(folder / WEIGHTS, framework="pt") as stored:
        names = json.loads(stored.metadata()["names"])
    network = JudgeNetwork(len(names))
    network.load_state_dict({k: v.float() for k, v in load_file(folder / WEIGHTS).items()})
    tensors = load_file(folder / GALLERY)
    with safe_open(folder / GALLERY, framework="pt") as stored:
        listed = {style: json.loads(text) for style, text in stored.metadata().items()}
    galleries = {s: Gallery(listed[s], tensors[s].float()) for s in STYLES}
    return Judge(network, names, galleries)


def save_judge(
    network: JudgeNetwork, names: list[str], galleries: dict[str, Gallery], folder: Path
) -> None:
    """Write the judge and its galleries as fp16."""
    folder.mkdir(parents=True, exist_ok=True)
    state = {k: v.half().contiguous() for k, v in network.state_dict().items()}
    save_file(state, folder / WEIGHTS, {"names": json.dumps(names)})
    features = {s: g.features.half().contiguous() for s, g in galleries.items()}
    save_file(features, folder / GALLERY, {s: json.dumps(g.names) for s, g in galleries.items()})
