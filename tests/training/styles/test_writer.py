"""Style files: the same bytes for the same recipe, without private data."""

from __future__ import annotations

import hashlib
import json
import pickle
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
import torch
from PIL import Image
from safetensors import safe_open

from storage.errors import JobError
from training.recipe.concepts import SamplePrompt
from training.styles.thumbnail import make_thumbnail
from training.styles.writer import Origin, read_tensors, write_style

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from training.recipe.recipe import Recipe

ORIGIN = Origin("stable-diffusion-v1", "sd_v1", "lora", "v_prediction", "some/base")
WEIGHTS = {"b.alpha": torch.tensor(2.0), "a.lora_up.weight": torch.arange(6.0).view(3, 2)}
MUST = ("sai_model_spec", "architecture", "implementation", "title", "resolution")
SHOULD = ("description", "author", "date", "hash_sha256")


def header(path: Path) -> dict[str, str]:
    """Return a file's metadata."""
    with safe_open(path, "pt") as opened:
        told: dict[str, str] = opened.metadata()
        return told


def test_same_bytes(make_recipe: Callable[..., Recipe], tmp_path: Path) -> None:
    """The same recipe and tensors give the same bytes, with their digest."""
    digests = [write_style(tmp_path / n, dict(order), make_recipe(), ORIGIN) for n, order in
               (("a", WEIGHTS.items()), ("b", reversed(WEIGHTS.items())))]  # fmt: skip

    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()
    assert digests == [hashlib.sha256((tmp_path / "a").read_bytes()).hexdigest()] * 2


def test_rounded(make_recipe: Callable[..., Recipe], tmp_path: Path) -> None:
    """Tensors are written in half precision and read back."""
    write_style(tmp_path / "a", WEIGHTS, make_recipe(), ORIGIN)

    read = read_tensors(tmp_path / "a")

    assert all(tensor.dtype == torch.float16 for tensor in read.values())
    assert torch.equal(read["a.lora_up.weight"].float(), WEIGHTS["a.lora_up.weight"])


def test_modelspec(make_recipe: Callable[..., Recipe], tmp_path: Path) -> None:
    """The header has the fields that modelspec 1.0.1 requires and recommends."""
    write_style(tmp_path / "a", WEIGHTS, make_recipe(), ORIGIN)
    told = header(tmp_path / "a")

    assert all(told[f"modelspec.{field}"] for field in (*MUST, *SHOULD))
    assert told["modelspec.sai_model_spec"] == "1.0.1"
    assert told["modelspec.architecture"] == "stable-diffusion-v1/lora"
    assert told["modelspec.date"] == "2023-11-14T22:13:20Z"
    assert told["modelspec.prediction_type"] == "v"


def test_skip(make_recipe: Callable[..., Recipe], tmp_path: Path) -> None:
    """A clip skip is written as kohya's tools do, and left out if there is none."""
    write_style(tmp_path / "a", WEIGHTS, make_recipe(), replace(ORIGIN, clip_skip=2))
    write_style(tmp_path / "b", WEIGHTS, make_recipe(), ORIGIN)

    assert header(tmp_path / "a")["ss_clip_skip"] == "2"
    assert "ss_clip_skip" not in header(tmp_path / "b")


def test_hashes(make_recipe: Callable[..., Recipe], tmp_path: Path) -> None:
    """The hashes are kohya's, over everything after the header."""
    write_style(tmp_path / "a", WEIGHTS, make_recipe(), ORIGIN)
    content, told = (tmp_path / "a").read_bytes(), header(tmp_path / "a")
    digest = hashlib.sha256(content[8 + int.from_bytes(content[:8], "little") :]).hexdigest()

    assert told["sshs_model_hash"] == digest
    assert told["modelspec.hash_sha256"] == f"0x{digest}"


def test_read_by_others(make_recipe: Callable[..., Recipe], tmp_path: Path) -> None:
    """The header has what A1111 and Forge read: name, base, rank and the trigger as a tag."""
    write_style(tmp_path / "a", WEIGHTS, make_recipe(), ORIGIN)
    told = header(tmp_path / "a")

    assert told["ss_output_name"] == "mydog"
    assert told["ss_base_model_version"] == "sd_v1"
    assert told["ss_network_dim"] == told["ss_network_alpha"] == "2"
    assert json.loads(told["ss_tag_frequency"]) == {"safelight": {"mydog": 3}}
    assert json.loads(told["safelight.recipe"])["seed"] == 7


def test_made_with(make_recipe: Callable[..., Recipe], tmp_path: Path) -> None:
    """The header names the recipe, the base's fingerprint and every library."""
    write_style(tmp_path / "a", WEIGHTS, make_recipe(base_fingerprint="5afe"), ORIGIN)
    told = header(tmp_path / "a")

    versions = json.loads(told["safelight.versions"])
    assert set(versions) == {
        "safelight", "torch", "diffusers", "transformers", "peft", "lycoris-lora",
    }  # fmt: skip
    assert versions["torch"] in torch.__version__
    assert json.loads(told["safelight.recipe"])["base_fingerprint"] == "5afe"
    assert told["modelspec.trigger_phrase"] == "mydog"


def test_thumbnail(make_recipe: Callable[..., Recipe], tmp_path: Path) -> None:
    """A sample becomes the header's picture; without one there is none."""
    Image.new("RGB", (64, 64), (200, 60, 30)).save(tmp_path / "sample.png")
    write_style(tmp_path / "a", WEIGHTS, make_recipe(), ORIGIN, tmp_path / "sample.png")
    write_style(tmp_path / "b", WEIGHTS, make_recipe(), ORIGIN)

    assert header(tmp_path / "a")["modelspec.thumbnail"] == make_thumbnail(tmp_path / "sample.png")
    assert "modelspec.thumbnail" not in header(tmp_path / "b")


def test_private(make_recipe: Callable[..., Recipe], tmp_path: Path) -> None:
    """Captions, prompts, folders and photo names are not in the file."""
    asked = make_recipe(prompts=(SamplePrompt("my secret prompt", 1),))
    Image.new("RGB", (64, 64)).save(tmp_path / "sample.png")
    write_style(tmp_path / "a", WEIGHTS, asked, ORIGIN, tmp_path / "sample.png")
    content = (tmp_path / "a").read_bytes()

    for shot in asked.photos:
        assert shot.file.encode() not in content
        assert shot.caption.encode() not in content
    assert b"secret prompt" not in content
    assert str(tmp_path).encode() not in content


@pytest.mark.parametrize(
    "content",
    [b"", b"\0" * 100, b"\xff" * 8, pickle.dumps({"a": 1}), b'\x08\0\0\0\0\0\0\0{"a":1}}'],
)
def test_refused(tmp_path: Path, content: bytes) -> None:
    """Files that are not safetensors are refused, and no code in them runs."""
    (tmp_path / "a").write_bytes(content)

    with pytest.raises(JobError) as refused:
        read_tensors(tmp_path / "a")

    assert refused.value.code in {"style_foreign", "style_broken"}


def test_missing(tmp_path: Path) -> None:
    """A missing style has its own code."""
    with pytest.raises(JobError) as refused:
        read_tensors(tmp_path / "a")

    assert refused.value.code == "style_missing"
