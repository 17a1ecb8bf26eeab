"""The shipped models, loaded once."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from training.embedded import find_folder

JUDGE = Path(__file__).parents[3] / "benchmarks" / "judge"


@pytest.fixture(scope="session")
def pipe():
    """Load the pipeline as any user of diffusers would."""
    from diffusers import StableDiffusionPipeline  # noqa: PLC0415

    torch.set_num_threads(1)
    pipe = StableDiffusionPipeline.from_pretrained(find_folder("diffusion"), safety_checker=None)
    pipe.set_progress_bar_config(disable=True)
    return pipe


@pytest.fixture(scope="session")
def judge():
    """Load the frozen judge."""
    from training.pretraining.judge import load_judge  # noqa: PLC0415

    return load_judge(JUDGE)
