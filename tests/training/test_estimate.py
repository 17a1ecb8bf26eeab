"""The estimate of memory, part by part."""

from __future__ import annotations

from benchmarks.blueprint import recipe
from storage.records import Optimizer
from training.estimate import (
    AVERAGE,
    CONTEXT,
    EIGHT,
    LEARNT,
    TRAINED,
    Keeps,
    abreast,
    needed,
    trained,
)

KEEPS = Keeps(1000, 100, attention=10, every=12, frugal=2)


def test_parts() -> None:
    """Each part of the sum follows from the recipe."""
    asked = recipe("lora", 64, 2)
    wide, frugal = recipe("locon", 64, 2), recipe("locon", 64, 2, frugal=True)
    whole = recipe("finetune", 64, 2, rank=0, text=True, ema=0.9)
    eight = recipe("finetune", 64, 2, rank=0, optimizer=Optimizer.ADAMW8BIT)
    read = recipe("lora", 64, 2, shuffle=True, parts=2)

    assert needed(KEEPS, asked, 7) == 2000 + TRAINED * 7 + 10 * 64 * 2 + CONTEXT
    assert needed(KEEPS, wide, 7) == 2000 + TRAINED * 7 + 12 * 64 * 2 + CONTEXT
    assert needed(KEEPS, frugal, 7) == 2000 + TRAINED * 7 + 2 * 64 * 2 + CONTEXT
    assert needed(KEEPS, whole, 1100) == (TRAINED + AVERAGE + LEARNT) * 1100 + CONTEXT
    assert needed(KEEPS, eight, 1000) == (EIGHT + LEARNT) * 1000 + CONTEXT
    assert needed(KEEPS, read, 7) == 2000 + 200 + TRAINED * 7 + 10 * 64 + CONTEXT


def test_abreast() -> None:
    """So many pictures are drawn at once as fit twice into half of what is free; always one."""
    assert abreast(KEEPS, 64, 4 * 2 * 64 * 3) == 3
    assert abreast(KEEPS, 128, 4 * 2 * 64 * 3) == 1
    assert abreast(KEEPS, 64, 0) == 1


def test_trained() -> None:
    """An adapter's file tells how many numbers it has; whole networks are known."""
    assert trained(KEEPS, recipe("lora", 64), 5000) == 2500
    assert trained(KEEPS, recipe("finetune", 64, rank=0), 5000) == 1000
    assert trained(KEEPS, recipe("finetune", 64, rank=0, text=True), 5000) == 1100
