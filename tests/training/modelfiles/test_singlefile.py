"""Single-file models load without a hub, and other files are refused."""

from __future__ import annotations

import json
import os
from math import prod
from typing import TYPE_CHECKING, Any

import pytest
import torch
from diffusers import StableDiffusionPipeline
from safetensors.torch import save_file

from storage.errors import JobError
from training import embedded, families
from training.bases.cache import BaseCache
from training.modelfiles import configs, singlefile, singlefile_writer
from training.modelfiles.configs import shrink_shape

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(scope="module")
def pipeline() -> StableDiffusionPipeline:
    """Load the embedded base with diffusers."""
    loaded: StableDiffusionPipeline = StableDiffusionPipeline.from_pretrained(
        embedded.find_folder("diffusion"), dtype=torch.float32
    )
    return loaded


@pytest.fixture(scope="module")
def file(pipeline: StableDiffusionPipeline, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the embedded base as a single file."""
    unet, vae, text = (
        network.state_dict() for network in (pipeline.unet, pipeline.vae, pipeline.text_encoder)
    )
    content = singlefile_writer.to_single_file(unet, vae, [(text, False)])
    content["cond_stage_model.transformer.text_model.embeddings.position_ids"] = torch.arange(77)
    path = tmp_path_factory.mktemp("single") / "tiny.safetensors"
    save_file({name: tensor.contiguous() for name, tensor in content.items()}, path)
    return path


def test_same_weights(pipeline: StableDiffusionPipeline, file: Path) -> None:
    """A single file has the weights of the folder it was made from."""
    shape = singlefile.Shape(dict(pipeline.unet.config), dict(pipeline.vae.config),
                      pipeline.text_encoder.config.to_dict())  # fmt: skip

    loaded = singlefile.load_pipeline(file, torch.float32, shape)

    for part in ("unet", "vae", "text_encoder"):
        ours, theirs = (getattr(p, part).state_dict() for p in (loaded, pipeline))
        assert ours.keys() == theirs.keys()
        assert all(torch.equal(ours[name], theirs[name]) for name in ours), part
    assert loaded.scheduler.config.prediction_type == "epsilon"


def write_header(path: Path, shapes: dict[str, list[int]]) -> Path:
    """Write a sparse safetensors file: its header, and a hole for the tensors."""
    content, at = dict[str, Any](), 0
    for name, shape in shapes.items():
        end = at + 2 * prod(shape)
        content[name] = {"dtype": "F16", "shape": shape, "data_offsets": [at, end]}
        at = end
    line = json.dumps(content).encode()
    path.write_bytes(len(line).to_bytes(8, "little") + line)
    os.truncate(path, 8 + len(line) + at)
    return path


SD1 = {
    singlefile.TO_K_KEY: [320, 768], singlefile.CONV_IN_KEY: [320, 4, 3, 3],
    singlefile.CLIP_KEY: [49408, 768],
    singlefile.VAE_KEY: [128, 3, 3, 3],
}  # fmt: skip
SD2 = SD1 | {singlefile.TO_K_KEY: [320, 1024], singlefile.OPENCLIP_KEY: [49408, 1024]}
SDXL = {
    singlefile.CONV_IN_KEY: [320, 4, 3, 3], singlefile.SDXL_CLIP_KEY: [49408, 768],
    singlefile.SDXL_OPENCLIP_KEY: [49408, 1280],
    singlefile.LABEL_KEY: [1280, 2816], singlefile.VAE_KEY: [128, 3, 3, 3],
}  # fmt: skip


@pytest.mark.parametrize(
    ("shapes", "without", "family", "amiss"),
    [
        (SD1, "", "sd1", "part"),
        (SD2, singlefile.CLIP_KEY, "sd2", "part"),
        (SDXL, "", "sdxl", "part"),
        (SD1 | {singlefile.TO_K_KEY: [320, 1024]}, "", "", "part"),
        (SD1 | {singlefile.CONV_IN_KEY: [320, 9, 3, 3]}, "", "", "inpaint"),
        (SD2 | {singlefile.CONV_IN_KEY: [320, 9, 3, 3]}, "", "", "inpaint"),
        (SDXL | {singlefile.CONV_IN_KEY: [320, 9, 3, 3]}, "", "", "inpaint"),
        (SD1, singlefile.CLIP_KEY, "", "part"),
        (SD1, singlefile.VAE_KEY, "", "part"),
        (
            SDXL | {singlefile.REFINER_KEY: [49408, 1280], singlefile.CONV_IN_KEY: [384, 4, 3, 3]},
            singlefile.SDXL_OPENCLIP_KEY,
            "",
            "refiner",
        ),
        ({"lora_unet_x.alpha": []}, "", "", ""),
    ],
)
def test_family(
    tmp_path: Path, shapes: dict[str, list[int]], without: str, family: str, amiss: str
) -> None:
    """A whole model's family is known by its header; refiners, inpainting and parts are named."""
    shapes = {name: shape for name, shape in shapes.items() if name != without}
    place = write_header(tmp_path / "a.safetensors", shapes)

    assert singlefile.detect_family(place) == family
    assert singlefile.find_fault(place) == amiss
    for name, module in families.walk().items():
        assert module.recognises(place) is (name == family)


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({singlefile.CONV_IN_KEY: [320, 9, 3, 3]}, "base_inpaint"),
        ({singlefile.TO_K_KEY: [320, 1]}, "base_part"),
    ],
)
def test_demand(tmp_path: Path, change: dict[str, list[int]], code: str) -> None:
    """A file that is listed under a wrong family is refused, naming what it is."""
    place = write_header(tmp_path / "a.safetensors", SD1 | change)

    for refuses in (
        lambda: singlefile.require_family(place, "sd1"),
        lambda: BaseCache(tmp_path).find("a"),
    ):
        with pytest.raises(JobError) as refused:
            refuses()
        assert refused.value.code == code


@pytest.mark.parametrize(
    ("content", "told", "expected"),
    [
        ({}, "", "epsilon"),
        ({}, "v", "v_prediction"),
        ({"v_pred": torch.zeros(0)}, "", "v_prediction"),
        (
            {
                singlefile.OPENCLIP_KEY: torch.zeros(1),
                singlefile.V_BIAS_KEY: torch.tensor([-0.2, 0.2]),
            },
            "",
            "v_prediction",
        ),
        (
            {
                singlefile.OPENCLIP_KEY: torch.zeros(1),
                singlefile.V_BIAS_KEY: torch.tensor([-0.2, 0.2]),
            },
            "epsilon",
            "epsilon",
        ),
        (
            {
                singlefile.OPENCLIP_KEY: torch.zeros(1),
                singlefile.V_BIAS_KEY: torch.tensor([-0.02, 0.02]),
            },
            "",
            "epsilon",
        ),
        ({singlefile.V_BIAS_KEY: torch.tensor([-0.2, 0.2])}, "", "epsilon"),
    ],
)
def test_prediction(
    tmp_path: Path, content: dict[str, torch.Tensor], told: str, expected: str
) -> None:
    """Metadata takes precedence over marker keys, and these over SD 2's weight statistics."""
    place = tmp_path / "a.safetensors"
    save_file({"x": torch.zeros(1)}, place, {"modelspec.prediction_type": told} if told else None)

    assert singlefile.detect_prediction(place, content) == expected


def test_more_than_is_read() -> None:
    """The layer and projection that SD 2's file has in excess are left out."""
    with torch.device("meta"):
        networks = singlefile.make_empty_networks(configs.SD2)
        unet, vae, text = (network.state_dict() for network in networks.values())
        content = singlefile_writer.to_single_file(unet, vae, [(text, True)])
    start = "cond_stage_model.model."
    more = {name.replace(".22.", ".23."): t for name, t in content.items() if ".22." in name}
    more |= {
        f"{start}text_projection": torch.ones(1024, 1024),
        f"{start}logit_scale": torch.ones(1),
    }

    found = singlefile.convert_tensors(content | more, networks)

    assert len(more) == 14
    assert found["text_encoder"].keys() == text.keys()
    assert found["unet"].keys() == unet.keys()


@pytest.mark.parametrize("content", [b"", b"\xff" * 40, b"\x80\x02}q\x00."])
def test_broken(tmp_path: Path, content: bytes) -> None:
    """A file that is not safetensors is not recognised, and refused with a code."""
    path = tmp_path / "a.safetensors"
    path.write_bytes(content)
    shape = shrink_shape(singlefile.SD15)

    assert not singlefile.detect_family(path)
    assert not singlefile.find_fault(path)
    with pytest.raises(JobError) as refused:
        singlefile.load_pipeline(path, torch.float32, shape)
    assert refused.value.code == "base_broken"
