"""The estimate of memory, part by part."""

from __future__ import annotations

from dataclasses import replace

import pytest

from benchmarks.memory.blueprint import recipe
from storage.records import Optimizer
from training.networks.memory import (
    AVERAGE,
    CODED,
    CODER,
    CONTEXT,
    FROZEN,
    LEAN,
    LEARNT,
    TRAINED,
    Keeps,
    abreast,
    needed,
    stepping,
    trained,
)
from training.networks.quantize import NUMBER
from training.networks.traits import MethodTraits

TRAITS = MethodTraits()
KEEPS = Keeps(1000, 800, 100, attention=10, every=12, frugal=2, seen=1)
BIG = 10**9


def test_parts() -> None:
    """Each part of the sum follows from the recipe."""
    asked = recipe("lora", 64, 2)
    wide, frugal = recipe("locon", 64, 2), recipe("locon", 64, 2, gradient_checkpointing=True)
    whole = recipe("finetune", 64, 2, rank=0, train_text_encoder=True, ema_decay=0.9)
    eight = recipe("finetune", 64, 2, rank=0, optimizer=Optimizer.ADAMW8BIT)
    least = recipe("finetune", 64, 2, rank=0, optimizer=Optimizer.ADAFACTOR)
    read = recipe("lora", 64, 2, shuffle_caption=True, gradient_accumulation_steps=2)
    four = recipe("lora", 64, 2, nf4=True)
    double = recipe("lora", 64, 2, precision="fp32")

    assert stepping(KEEPS, asked, 7, TRAITS) == 2000 + TRAINED * 7 + 10 * 64 * 2
    assert stepping(KEEPS, wide, 7, TRAITS) == 2000 + TRAINED * 7 + 12 * 64 * 2
    assert stepping(KEEPS, frugal, 7, TRAITS) == 2000 + TRAINED * 7 + 2 * 64 * 2
    assert stepping(KEEPS, whole, 1100, TRAITS) == (TRAINED + AVERAGE + LEARNT) * 1100
    assert stepping(replace(KEEPS, whole=BIG), least, 0, TRAITS) == BIG * 64 * 2
    assert stepping(KEEPS, eight, 1000, TRAITS) == (LEAN[Optimizer.ADAMW8BIT] + LEARNT) * 1000
    assert stepping(KEEPS, least, 1000, TRAITS) == (LEAN[Optimizer.ADAFACTOR] + LEARNT) * 1000
    assert stepping(KEEPS, double, 7, TRAITS) == 4000 + TRAINED * 7 + 2 * 10 * 64 * 2
    assert stepping(KEEPS, read, 7, TRAITS) == 2000 + 200 + TRAINED * 7 + 10 * 64
    assert (
        stepping(KEEPS, four, 7, TRAITS) == 400 + round(NUMBER * 800) + TRAINED * 7 + 10 * 64 * 2
    )


@pytest.mark.parametrize(
    ("keeps", "most"),
    [
        (replace(KEEPS, attention=BIG), 2000 + TRAINED * 7 + BIG * 64),
        (replace(KEEPS, seen=BIG), 2000 + TRAINED * 7 + 2 * BIG * 64),
        (KEEPS, TRAINED * 7 + CODER + CODED * 64),
        (replace(KEEPS, texts=BIG), FROZEN * (1000 + BIG) + CODER),
    ],
)
def test_most(keeps: Keeps, most: int) -> None:
    """A step, a picture with its negative prompt, a photo, or all networks at once: the most."""
    assert needed(keeps, recipe("lora", 64), 7, TRAITS) == most + CONTEXT


def test_abreast() -> None:
    """So many pictures are drawn at once as fit twice into half of what is free; always one."""
    assert abreast(KEEPS, 64, 4 * 64 * 3) == 3
    assert abreast(KEEPS, 128, 4 * 64 * 3) == 1
    assert abreast(KEEPS, 64, 0) == 1


def test_trained() -> None:
    """An adapter's file tells how many numbers it has; whole networks are known."""
    assert trained(KEEPS, recipe("lora", 64), 5000) == 2500
    assert trained(KEEPS, recipe("finetune", 64, rank=0), 5000) == 1000
    assert trained(KEEPS, recipe("finetune", 64, rank=0, train_text_encoder=True), 5000) == 1100
