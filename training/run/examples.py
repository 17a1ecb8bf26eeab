"""Photos encoded once each, and batches of one shape made of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import lru_cache, partial
from io import BytesIO
from itertools import cycle, groupby, islice
from pathlib import Path

import torch
from PIL import Image, UnidentifiedImageError
from torch import Tensor

from storage.crops import MIDDLE, Framing, Size, centering, find_bucket, list_buckets
from storage.errors import JobError
from storage.photofiles import read_photo
from storage.photos.cut import cut_picture, vary_part
from storage.variations import Variation
from training.families import Crop, Family
from training.networks.conditioning import Conditions, stack_conditions
from training.networks.memory import vae_bytes
from training.recipe.concepts import TrainingPhoto
from training.recipe.recipe import Recipe
from training.run import masks

ENCODE_PIXELS = 2**15  #: encoded at once; one photo for a large base is more than that


@dataclass(frozen=True, slots=True)
class Example:
    """One photo, encoded."""

    latent: Tensor  # (C, h, w)
    photo: int  #: its number in the recipe
    size_conditioning: Conditions = field(default_factory=dict)  #: of SDXL: how it was cropped
    weights: Tensor | None = None  #: (1, h, w), of the loss; None weighs all places alike


@dataclass(frozen=True, slots=True)
class CroppedPhoto:
    """A photo, cropped to a bucket of the base."""

    picture: Image.Image
    frame: Crop
    mask: Image.Image | None  #: white where the photo is learned from; None without alpha
    kept: Image.Image | None  #: black on the bars beside a photo that is kept whole, else None


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


def crop_photo(folder: Path, photo: TrainingPhoto, buckets: list[Size]) -> CroppedPhoto:
    """Scale a photo of a folder, and crop it to the bucket nearest in aspect ratio.

    With a background, its transparent parts are laid on that.
    """
    try:
        with Image.open(BytesIO(read_photo(folder / photo.file))) as opened:
            opened.load()
            picture = opened.copy()
    except (OSError, UnidentifiedImageError) as broken:
        raise JobError("photo_broken", file=photo.file) from broken
    size, framing = find_bucket(picture.size, buckets), photo.framing or MIDDLE
    cut = partial(cut_picture, size=size, framing=framing, variation=photo.variation)
    ground = photo.background
    plain = masks.put_on(picture, ground) if ground else picture.convert("RGB")
    solid = Image.new("L", picture.size, 255)
    return CroppedPhoto(
        cut(plain),
        describe_crop(picture.size, size, framing, photo.variation),
        cut(picture.getchannel("A")) if picture.mode == "RGBA" else None,
        cut(solid) if framing.whole else None,
    )


def describe_crop(
    photo: Size, size: Size, framing: Framing, variation: Variation | None = None
) -> Crop:
    """Return how a photo was scaled and cropped to a size; a turn is not told."""
    if framing.whole:
        return Crop((photo[1], photo[0]), (0, 0), (size[1], size[0]))
    if variation is None:
        scale = max(size[0] / photo[0], size[1] / photo[1])
        at = centering(photo, size, framing)
        left, top = (
            round((side * scale - kept) * share)
            for side, kept, share in zip(photo, size, at, strict=True)
        )
    else:
        part = vary_part(photo, size, framing, variation)
        scale = size[0] / (part.right - part.left)
        first = photo[0] - part.right if variation.mirrored else part.left
        left, top = round(first * scale), round(part.top * scale)
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
    cropped = open_ahead(crop_photo(photos, photo, buckets) for photo in recipe.all_photos)
    encoded: list[tuple[Tensor, Crop, Tensor | None]] = []
    masked = 0
    for _, same_size in groupby(cropped, key=lambda photo: photo.frame.size):
        for batch in take_batches(same_size, max(1, ENCODE_PIXELS // side**2)):
            latents = family.encode([photo.picture for photo in batch])
            masked += sum(photo.mask is not None for photo in batch)
            encoded += [
                (latent, photo.frame, weigh_places(recipe, photo, latent))
                for latent, photo in zip(latents, batch, strict=True)
            ]
    if any(places is not None for *_, places in encoded):
        encoded = [
            (latent, frame, torch.ones(1, *latent.shape[-2:]) if places is None else places)
            for latent, frame, places in encoded
        ]
    if recipe.masked_loss:
        weights = [places for *_, places in encoded if places is not None]
        masks.check_masks(weights, masked, [photo.file for photo in recipe.all_photos])
    return [
        Example(latent, photo, family.size_conditioning(frame), places)
        for photo, (latent, frame, places) in enumerate(encoded)
    ]


def open_ahead(photos: Iterator[CroppedPhoto]) -> Iterator[CroppedPhoto]:
    """Yield photos; while one is encoded, a thread opens the next."""
    with ThreadPoolExecutor(1) as pool:
        upcoming = pool.submit(next, photos, None)
        while (photo := upcoming.result()) is not None:
            upcoming = pool.submit(next, photos, None)
            yield photo


def weigh_places(recipe: Recipe, photo: CroppedPhoto, latent: Tensor) -> Tensor | None:
    """Return the weights of a photo's places in the loss; None if all count the same."""
    weights = None
    if recipe.masked_loss:
        weights = masks.loss_weights(photo.mask, latent, recipe.unmasked_weight)
    if photo.kept is None:
        return weights
    kept = masks.loss_weights(photo.kept, latent, 0.0)
    return kept if weights is None else kept * weights


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
        concepts: Collection[Mapping[int, int]] = (),  # repeats of each one's photos, by number
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


def count_repeats(concepts: Collection[Mapping[int, int]]) -> Counter[int]:
    """Return how often an epoch shows each photo, so that every concept counts the same."""
    shown = [
        [photo for photo, repeats in photos.items() for _ in range(repeats)] for photos in concepts
    ]
    most = max(map(len, shown), default=0)
    return Counter(photo for photos in shown for photo in islice(cycle(photos), most))


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
