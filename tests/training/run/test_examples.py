"""Batches of photos: of one shape, evenly drawn, and repeatable."""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
import torch
from diffusers import training_utils
from PIL import Image

from storage.crops import Framing, find_bucket, list_buckets
from storage.errors import JobError
from storage.photofiles import PhotoKeys, new_key, using_keys, write_photo
from storage.variations import Variation
from training.families import Crop
from training.recipe.concepts import TrainingPhoto
from training.run.examples import Batches, Example, count_repeats, crop_photo, encode_photos

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
    concepts = [dict.fromkeys(photos, 1) for photos in (range(5), range(5, 7))]
    batches = Batches(make_examples(*[(8, 8)] * 7), 5, 1, concepts)
    seen = Counter(at for step in range(batches.epoch_steps) for at in batches.at(step).photos)

    assert batches.epoch_steps == 2
    assert [sum(seen[at] for at in photos) for photos in concepts] == [5, 5]
    assert sorted(seen[at] for at in concepts[1]) == [2, 3]


def test_repeats() -> None:
    """An epoch shows a photo as often as it is repeated; concepts count the same all the same."""
    one = count_repeats([{0: 1, 1: 2, 2: 1}])
    two = count_repeats([{0: 1, 1: 2, 2: 1}, {3: 1}])
    batches = Batches(make_examples(*[(8, 8)] * 3), 2, 1, [{0: 1, 1: 2, 2: 1}])
    seen = Counter(at for step in range(batches.epoch_steps * 2) for at in batches.at(step).photos)

    assert one == {0: 1, 1: 2, 2: 1}
    assert two == {**one, 3: 4}
    assert seen == {0: 2, 1: 4, 2: 2}


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


def test_buckets_are_those_of_diffusers() -> None:
    """Buckets, and the one for each photo, are as they were when diffusers listed them."""
    rng = random.Random(0)
    for resolution in (256, 512, 768, 1024):
        buckets = list_buckets(resolution, 8)
        theirs = training_utils.generate_aspect_ratio_buckets(resolution, 64)
        assert [(height, width) for width, height in buckets] == theirs
        for _ in range(200):
            width, height = rng.randrange(16, 1537), rng.randrange(16, 1537)
            at = training_utils.find_nearest_bucket(height, width, theirs)
            assert find_bucket((width, height), buckets) == buckets[at]


@pytest.mark.parametrize(
    ("framing", "corner", "seen"),
    [
        (None, 64, {"blue"}),
        (Framing(0.0, 0.5), 0, {"red"}),
        (Framing(0.9, 0.5), 128, {"red"}),
        (Framing(1 / 3, 0.5), 32, {"red", "blue"}),
    ],
)
def test_fitted(tmp_path: Path, framing: Framing | None, corner: int, seen: set[str]) -> None:
    """A photo is scaled and cropped around the place of its framing, else its middle."""
    wide = Image.new("RGB", (300, 100), "red")
    wide.paste("blue", (100, 0, 200, 100))
    wide.save(tmp_path / "wide.png")

    fit = crop_photo(tmp_path, TrainingPhoto("wide.png", "", framing=framing), [(64, 64)])

    assert fit.picture.size == (64, 64)
    assert fit.frame == Crop((100, 300), (0, corner), (64, 64))
    names = {(255, 0, 0): "red", (0, 0, 255): "blue"}
    assert {names[fit.picture.getpixel((x, 32))] for x in (5, 58)} == seen
    assert fit.kept is None


def test_variations_are_shown(tmp_path: Path) -> None:
    """A mirrored photo is told to SDXL as it lies; what is nearer is scaled up more."""
    wide = Image.new("RGB", (300, 100), "red")
    wide.paste("blue", (0, 0, 100, 100))
    wide.save(tmp_path / "wide.png")
    photo = TrainingPhoto("wide.png", "", framing=Framing(0.0, 0.5))

    same, mirrored, near = (
        crop_photo(tmp_path, replace(photo, variation=each), [(64, 64)])
        for each in (Variation(), Variation(mirrored=True), Variation(zoom=2, x=0.0, y=0.5))
    )

    assert same.frame == crop_photo(tmp_path, photo, [(64, 64)]).frame
    assert mirrored.frame == Crop((100, 300), (0, 128), (64, 64))
    assert near.frame == Crop((100, 300), (32, 0), (64, 64))


def test_bars_beside_a_whole_photo_are_not_learned_from(
    bases: BaseCache, make_recipe: Callable[..., Recipe], make_job_folder: Callable[..., JobFolder]
) -> None:
    """A photo kept whole lies between bars without weight; beside it, all of the others count."""
    asked = make_recipe(resolution=64)
    folder = make_job_folder(asked)
    first, *rest = asked.photos
    Image.new("RGB", (300, 100), "red").save(folder.photos / first.file)
    photos = (replace(first, framing=Framing(whole=True)), *rest)
    with bases.borrow("embedded") as family:
        examples = encode_photos(family, replace(asked, photos=photos), folder.photos)
        without = encode_photos(family, asked, folder.photos)

    whole, *others = (example.weights for example in examples)
    assert whole is not None
    assert whole[0, :4].sum() == whole[0, -4:].sum() == 0
    assert (whole[0, 7:9] == 1).all()
    assert all((each == 1).all() for each in others)
    assert all(example.weights is None for example in without)
    assert Batches(examples, 2, seed=1).at(0).weights.shape == (2, 1, 16, 16)


def test_encrypted(
    bases: BaseCache, make_recipe: Callable[..., Recipe], make_job_folder: Callable[..., JobFolder]
) -> None:
    """Photos that are encrypted in the job folder give the same latents."""
    folder = make_job_folder(asked := make_recipe(resolution=64))
    with bases.borrow("embedded") as family:
        plain = encode_photos(family, asked, folder.photos)
        with using_keys(PhotoKeys.parse(new_key())):
            for photo in asked.photos:
                content = (folder.photos / photo.file).read_bytes()
                write_photo(folder.photos / photo.file, content, "ab" * 32)
                assert (folder.photos / photo.file).read_bytes() != content
            sealed = encode_photos(family, asked, folder.photos)

    assert [each.photo for each in sealed] == [each.photo for each in plain]
    assert all(one.latent.equal(two.latent) for one, two in zip(plain, sealed, strict=True))


def test_broken(tmp_path: Path) -> None:
    """A photo that cannot be read is named."""
    (tmp_path / "a.png").write_bytes(b"no picture")

    with pytest.raises(JobError) as refused:
        crop_photo(tmp_path, TrainingPhoto("a.png", ""), [(64, 64)])

    assert refused.value.code == "photo_broken"


def test_encoded(
    bases: BaseCache, make_recipe: Callable[..., Recipe], make_job_folder: Callable[..., JobFolder]
) -> None:
    """Photos are encoded the same each time."""
    asked = make_recipe(resolution=64)
    photos = make_job_folder(asked).photos
    with bases.borrow("embedded") as family:
        first, second = (encode_photos(family, asked, photos) for _ in range(2))

    assert [tuple(example.latent.shape) for example in first] == [(8, 16, 16)] * 3
    assert all(torch.equal(a.latent, b.latent) for a, b in zip(first, second, strict=True))


def test_several_sizes(
    bases: BaseCache, make_recipe: Callable[..., Recipe], make_job_folder: Callable[..., JobFolder]
) -> None:
    """Each photo is encoded at every size; sizes are drawn equally often, one per batch."""
    asked = make_recipe(resolution=64, extra_resolutions=(48, 82))
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
