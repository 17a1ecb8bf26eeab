"""Training in fp16, as on GPUs without bf16: gradients are scaled."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.fakes.gpu import Fp16Device, OverflowingDevice
from tests.fakes.interrupts import train_with_interruption
from training.bases.cache import BaseCache
from training.run import checkpoint
from training.run.loop import train


@pytest.mark.slow(2)
def test_resume(bases, make_recipe, make_job_folder):
    """fp16 training scales gradients and resumes with the same scale."""
    older = BaseCache(None, Fp16Device(bases.device))
    # a processor takes minutes for a picture in fp16, and a second for a step
    asked = make_recipe(steps=2, save_every=1, all_layers=False, train_text_encoder=False)
    asked = replace(asked, batch_size=1)
    whole, stopped = make_job_folder(asked, "whole"), make_job_folder(asked, "stopped")

    train_with_interruption(whole, stopped, older, 1)

    kept = checkpoint.read(checkpoint.path_of_step(whole.checkpoints, 2))
    assert kept.recipe.precision == "fp16"
    assert kept.scaler["scale"] > 1
    assert any(value.any() for name, value in kept.tensors.items() if "lora_up" in name)
    files = [folder.result / "mydog.safetensors" for folder in (whole, stopped)]
    assert files[0].read_bytes() == files[1].read_bytes()


@pytest.mark.slow(1)
def test_overflow(bases, make_recipe, make_job_folder, run_task):
    """A step whose gradients overflow fp16 is skipped, and the scale lowered."""
    folder = make_job_folder(
        make_recipe(steps=1, prompts=(), all_layers=False, train_text_encoder=False)
    )

    run_task(train(folder, BaseCache(None, OverflowingDevice(bases.device))))

    kept = checkpoint.read(checkpoint.path_of_step(folder.checkpoints, 1))
    assert kept.scaler["scale"] == OverflowingDevice.scale / 2
    assert not any(value.any() for name, value in kept.tensors.items() if "lora_up" in name)
