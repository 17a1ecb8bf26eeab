"""BLIP describes pictures in batches, and knows its limits where it has some."""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING

import pytest
from PIL import Image

from benchmarks.teaching import spec
from storage.errors import JobError
from training.captioners import Description, blip
from training.device import Device
from training.embedded import find_folder

if TYPE_CHECKING:
    from pathlib import Path

    from training.captioners.blip import Blip


@pytest.fixture(scope="module")
def captioner() -> Blip:
    """Load the shipped captioner."""
    return blip.load(find_folder("blip"), Device.open(cpu=True))


def read_emoji() -> list[Image.Image]:
    """Return pictures that the shipped captioner knows."""
    paths = sorted((spec.PICTURES / "firefox" / "measure").glob("*.png"))[:3]
    return [Image.open(path).convert("RGB") for path in paths]


def test_a_batch_is_described_as_each_picture_alone(captioner: Blip) -> None:
    """What a picture is beside changes nothing."""
    pictures = [*read_emoji(), Image.effect_noise((64, 64), 80)]

    together = captioner.describe(pictures)

    assert together == [captioner.describe([each])[0] for each in pictures]
    assert [each.known for each in together] == [True, True, True, False]


def test_another_blip_has_no_limits(tmp_path: Path) -> None:
    """Without the file of its limits, a BLIP describes whatever it sees."""
    place = shutil.copytree(find_folder("blip"), tmp_path / "blip")
    (place / blip.LIMITS_FILE).unlink()

    (found,) = blip.load(place, Device.open(cpu=True)).describe([Image.effect_noise((64, 64), 80)])

    assert isinstance(found, Description)
    assert found.known
    assert "emoji" in found.text


@pytest.mark.parametrize("content", ["no JSON", json.dumps({"strange": 1})])
def test_broken_limits(tmp_path: Path, content: str) -> None:
    """A captioner with a damaged file is refused by name."""
    place = shutil.copytree(find_folder("blip"), tmp_path / "blip")
    (place / blip.LIMITS_FILE).write_text(content)

    with pytest.raises(JobError, match="captioner_broken"):
        blip.load(place, Device.open(cpu=True))
