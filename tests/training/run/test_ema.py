"""The moving average of what is trained."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from training.run.ema import EmaWeights


@pytest.fixture
def parameters():
    """Give one parameter, at one."""
    return {"w": nn.Parameter(torch.ones(3))}


def test_it_follows_by_its_decay(parameters):
    """An average is the old one by its decay, and the parameters by the rest."""
    average = EmaWeights(parameters, 0.9)
    parameters["w"].data += 1.0

    average.update(10_000)

    assert torch.allclose(average.tensors["w"], torch.full((3,), 1.1))


def test_early_on_it_follows_faster(parameters):
    """After the first step it is nine tenths of the way."""
    average = EmaWeights(parameters, 0.999)
    parameters["w"].data += 1.0

    average.update(0)

    assert torch.allclose(average.tensors["w"], torch.full((3,), 1.9))


def test_it_stands_in_and_goes_again(parameters):
    """Inside the block the average is drawn with; what is trained is untouched by it."""
    average = EmaWeights(parameters, 0.9)
    parameters["w"].data += 1.0

    with average.applied():
        inside = parameters["w"].detach().clone()

    assert torch.equal(inside, torch.ones(3))
    assert torch.equal(parameters["w"], torch.full((3,), 2.0))


def test_without_a_decay_there_is_none(parameters):
    """Zero keeps no copy and stands in for nothing."""
    average = EmaWeights(parameters, 0.0)
    average.update(0)

    with average.applied():
        assert torch.equal(parameters["w"], torch.ones(3))

    assert average.tensors == {}
