"""The shipped weights: small, whole, loadable as they stand."""

from __future__ import annotations

import shutil

import pytest
import torch

from training.embedded import SUMS, WEIGHTS, folder, verify


def test_the_weights_are_whole():
    """What is in the repository is what was exported."""
    assert verify() is None


def test_the_weights_are_small():
    """Both models together take at most 30 MB."""
    size = sum(path.stat().st_size for path in WEIGHTS.rglob("*") if path.is_file())

    assert size <= 30_000_000


@pytest.fixture
def copy(tmp_path):
    """Copy the small captioner with a list of its checksums."""
    shutil.copytree(WEIGHTS / "blip", tmp_path / "blip")
    lines = (WEIGHTS / SUMS).read_text(encoding="utf-8").splitlines(keepends=True)
    (tmp_path / SUMS).write_text("".join(x for x in lines if "  blip/" in x), encoding="utf-8")
    return tmp_path


def test_a_damaged_file_is_named(copy):
    """One wrong byte is found, and the sentence names the file."""
    path = copy / "blip" / "model.safetensors"
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)

    assert (
        verify(copy) == "The embedded file blip/model.safetensors is damaged; reinstall Safelight."
    )


def test_a_missing_file_is_named(copy):
    """A file that is not there is found, and the sentence names it."""
    (copy / "blip" / "tokenizer.json").unlink()

    assert "blip/tokenizer.json is missing" in str(verify(copy))


def test_a_missing_list_is_named(tmp_path):
    """Without checksums nothing counts as whole."""
    assert SUMS in str(verify(tmp_path))


def test_an_unknown_model_is_refused():
    """Asking for a model that does not ship says so."""
    with pytest.raises(FileNotFoundError, match="no embedded model 'gpt'"):
        folder("gpt")


def test_the_files_are_half_precision_and_computed_in_full(pipe):
    """Files are fp16; a plain load computes in fp32, since CPUs crawl in fp16."""
    from safetensors.torch import load_file  # noqa: PLC0415

    stored = load_file(folder("diffusion") / "unet" / "diffusion_pytorch_model.safetensors")

    assert {tensor.dtype for tensor in stored.values()} == {torch.float16}
    assert pipe.unet.dtype == pipe.text_encoder.dtype == pipe.vae.dtype == torch.float32
