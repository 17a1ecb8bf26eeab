"""What every captioner does, shown on random weights in the files that the real ones come in."""

from __future__ import annotations

import json
from functools import partial
from typing import TYPE_CHECKING

import pytest
import torch
from PIL import Image

from storage.errors import JobError
from tests.fakes.captioners import write_blip, write_florence2, write_wd_tagger
from training import captioners
from training.captioners import Description, wd
from training.captioners.florence2 import tidy_caption
from training.device import Device

if TYPE_CHECKING:
    from pathlib import Path

KINDS = {
    "blip base": ("blip", write_blip),
    "blip large": ("blip", partial(write_blip, large=True)),
    "florence2": ("florence2", write_florence2),
    "wd": ("wd", write_wd_tagger),
}


@pytest.fixture(scope="module", params=KINDS)
def model(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory):
    """Return a captioner's module, its folder and itself, loaded."""
    name, write = KINDS[request.param]
    place = write(tmp_path_factory.mktemp("captioner") / "model")
    assert captioners.find_name(place) == name
    module = captioners.find_module(place)
    return module, place, module.load(place, Device.open(cpu=True))


def make_pictures() -> list[Image.Image]:
    """Return pictures of several shapes and modes."""
    return [
        Image.new("RGB", (90, 60), "red"),
        Image.effect_noise((40, 80), 90),
        Image.new("RGBA", (64, 64), (0, 0, 255, 128)),
    ]


def test_a_batch_is_described_as_each_picture_alone(model) -> None:
    """One line for each picture, whatever is beside it; all of them are known."""
    _, _, captioner = model

    pictures = make_pictures()
    together = captioner.describe(pictures)

    assert together == [captioner.describe([each])[0] for each in pictures]
    assert all(isinstance(each, Description) and each.known for each in together)
    assert all("\n" not in each.text for each in together)


def test_features_tell_pictures_apart(model) -> None:
    """They have places and channels, the same for equal pictures only."""
    _, _, captioner = model
    red, noise, _ = make_pictures()

    one, other, again = captioner.extract_features([red, noise, red])

    assert one.dim() == 2
    assert torch.allclose(one, again, atol=1e-5)
    assert not torch.allclose(one, other, atol=1e-3)


def test_damaged_weights(model, tmp_path: Path) -> None:
    """A file that ends too early is refused by the captioner's name."""
    module, place, _ = model
    for file in place.iterdir():
        content = file.read_bytes()
        cut = content[: len(content) // 2] if file.suffix == ".safetensors" else content
        (tmp_path / file.name).write_bytes(cut)

    with pytest.raises(JobError, match="captioner_broken"):
        module.load(tmp_path, Device.open(cpu=True))


def test_models_with_code_of_their_own(tmp_path: Path) -> None:
    """A Florence-2 that needs code from the hub is not recognised: none is ever run."""
    config = {"model_type": "florence2", "auto_map": {"AutoConfig": "configuration_florence2.X"}}
    (tmp_path / "config.json").write_text(json.dumps(config))

    assert captioners.find_name(tmp_path) is None


@pytest.mark.parametrize(
    ("text", "tidy"),
    [
        ("The image shows a dog on grass.", "a dog on grass"),
        ("In this image, there is a red\nhouse.", "a red house"),
        ("a picture of the image", "a picture of the image"),
    ],
)
def test_openings_of_florence(text: str, tidy: str) -> None:
    """What would begin every caption is left out."""
    assert tidy_caption(text) == tidy


def test_tags(tmp_path: Path) -> None:
    """Ratings are left out, the surest comes first, spaces are written but in ^_^."""
    tagger = wd.load(write_wd_tagger(tmp_path / "wd"), Device.open(cpu=True))

    assert tagger.choose_tags([1.0, 0.4, 0.9, 0.5, 0.7]) == ["red hair", "^_^", "1girl"]
    assert tagger.choose_tags([1.0, 0.1, 0.36, 0.3, 0.8]) == ["hatsune miku", "red hair"]
    assert tagger.choose_tags([1.0, 0.1, 0.1, 0.1, 0.1]) == []


def test_a_tagger_sees_a_square_blue_first(tmp_path: Path) -> None:
    """A wide picture gets white above and below, and colours go as blue, green, red."""
    tagger = wd.load(write_wd_tagger(tmp_path / "wd"), Device.open(cpu=True))

    (pixels,) = tagger.to_pixels([Image.new("RGB", (40, 20), (255, 0, 51))])

    assert pixels.shape == (3, 64, 64)
    assert pixels[:, 2, 32].tolist() == [1, 1, 1]
    assert pixels[:, 32, 32].tolist() == pytest.approx([-0.6, -1, 1])
