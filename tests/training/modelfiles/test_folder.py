"""Bases as folders are recognised by their configurations, and refused if they hold pickles."""

from __future__ import annotations

import json
import shutil

import pytest

from storage.errors import JobError
from training.families import walk
from training.modelfiles import folder


def test_kinds(tiny_bases):
    """Folders of OpenAI's CLIP, OpenCLIP and two text encoders are told apart by their configs."""
    kinds = {
        name: folder.read_kind(tiny_bases.folder / f"tiny-{name}")
        for name in ("sd1", "sd2", "sdxl")
    }

    assert kinds == {
        "sd1": ("StableDiffusionPipeline", "quick_gelu"),
        "sd2": ("StableDiffusionPipeline", "gelu"),
        "sdxl": ("StableDiffusionXLPipeline", "quick_gelu"),
    }


def test_inpainting(tmp_path):
    """A UNet with mask input belongs to no family."""
    (tmp_path / "unet").mkdir()
    (tmp_path / "unet" / "config.json").write_text(json.dumps({"in_channels": 9}))
    (tmp_path / "model_index.json").write_text('{"_class_name": "StableDiffusionPipeline"}')

    assert not any(family.recognises(tmp_path) for family in walk().values())


@pytest.mark.parametrize("name", ["sd1", "sdxl"])
@pytest.mark.parametrize(
    ("change", "code"), [("rename", "base_pickle"), ("damage", "base_broken")]
)
def test_refused(tiny_bases, tmp_path, name, change, code):
    """Weights that are not safetensors are not opened; damaged ones are refused."""
    place = tmp_path / f"tiny-{name}"
    shutil.copytree(tiny_bases.folder / place.name, place)
    (weights,) = (place / "unet").glob("*.safetensors")
    if change == "rename":
        weights.rename(weights.with_suffix(".bin"))
    else:
        weights.write_bytes(b"\x80\x04}")

    with pytest.raises(JobError) as refused:
        walk()[name].load(place, tiny_bases.device, tiny_bases.find(f"tiny-{name}"))

    assert refused.value.code == code


def test_more_latent_channels(tmp_path):
    """A base whose autoencoder has eight channels is recognised like one with four."""
    for part, config in (("unet", {"in_channels": 8}), ("vae", {"latent_channels": 8})):
        (tmp_path / part).mkdir()
        (tmp_path / part / "config.json").write_text(json.dumps(config))
    (tmp_path / "model_index.json").write_text('{"_class_name": "StableDiffusionPipeline"}')

    assert folder.read_kind(tmp_path) == ("StableDiffusionPipeline", "quick_gelu")
