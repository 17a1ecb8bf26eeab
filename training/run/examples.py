"""Photos made ready to learn from: each encoded once, in batches of one shape."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache
from itertools import groupby, islice
from typing import TYPE_CHECKING

import torch
from PIL import Image, ImageOps, UnidentifiedImageError
from torch import Tensor

from storage.errors import JobError
from training.families import Frame
from training.lazy import LazyModule
from training.networks.conditioning import stacked
from training.networks.memory import coded
from training.run import masks

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator
    from pathlib import Path

    from training.families import Family
    from training.networks.conditioning import Conditions
    from training.recipe.recipe import Recipe

aspects = LazyModule("diffusers.training_utils")
ENCODE_PIXELS = 2**15  # encoded at once; a photo for a large base is more than that
MIN_BUCKET_RESOLUTION = 256  # a base smaller than this knows only squares


@dataclass(frozen=True, slots=True)
class Example:
    """One photo, encoded."""

    latent: Tensor  # (C, h, w)
    photo: int  #: its number in the recipe
    framed: Conditions = field(default_factory=dict)  # what is told of how the photo was cut
    weights: Tensor | None = None  # (1, h, w), of the loss, where masks count


@dataclass(frozen=True, slots=True)
class CroppedPhoto:
    """A photo, cut to a size that the base is trained at."""

    picture: Image.Image
    frame: Frame
    mask: Image.Image | None  #: of the parts that count


@dataclass(frozen=True, slots=True)
class Batch:
    """Examples of one shape."""

    latents: Tensor  # (B, C, h, w)
    photos: tuple[int, ...]  #: their numbers in the recipe
    framed: Conditions = field(default_factory=dict)  # what is told of how each was cut
    weights: Tensor | None = None  # (B, 1, h, w)

    def split(self, count: int) -> Iterator[Batch]:
        """Cut it into as many parts of one size."""
        size = len(self.photos) // count
        for first in range(0, len(self.photos), size):
            part = slice(first, first + size)
            framed = {name: told[part] for name, told in self.framed.items()}
            weights = None if self.weights is None else self.weights[part]
            yield Batch(self.latents[part], self.photos[part], framed, weights)


def list_buckets(resolution: int, grain: int) -> list[tuple[int, int]]:
    """List the (height, width) a base of this resolution is trained at."""
    if resolution < MIN_BUCKET_RESOLUTION:
        side = max(grain, resolution // grain * grain)
        return [(side, side)]
    found: list[tuple[int, int]] = aspects.generate_aspect_ratio_buckets(
        resolution, max(grain, 64)
    )
    return found


def crop_photo(place: Path, buckets: list[tuple[int, int]]) -> CroppedPhoto:
    """Open a photo, scaled and cropped around its middle to the nearest bucket."""
    try:
        with Image.open(place) as opened:
            opened.load()
            whole = opened.copy()
    except (OSError, UnidentifiedImageError) as broken:
        raise JobError("photo_broken", file=place.name) from broken
    height, width = buckets[aspects.find_nearest_bucket(whole.height, whole.width, buckets)]
    cut = ImageOps.fit(whole.convert("RGB"), (width, height), Image.Resampling.LANCZOS)
    return CroppedPhoto(
        cut, describe_crop(whole.size, (width, height)), masks.crop_mask(whole, (width, height))
    )


def describe_crop(photo: tuple[int, int], cut: tuple[int, int]) -> Frame:
    """Tell how a photo (width, height) was scaled and cut, around its middle, to another size."""
    scale = max(cut[0] / photo[0], cut[1] / photo[1])
    left, top = (round((side * scale - kept) / 2) for side, kept in zip(photo, cut, strict=True))
    return Frame((photo[1], photo[0]), (top, left), (cut[1], cut[0]))


def encode_photos(family: Family, recipe: Recipe, photos: Path) -> list[Example]:
    """Encode every photo of a recipe, once a resolution; small ones several at a time."""
    found: list[Example] = []
    sides = (recipe.resolution, *recipe.extra_resolutions)
    with family.present("vae"), family.roomy("vae", coded(max(sides))):
        for side in sides:
            found += encode_at(family, recipe, photos, side)
    return found


def encode_at(family: Family, recipe: Recipe, photos: Path, side: int) -> list[Example]:
    """Encode every photo at a resolution."""
    buckets = list_buckets(side, family.grain)
    cut = (crop_photo(photos / shot.file, buckets) for shot in recipe.all_photos)
    fits: list[tuple[Tensor, Frame, Image.Image | None]] = []
    for _, alike in groupby(cut, key=lambda fit: fit.frame.size):
        for part in split_evenly(alike, max(1, ENCODE_PIXELS // side**2)):
            latents = family.encode([fit.picture for fit in part])
            fits += [(each, fit.frame, fit.mask) for each, fit in zip(latents, part, strict=True)]
    counts: list[Tensor] = []
    if recipe.masked_loss:
        counts = [
            masks.loss_weights(mask, latent, recipe.unmasked_weight) for latent, _, mask in fits
        ]
        masked = sum(mask is not None for _, _, mask in fits)
        masks.check_masks(counts, masked, [shot.file for shot in recipe.all_photos])
    return [
        Example(latent, photo, family.framed(frame), counts[photo] if counts else None)
        for photo, (latent, frame, _) in enumerate(fits)
    ]


def split_evenly(fits: Iterator[CroppedPhoto], most: int) -> Iterator[list[CroppedPhoto]]:
    """Take pictures by so many at once."""
    while part := list(islice(fits, most)):
        yield part


class Batches:
    """Which photos each step sees: a function of the seed and the step, nothing else."""

    def __init__(
        self,
        examples: list[Example],
        size: int,
        seed: int,
        concepts: Collection[range] = (),  #: numbers of the photos of each
    ) -> None:
        self.examples, self.size, self.seed = examples, size, seed
        self.buckets: dict[tuple[int, ...], list[int]] = {}
        often = count_repeats(concepts)
        for at, example in enumerate(examples):
            bucket = self.buckets.setdefault(tuple(example.latent.shape), [])
            bucket += [at] * often.get(example.photo, 1)
        self.epoch = sum(-(-len(bucket) // size) for bucket in self.buckets.values())
        self.plan = lru_cache(maxsize=1)(self.plan_epoch)

    def plan_epoch(self, epoch: int) -> list[list[int]]:
        """Shuffle the photos of each bucket into batches, and the batches."""
        generator = step_generator(self.seed, epoch, "epoch")
        batches = []
        for bucket in self.buckets.values():
            order = [bucket[at] for at in torch.randperm(len(bucket), generator=generator)]
            batches += list(fill_batches(order, self.size))
        return [batches[at] for at in torch.randperm(len(batches), generator=generator)]

    def at(self, step: int) -> Batch:
        """Give the batch of a step."""
        epoch, place = divmod(step, self.epoch)
        chosen = self.plan(epoch)[place]
        examples = [self.examples[at] for at in chosen]
        latents = torch.stack([example.latent for example in examples])
        framed = stacked([example.framed for example in examples])
        photos = tuple(example.photo for example in examples)
        masks = [example.weights for example in examples if example.weights is not None]
        return Batch(latents, photos, framed, torch.stack(masks) if masks else None)


def count_repeats(concepts: Collection[range]) -> dict[int, int]:
    """Say how often an epoch sees each photo, so that it sees each concept as often."""
    most = max(map(len, concepts), default=0)
    return {
        photo: most // len(photos) + (at < most % len(photos))
        for photos in concepts
        for at, photo in enumerate(photos)
    }


def fill_batches(order: list[int], size: int) -> Iterator[list[int]]:
    """Cut into full batches; the last one is filled up from the beginning."""
    for start in range(0, len(order), size):
        yield [order[at % len(order)] for at in range(start, start + size)]


def step_generator(seed: int, step: int, purpose: str) -> torch.Generator:
    """Seed a generator for one purpose at one step, so that a step needs no history."""
    mixed = (seed * 6_364_136_223_846_793_005 + step * 1_442_695_040_888_963_407) ^ hash_word(
        purpose
    )
    return torch.Generator().manual_seed(mixed % 2**63)


def hash_word(what: str) -> int:
    """Turn a word into a number that is the same in every process."""
    return int.from_bytes(what.encode().ljust(8, b"\0")[:8], "little")
