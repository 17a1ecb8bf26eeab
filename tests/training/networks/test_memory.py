"""The memory estimate, part by part."""

from __future__ import annotations

from dataclasses import replace

import pytest

from benchmarks.memory.blueprint import make_recipe
from storage.records import Optimizer
from training.networks.memory import (
    CONTEXT_BYTES,
    EMA_BYTES,
    FROZEN_BYTES,
    GRADIENT_BYTES,
    OPTIMIZER_BYTES,
    TRAINED_BYTES,
    VAE_BYTES,
    VAE_BYTES_PER_PLACE,
    MemoryCounts,
    count_at_once,
    count_parameters,
    step_bytes,
    training_bytes,
)
from training.networks.quantize import NF4_BYTES
from training.networks.traits import MethodTraits

TRAITS = MethodTraits()
KEEPS = MemoryCounts(1000, 800, 100, attention=10, every=12, frugal=2, seen=1)
BIG = 10**9


def test_parts() -> None:
    """Each part of the sum follows from the recipe."""
    asked = make_recipe("lora", 64, 2)
    wide, frugal = (
        make_recipe("locon", 64, 2),
        make_recipe("locon", 64, 2, gradient_checkpointing=True),
    )
    whole = make_recipe("finetune", 64, 2, rank=0, train_text_encoder=True, ema_decay=0.9)
    eight = make_recipe("finetune", 64, 2, rank=0, optimizer=Optimizer.ADAMW8BIT)
    least = make_recipe("finetune", 64, 2, rank=0, optimizer=Optimizer.ADAFACTOR)
    read = make_recipe("lora", 64, 2, shuffle_caption=True, gradient_accumulation_steps=2)
    four = make_recipe("lora", 64, 2, nf4=True)
    double = make_recipe("lora", 64, 2, precision="fp32")

    assert step_bytes(KEEPS, asked, 7, TRAITS) == 2000 + TRAINED_BYTES * 7 + 10 * 64 * 2
    assert step_bytes(KEEPS, wide, 7, TRAITS) == 2000 + TRAINED_BYTES * 7 + 12 * 64 * 2
    assert step_bytes(KEEPS, frugal, 7, TRAITS) == 2000 + TRAINED_BYTES * 7 + 2 * 64 * 2
    assert (
        step_bytes(KEEPS, whole, 1100, TRAITS)
        == (TRAINED_BYTES + EMA_BYTES + GRADIENT_BYTES) * 1100
    )
    assert step_bytes(replace(KEEPS, whole=BIG), least, 0, TRAITS) == BIG * 64 * 2
    assert (
        step_bytes(KEEPS, eight, 1000, TRAITS)
        == (OPTIMIZER_BYTES[Optimizer.ADAMW8BIT] + GRADIENT_BYTES) * 1000
    )
    assert (
        step_bytes(KEEPS, least, 1000, TRAITS)
        == (OPTIMIZER_BYTES[Optimizer.ADAFACTOR] + GRADIENT_BYTES) * 1000
    )
    assert step_bytes(KEEPS, double, 7, TRAITS) == 4000 + TRAINED_BYTES * 7 + 2 * 10 * 64 * 2
    assert step_bytes(KEEPS, read, 7, TRAITS) == 2000 + 200 + TRAINED_BYTES * 7 + 10 * 64
    assert (
        step_bytes(KEEPS, four, 7, TRAITS)
        == 400 + round(NF4_BYTES * 800) + TRAINED_BYTES * 7 + 10 * 64 * 2
    )


@pytest.mark.parametrize(
    ("keeps", "most"),
    [
        (replace(KEEPS, attention=BIG), 2000 + TRAINED_BYTES * 7 + BIG * 64),
        (replace(KEEPS, seen=BIG), 2000 + TRAINED_BYTES * 7 + 2 * BIG * 64),
        (KEEPS, TRAINED_BYTES * 7 + VAE_BYTES + VAE_BYTES_PER_PLACE * 64),
        (replace(KEEPS, texts=BIG), FROZEN_BYTES * (1000 + BIG) + VAE_BYTES),
    ],
)
def test_most(keeps: MemoryCounts, most: int) -> None:
    """The estimate is the largest of a step, a picture, a photo's encoding and all networks."""
    assert training_bytes(keeps, make_recipe("lora", 64), 7, TRAITS) == most + CONTEXT_BYTES


def test_abreast() -> None:
    """A batch of pictures may fill half of the free memory; it always has one."""
    assert count_at_once(KEEPS, 64, 4 * 64 * 3) == 3
    assert count_at_once(KEEPS, 128, 4 * 64 * 3) == 1
    assert count_at_once(KEEPS, 64, 0) == 1


def test_trained() -> None:
    """An adapter's file size gives its number of parameters; whole networks are known."""
    assert count_parameters(KEEPS, make_recipe("lora", 64), 5000) == 2500
    assert count_parameters(KEEPS, make_recipe("finetune", 64, rank=0), 5000) == 1000
    assert (
        count_parameters(KEEPS, make_recipe("finetune", 64, rank=0, train_text_encoder=True), 5000)
        == 1100
    )
