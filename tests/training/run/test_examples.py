"""Batches of photos: of one shape, evenly drawn, and repeatable."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import pytest
import torch
from PIL import Image

from storage.errors import JobError
from training.families import Crop
from training.run.examples import Batches, Example, crop_photo, encode_photos, list_buckets

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from storage.folders import JobFolder
    from training.bases.cache import BaseCache
    from training.recipe.recipe import Recipe


def make_examples(*shapes: tuple[int, int]) -> list[Example]:
    """Return examples of given shapes."""
    return [Example(torch.zeros(4, *shape), at) for at, shape in enumerate(shapes)]


def test_even() -> None:
    """In an epoch every photo is drawn as often as the others of its shape."""
    batches = Batches(make_examples(*[(8, 8)] * 6, *[(8, 16)] * 4), 2, seed=1)
    seen = Counter(at for step in range(batches.epoch_steps * 3) for at in batches.at(step).photos)

    assert batches.epoch_steps == 5
    assert set(seen.values()) == {3}


def test_concepts_are_even() -> None:
    """In an epoch concepts are drawn equally often, and their photos within one of each other."""
    concepts = (range(5), range(5, 7))
    batches = Batches(make_examples(*[(8, 8)] * 7), 5, 1, concepts)
    seen = Counter(at for step in range(batches.epoch_steps) for at in batches.at(step).photos)

    assert batches.epoch_steps == 2
    assert [sum(seen[at] for at in photos) for photos in concepts] == [5, 5]
    assert sorted(seen[at] for at in concepts[1]) == [2, 3]


def test_one_shape() -> None:
    """A batch has one shape and is full, even with fewer photos than its size."""
    batches = Batches(make_examples((8, 8), (8, 8), (16, 8)), 4, seed=1)

    shapes = {tuple(batches.at(step).latents.shape) for step in range(8)}

    assert shapes == {(4, 4, 8, 8), (4, 4, 16, 8)}


def test_repeatable() -> None:
    """The seed and the step alone determine a step's batch."""
    one, two, three = (Batches(make_examples(*[(8, 8)] * 7), 2, seed=seed) for seed in (1, 1, 2))
    forward = [one.at(step).photos for step in range(20)]
    backward = [two.at(step).photos for step in reversed(range(20))][::-1]

    assert forward == backward
    assert forward != [three.at(step).photos for step in range(20)]


def test_sizes() -> None:
    """A small base knows only squares, a larger one about nine shapes of similar area."""
    assert list_buckets(64, 4) == [(64, 64)]
    large = list_buckets(512, 8)
    assert (512, 512) in large
    assert len(large) > 4
    assert all(h % 64 == w % 64 == 0 for h, w in large)


def test_fitted(tmp_path: Path) -> None:
    """A photo of any format is scaled and centre-cropped."""
    wide = Image.new("RGB", (300, 100), "red")
    wide.paste("blue", (100, 0, 200, 100))
    wide.save(tmp_path / "wide.png")

    fit = crop_photo(tmp_path / "wide.png", [(64, 64)])

    picture = fit.picture
    assert picture.size == (64, 64)
    assert fit.frame == Crop((100, 300), (0, 64), (64, 64))
    assert picture.getpixel((32, 32)) == picture.getpixel((5, 5)) == (0, 0, 255)


def test_broken(tmp_path: Path) -> None:
    """A photo that cannot be read is named."""
    (tmp_path / "a.png").write_bytes(b"no picture")

    with pytest.raises(JobError) as refused:
        crop_photo(tmp_path / "a.png", [(64, 64)])

    assert refused.value.code == "photo_broken"


def test_encoded(
    bases: BaseCache, make_recipe: Callable[..., Recipe], make_job_folder: Callable[..., JobFolder]
) -> None:
    """Photos are encoded the same each time."""
    asked = make_recipe()
    photos = make_job_folder(asked).photos
    with bases.borrow("embedded") as family:
        first, second = (encode_photos(family, asked, photos) for _ in range(2))

    assert [tuple(example.latent.shape) for example in first] == [(8, 16, 16)] * 3
    assert all(torch.equal(a.latent, b.latent) for a, b in zip(first, second, strict=True))


def test_several_sizes(
    bases: BaseCache, make_recipe: Callable[..., Recipe], make_job_folder: Callable[..., JobFolder]
) -> None:
    """Each photo is encoded at every size; sizes are drawn equally often, one per batch."""
    asked = make_recipe(extra_resolutions=(48, 82))
    with bases.borrow("embedded") as family:
        examples = encode_photos(family, asked, make_job_folder(asked).photos)
    batches = Batches(examples, 2, seed=1)

    sizes = Counter(example.latent.shape[-1] for example in examples)
    seen = Counter(
        (photo, batch.latents.shape[-1])
        for batch in map(batches.at, range(batches.epoch_steps * 2))
        for photo in batch.photos
    )
    assert sizes == {16: 3, 12: 3, 20: 3}
    assert len(seen) == 9
    assert set(seen.values()) <= {2, 3, 4}
