"""Photos encoded once each, and batches of one shape made of them."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import groupby, islice
from pathlib import Path

import torch
from PIL import Image, ImageOps, UnidentifiedImageError
from torch import Tensor

from storage.errors import JobError
from training.families import Crop, Family
from training.lazy import LazyModule
from training.networks.conditioning import Conditions, stack_conditions
from training.networks.memory import vae_bytes
from training.recipe.recipe import Recipe
from training.run import masks

aspects = LazyModule("diffusers.training_utils")
ENCODE_PIXELS = 2**15  #: encoded at once; one photo for a large base is more than that
MIN_BUCKET_RESOLUTION = 256  #: a smaller base is trained on squares only


@dataclass(frozen=True, slots=True)
class Example:
    """One photo, encoded."""

    latent: Tensor  # (C, h, w)
    photo: int  #: its number in the recipe
    size_conditioning: Conditions = field(default_factory=dict)  #: of SDXL: how it was cropped
    weights: Tensor | None = None  #: (1, h, w), of the loss, with masked_loss


@dataclass(frozen=True, slots=True)
class CroppedPhoto:
    """A photo, cropped to a bucket of the base."""

    picture: Image.Image
    frame: Crop
    mask: Image.Image | None  #: white where the photo is learned from; None without alpha


@dataclass(frozen=True, slots=True)
class Batch:
    """Examples of one shape."""

    latents: Tensor  # (B, C, h, w)
    photos: tuple[int, ...]  #: their numbers in the recipe
    size_conditioning: Conditions = field(default_factory=dict)  #: of SDXL: how each was cropped
    weights: Tensor | None = None  # (B, 1, h, w)

    def split(self, count: int) -> Iterator[Batch]:
        """Split it into `count` parts of one size, for gradient accumulation."""
        size = len(self.photos) // count
        for first in range(0, len(self.photos), size):
            part = slice(first, first + size)
            sizes = {name: value[part] for name, value in self.size_conditioning.items()}
            weights = None if self.weights is None else self.weights[part]
            yield Batch(self.latents[part], self.photos[part], sizes, weights)


def list_buckets(resolution: int, grain: int) -> list[tuple[int, int]]:
    """List the aspect ratio buckets of a resolution, as (height, width) in pixels."""
    if resolution < MIN_BUCKET_RESOLUTION:
        side = max(grain, resolution // grain * grain)
        return [(side, side)]
    buckets: list[tuple[int, int]] = aspects.generate_aspect_ratio_buckets(
        resolution, max(grain, 64)
    )
    return buckets


def crop_photo(place: Path, buckets: list[tuple[int, int]], background: str = "") -> CroppedPhoto:
    """Scale a photo and crop it around its center to the bucket nearest in aspect ratio.

    With a background, its transparent parts are laid on that.
    """
    try:
        with Image.open(place) as opened:
            opened.load()
            photo = opened.copy()
    except (OSError, UnidentifiedImageError) as broken:
        raise JobError("photo_broken", file=place.name) from broken
    height, width = buckets[aspects.find_nearest_bucket(photo.height, photo.width, buckets)]
    size = (width, height)
    plain = masks.put_on(photo, background) if background else photo.convert("RGB")
    cropped = ImageOps.fit(plain, size, Image.Resampling.LANCZOS)
    return CroppedPhoto(cropped, describe_crop(photo.size, size), masks.crop_mask(photo, size))


def describe_crop(photo: tuple[int, int], size: tuple[int, int]) -> Crop:
    """Return how a photo was scaled and cropped to a size, both (width, height) in pixels."""
    scale = max(size[0] / photo[0], size[1] / photo[1])
    left, top = (round((side * scale - kept) / 2) for side, kept in zip(photo, size, strict=True))
    return Crop((photo[1], photo[0]), (top, left), (size[1], size[0]))


def encode_photos(family: Family, recipe: Recipe, photos: Path) -> list[Example]:
    """Encode every photo of a recipe at each of its resolutions."""
    examples: list[Example] = []
    sides = (recipe.resolution, *recipe.extra_resolutions)
    with family.on_device("vae"), family.with_free_memory("vae", vae_bytes(max(sides))):
        for side in sides:
            examples += encode_at(family, recipe, photos, side)
    return examples


def encode_at(family: Family, recipe: Recipe, photos: Path, side: int) -> list[Example]:
    """Encode every photo at one resolution; small photos of one size several at a time."""
    buckets = list_buckets(side, family.size_multiple)
    cropped = (
        crop_photo(photos / photo.file, buckets, photo.background) for photo in recipe.all_photos
    )
    encoded: list[tuple[Tensor, Crop, Image.Image | None]] = []
    for _, same_size in groupby(cropped, key=lambda photo: photo.frame.size):
        for batch in take_batches(same_size, max(1, ENCODE_PIXELS // side**2)):
            latents = family.encode([photo.picture for photo in batch])
            pairs = zip(latents, batch, strict=True)
            encoded += [(latent, photo.frame, photo.mask) for latent, photo in pairs]
    weights: list[Tensor] = []
    if recipe.masked_loss:
        weights = [
            masks.loss_weights(mask, latent, recipe.unmasked_weight) for latent, _, mask in encoded
        ]
        masked = sum(mask is not None for _, _, mask in encoded)
        masks.check_masks(weights, masked, [photo.file for photo in recipe.all_photos])
    return [
        Example(
            latent, photo, family.size_conditioning(frame), weights[photo] if weights else None
        )
        for photo, (latent, frame, _) in enumerate(encoded)
    ]


def take_batches(photos: Iterator[CroppedPhoto], size: int) -> Iterator[list[CroppedPhoto]]:
    """Yield photos in lists of at most `size`, cropping no more of them than that at once."""
    while batch := list(islice(photos, size)):
        yield batch


class Batches:
    """The photos of each step: a function of the seed and the step, nothing else."""

    def __init__(
        self,
        examples: list[Example],
        size: int,
        seed: int,
        concepts: Collection[range] = (),  # the numbers of each concept's photos
    ) -> None:
        self.examples, self.size, self.seed = examples, size, seed
        self.buckets: dict[tuple[int, ...], list[int]] = {}
        repeats = count_repeats(concepts)
        for at, example in enumerate(examples):
            bucket = self.buckets.setdefault(tuple(example.latent.shape), [])
            bucket += [at] * repeats.get(example.photo, 1)
        self.epoch_steps = sum(-(-len(bucket) // size) for bucket in self.buckets.values())
        self.plan = lru_cache(maxsize=1)(self.plan_epoch)

    def plan_epoch(self, epoch: int) -> list[list[int]]:
        """Shuffle the photos of each bucket into batches, then shuffle the batches."""
        generator = step_generator(self.seed, epoch, "epoch")
        batches = []
        for bucket in self.buckets.values():
            order = [bucket[at] for at in torch.randperm(len(bucket), generator=generator)]
            batches += list(fill_batches(order, self.size))
        return [batches[at] for at in torch.randperm(len(batches), generator=generator)]

    def at(self, step: int) -> Batch:
        """Return the batch of a step."""
        epoch, place = divmod(step, self.epoch_steps)
        examples = [self.examples[at] for at in self.plan(epoch)[place]]
        latents = torch.stack([example.latent for example in examples])
        sizes = stack_conditions([example.size_conditioning for example in examples])
        photos = tuple(example.photo for example in examples)
        masks = [example.weights for example in examples if example.weights is not None]
        return Batch(latents, photos, sizes, torch.stack(masks) if masks else None)


def count_repeats(concepts: Collection[range]) -> dict[int, int]:
    """Return how often an epoch repeats each photo, so that every concept counts the same."""
    most = max(map(len, concepts), default=0)
    return {
        photo: most // len(photos) + (at < most % len(photos))
        for photos in concepts
        for at, photo in enumerate(photos)
    }


def fill_batches(order: list[int], size: int) -> Iterator[list[int]]:
    """Split an order into full batches; the last one is filled up from the beginning."""
    for start in range(0, len(order), size):
        yield [order[at % len(order)] for at in range(start, start + size)]


def step_generator(seed: int, step: int, purpose: str) -> torch.Generator:
    """Return a generator for one purpose at one step: a resumed run draws what it would have."""
    mixed = seed * 6_364_136_223_846_793_005 + step * 1_442_695_040_888_963_407
    return torch.Generator().manual_seed((mixed ^ hash_word(purpose)) % 2**63)


def hash_word(word: str) -> int:
    """Return a number for a word that is the same in every process, unlike `hash`."""
    return int.from_bytes(word.encode().ljust(8, b"\0")[:8], "little")
