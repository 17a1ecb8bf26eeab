"""What our layers compute beside peft's own, counted where there are no numbers and no noise."""

from __future__ import annotations

from benchmarks.operations import ours, plain
from training.shapes import SD15, tiny

SHAPE = tiny(SD15)


def test_no_more_than_the_plain_loop():
    """A LoRA's step takes no more tensor operations than the documented loop with peft's."""
    mine, layers = ours("lora", SHAPE)
    theirs = plain("lora", layers, SHAPE)

    assert len(layers) > 30
    assert 500 < mine.total() <= theirs.total()
