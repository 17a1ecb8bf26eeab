"""Memorisation: whether pictures repeat a photo that they were learned from.

A picture is a copy if a photo is near to it both to EfficientNet-Lite2 and in structure (SSIM,
Wang et al. 2004), mirrored or not: the one alone may be the same subject, the other the same
ground. Structure is compared in each colour, so that the same drawing on the ground that a prompt
asks for is no copy of the photo on another one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from PIL import Image, ImageOps

from training.lazy import Tensor, torch

SIDE = 64  #: pixels that structure is compared at
MIN_COSINE, MIN_SSIM = 0.8, 0.8  #: of any copy; photos through the autoencoder have .85 and .9


@dataclass(frozen=True, slots=True)
class Nearest:
    """The photo that a picture copies, or else the one nearest to it."""

    photo: int  #: its place among the photos
    cosine: float  #: to EfficientNet-Lite2
    ssim: float
    copied: bool


@dataclass(frozen=True, slots=True)
class KnownPhotos:
    """Photos that pictures may repeat."""

    features: Tensor  # (N, D)
    pictures: Sequence[Image.Image]

    def find_nearest(self, pictures: Sequence[Image.Image], features: Tensor) -> list[Nearest]:
        """Return the photo nearest to each picture with these features (N, D).

        Of all photos near enough for a copy it is the one most alike in structure: features take
        a picture easily for the next photo of the same subject.
        """
        cosines = features @ self.features.T
        near = (cosines >= MIN_COSINE) | (cosines == cosines.amax(1, keepdim=True))
        pairs: list[tuple[int, int]] = [(at, photo) for at, photo in near.nonzero().tolist()]
        structure = measure_structure(
            [pictures[at] for at, _ in pairs], [self.pictures[photo] for _, photo in pairs]
        )
        best: dict[int, Nearest] = {}
        for (at, photo), ssim in zip(pairs, structure, strict=True):
            cosine = float(cosines[at, photo])
            copied = cosine >= MIN_COSINE and ssim >= MIN_SSIM
            if at not in best or ssim > best[at].ssim:
                best[at] = Nearest(photo, cosine, ssim, copied)
        return [best[at] for at in range(len(pictures))]


def measure_structure(
    pictures: Sequence[Image.Image], photos: Sequence[Image.Image]
) -> list[float]:
    """Return the SSIM of each picture and its photo, or the photo's mirror where that is more."""
    if not pictures:
        return []
    from torchmetrics.functional import image  # noqa: PLC0415 - seconds, for this alone

    measure: Any = image.structural_similarity_index_measure
    drawn, plain = to_levels(pictures), to_levels(photos)
    mirrored = to_levels([ImageOps.mirror(each) for each in photos])
    found = [measure(drawn, each, reduction="none", data_range=1.0) for each in (plain, mirrored)]
    best: list[float] = torch.stack(found).amax(0).tolist()
    return best


def to_levels(pictures: Sequence[Image.Image]) -> Tensor:
    """Return the levels (N, 3, 64, 64) of pictures' colours in 0..1, squeezed into squares."""
    small = [each.convert("RGB").resize((SIDE, SIDE), Image.Resampling.BOX) for each in pictures]
    levels = torch.from_numpy(np.stack([np.array(each) for each in small]))
    return levels.permute(0, 3, 1, 2).float() / 255
