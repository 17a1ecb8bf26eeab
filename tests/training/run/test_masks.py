"""Masks are cropped like their photos, weight the loss by place, and are refused if useless."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from PIL import Image, ImageDraw

from storage.errors import JobError
from training.recipe.backgrounds import COLOURS
from training.recipe.concepts import TrainingPhoto
from training.run import masks
from training.run.examples import Batches, crop_photo, encode_photos
from training.run.loop import train


def see_through(size, box):
    """Return a picture that is opaque in one box only."""
    picture = Image.new("RGBA", size, (200, 60, 30, 0))
    ImageDraw.Draw(picture).rectangle(box, fill=(20, 200, 100, 255))
    return picture


def test_a_mask_is_cut_as_its_photo(tmp_path):
    """Photo and mask are cropped alike; a photo without alpha has no mask."""
    see_through((300, 100), (100, 0, 149, 99)).save(tmp_path / "wide.png")
    Image.new("RGB", (64, 64)).save(tmp_path / "plain.png")

    wide, plain = (
        crop_photo(tmp_path, TrainingPhoto(f"{name}.png", ""), [(64, 64)])
        for name in ("wide", "plain")
    )

    assert (wide.mask.size, plain.mask) == (wide.picture.size, None)
    assert (wide.mask.getpixel((5, 30)), wide.mask.getpixel((60, 30))) == (255, 0)
    assert wide.picture.getpixel((5, 30)) == (20, 200, 100)


def test_a_background_is_laid_behind(tmp_path):
    """Transparent parts take the ground's colour; what is half seen is mixed with it."""
    picture = Image.new("RGBA", (64, 64), (255, 255, 255, 0))
    ImageDraw.Draw(picture).rectangle((0, 0, 31, 31), fill=(20, 200, 100, 255))
    half = tuple(round((colour + 255) / 2) for colour in (20, 200, 100))  # as photos are kept
    ImageDraw.Draw(picture).rectangle((32, 0, 63, 31), fill=(*half, 128))
    picture.save(tmp_path / "a.png")

    seen = crop_photo(tmp_path, TrainingPhoto("a.png", "", "blue"), [(64, 64)]).picture

    assert seen.getpixel((10, 10)) == (20, 200, 100)
    assert seen.getpixel((10, 50)) == COLOURS["blue"]
    mixed = [(a + b) / 2 for a, b in zip((20, 200, 100), COLOURS["blue"], strict=True)]
    assert seen.getpixel((50, 10)) == pytest.approx(mixed, abs=1.5)


def test_weights_go_from_the_background_to_one():
    """A latent's place has its pixels' mean weight; without a mask all are one."""
    mask = see_through((64, 64), (0, 0, 31, 63)).getchannel("A")
    latent = torch.zeros(4, 16, 16)

    weights = masks.loss_weights(mask, latent, 0.2)

    assert weights.shape == (1, 16, 16)
    assert torch.equal(weights[0, :, :8], torch.ones(16, 8))
    assert torch.allclose(weights[0, :, 8:], torch.full((16, 8), 0.2))
    assert torch.equal(masks.loss_weights(None, latent, 0.2), torch.ones(1, 16, 16))


def mask_left_half(folder, asked):
    """Make the left half of each photo opaque."""
    for shot in asked.photos:
        path = folder.photos / shot.file
        with Image.open(path) as opened:
            picture = opened.convert("RGB")
        alpha = Image.new("L", picture.size)
        alpha.paste(255, (0, 0, picture.width // 2, picture.height))
        picture.putalpha(alpha)
        picture.save(path)
    return folder


def test_examples_have_weights_where_masks_count(bases, make_recipe, make_job_folder):
    """Batches carry weights only if the option is on."""
    asked = make_recipe(resolution=64, masked_loss=True, unmasked_weight=0.0)
    photos = mask_left_half(make_job_folder(asked), asked).photos
    with bases.borrow("embedded") as family:
        masked = encode_photos(family, asked, photos)
        plain = encode_photos(family, replace(asked, masked_loss=False), photos)

    assert [example.weights.shape for example in masked] == [(1, 16, 16)] * 3
    assert all(example.weights is None for example in plain)
    assert all(torch.equal(a.latent, b.latent) for a, b in zip(masked, plain, strict=True))
    assert Batches(masked, 2, 1).at(0).weights.shape == (2, 1, 16, 16)
    assert Batches(plain, 2, 1).at(0).weights is None


def test_masks_change_what_is_learnt(bases, make_recipe, make_job_folder, run_task):
    """The same photos with and without masks give different files."""
    files = []
    for name, masked in (("with", True), ("without", False)):
        asked = make_recipe(resolution=64, masked_loss=masked, learning_rate=2e-2, steps=2)
        folder = mask_left_half(make_job_folder(asked, name), asked)
        assert run_task(train(folder, bases))[-1].kind == "done"
        files.append((folder.result / "mydog.safetensors").read_bytes())

    assert files[0] != files[1]


@pytest.mark.parametrize(
    ("alpha", "background", "code"),
    [(None, 0.1, "mask_missing"), (0, 0.0, "mask_empty"), (0, 0.1, None)],
)
def test_of_no_use(bases, make_recipe, make_job_folder, *, alpha, background, code):
    """Without any mask, or with an empty one, the job fails with a code."""
    asked = make_recipe(resolution=64, masked_loss=True, unmasked_weight=background, photos=1)
    folder = make_job_folder(asked)
    if alpha is not None:
        Image.new("RGBA", (80, 80), (9, 9, 9, alpha)).save(folder.photos / "0.png")
    with bases.borrow("embedded") as family:
        if code is None:
            assert encode_photos(family, asked, folder.photos)
            return
        with pytest.raises(JobError) as refused:
            encode_photos(family, asked, folder.photos)

    assert refused.value.code == code
