"""The shipped weights are small, complete and loadable."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from storage.errors import JobError
from training.embedded import SUMS, WEIGHTS, find_folder, verify_folder

ROOT = Path(__file__).parents[3]


def test_the_weights_are_whole():
    """The weights in the repository match their checksums."""
    assert verify_folder("diffusion") == find_folder("diffusion")
    assert verify_folder("blip") == find_folder("blip")


def test_the_weights_are_small():
    """All models together take at most 40 MB."""
    size = sum(path.stat().st_size for path in WEIGHTS.rglob("*") if path.is_file())

    assert size <= 40_000_000


@pytest.fixture
def copy(tmp_path):
    """Return a copy of the small captioner and the list of checksums."""
    shutil.copytree(WEIGHTS / "blip", tmp_path / "blip")
    shutil.copy(WEIGHTS / SUMS, tmp_path)
    return tmp_path


def damage(path):
    """Change one byte of a file."""
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)


def refusal(weights):
    """Return the code and the file name with which the captioner is refused."""
    with pytest.raises(JobError) as error:
        verify_folder("blip", weights)
    return error.value.code, error.value.facts["file"]


def test_a_damaged_file_is_named(copy):
    """One wrong byte is found and its file named; repaired, it loads."""
    damage(copy / "blip" / "model.safetensors")
    assert refusal(copy) == ("embedded_damaged", "blip/model.safetensors")

    damage(copy / "blip" / "model.safetensors")
    assert verify_folder("blip", copy) == copy / "blip"


def test_a_missing_file_is_named(copy):
    """A missing file is found and named."""
    (copy / "blip" / "tokenizer.json").unlink()

    assert refusal(copy) == ("embedded_missing", "blip/tokenizer.json")


@pytest.mark.parametrize("content", ["", "nothing of the kind\n", "\x00" * 99])
def test_a_damaged_list_is_named(copy, content):
    """A list without the model's files is refused."""
    (copy / SUMS).write_text(content, encoding="utf-8")

    assert refusal(copy) == ("embedded_damaged", SUMS)


def test_a_missing_list_is_named(tmp_path):
    """Without checksums nothing is loaded."""
    assert refusal(tmp_path) == ("embedded_missing", SUMS)


LOADED = """
from storage.errors import JobError
from training.bases.cache import BaseCache

bases = BaseCache(None)
print([base.present for base in bases.list_entries()][0])
for use in (bases.fingerprint, bases.locate, bases.locate_captioner):
    try:
        use("embedded")
    except JobError as refused:
        print(refused.code, refused.facts["file"])
"""


@pytest.mark.slow(4)
def test_nothing_damaged_is_loaded(tmp_path):
    """With a damaged base and an incomplete captioner a job names the files."""
    for package in ("storage", "training"):
        ignored = shutil.ignore_patterns("weights", "__pycache__")
        shutil.copytree(ROOT / package, tmp_path / package, ignore=ignored)
    weights = tmp_path / "training" / "embedded" / "weights"
    shutil.copytree(WEIGHTS, weights)
    damage(weights / "diffusion" / "unet" / "config.json")
    (weights / "blip" / "config.json").unlink()

    done = subprocess.run(
        [sys.executable, "-c", LOADED], cwd=tmp_path, check=True, capture_output=True, text=True
    )

    damaged = "embedded_damaged diffusion/unet/config.json"
    assert done.stdout.splitlines() == [
        "True", damaged, damaged, "embedded_missing blip/config.json",
    ]  # fmt: skip


def test_an_unknown_model_is_refused():
    """A model that does not ship is refused."""
    with pytest.raises(FileNotFoundError, match="no embedded model 'gpt'"):
        find_folder("gpt")


def test_the_files_are_half_precision_and_computed_in_full():
    """Files are fp16, but load in fp32, since CPUs are slow in fp16."""
    from diffusers import StableDiffusionPipeline  # noqa: PLC0415
    from safetensors.torch import load_file  # noqa: PLC0415

    pipe = StableDiffusionPipeline.from_pretrained(find_folder("diffusion"), safety_checker=None)
    stored = load_file(find_folder("diffusion") / "unet" / "diffusion_pytorch_model.safetensors")

    assert {tensor.dtype for tensor in stored.values()} == {torch.float16}
    assert pipe.unet.dtype == pipe.text_encoder.dtype == pipe.vae.dtype == torch.float32
