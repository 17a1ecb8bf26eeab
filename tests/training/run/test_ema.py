"""The moving average of the trained weights."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from training.run.ema import EmaWeights


@pytest.fixture
def parameters():
    """Return one parameter of value one."""
    return {"w": nn.Parameter(torch.ones(3))}


def test_it_follows_by_its_decay(parameters):
    """The average keeps its share `decay` and takes the rest from the parameters."""
    average = EmaWeights(parameters, 0.9)
    parameters["w"].data += 1.0

    average.update(10_000)

    assert torch.allclose(average.tensors["w"], torch.full((3,), 1.1))


def test_early_on_it_follows_faster(parameters):
    """After the first step it has moved nine tenths of the way."""
    average = EmaWeights(parameters, 0.999)
    parameters["w"].data += 1.0

    average.update(0)

    assert torch.allclose(average.tensors["w"], torch.full((3,), 1.9))


def test_it_stands_in_and_goes_again(parameters):
    """Inside the block the average is used; the trained weights are restored after it."""
    average = EmaWeights(parameters, 0.9)
    parameters["w"].data += 1.0

    with average.applied():
        inside = parameters["w"].detach().clone()

    assert torch.equal(inside, torch.ones(3))
    assert torch.equal(parameters["w"], torch.full((3,), 2.0))


def test_without_a_decay_there_is_none(parameters):
    """A decay of zero keeps no copy and changes nothing."""
    average = EmaWeights(parameters, 0.0)
    average.update(0)

    with average.applied():
        assert torch.equal(parameters["w"], torch.ones(3))

    assert average.tensors == {}
