"""Muon updates the layers between wide layers, AdamW the rest; together they are one optimizer."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
import torch
from torch import nn

from training.pretraining.layout import make_unet
from training.pretraining.optimizer import Optimizer, muon_weights


def make_task(muon_learning_rate=0.02):
    """Build a network of an input convolution, a hidden one and an output linear layer."""
    torch.manual_seed(0)
    networks = nn.Sequential(
        nn.Conv2d(3, 64, 3), nn.Conv2d(64, 96, 3), nn.Flatten(), nn.Linear(96, 63)
    )
    return SimpleNamespace(
        networks=networks, learning_rate=0.01, muon_learning_rate=muon_learning_rate
    )


def take_steps(optimizer, networks, steps=1):
    """Take some steps towards zero and return the weights."""
    generator = torch.Generator().manual_seed(1)
    for _ in range(steps):
        networks(torch.randn(4, 3, 5, 5, generator=generator)).square().mean().backward()
        optimizer.step(1.0)
    return [p.detach().clone() for p in networks.parameters()]


def test_a_step_of_a_matrix_has_no_weak_direction():
    """Muon evens out a gradient's singular values, and its step is about as long as AdamW's."""
    task = make_task()
    weight, generator = task.networks[1].weight, torch.Generator().manual_seed(1)
    before = weight.detach().clone()
    optimizer = Optimizer(task)
    task.networks(torch.randn(64, 3, 5, 5, generator=generator)).square().mean().backward()
    gradient = weight.grad.flatten(1)
    optimizer.step(1.0)
    moved = (weight.detach() - before * (1 - 0.02 * 0.01)).flatten(1)

    assert singular_value_ratio(moved) < singular_value_ratio(gradient) / 3
    assert 0.1 * 0.02 < moved.square().mean().sqrt() < 0.3 * 0.02  # AdamW's is about .2


def singular_value_ratio(matrix):
    """Return the largest singular value over the median one."""
    sizes = torch.linalg.svdvals(matrix)
    return float(sizes.max() / sizes.median())


def test_the_first_and_last_layers_are_not_matrices():
    """The UNet's first and last layers use AdamW, as Muon's author advises."""
    network = make_unet()
    weights = {id(weight) for weight in muon_weights(network)}

    assert id(network.conv_in.weight) not in weights
    assert id(network.conv_out.weight) not in weights
    share = sum(weight.numel() for weight in muon_weights(network)) / network.num_parameters()
    assert share > 0.95


def test_without_a_rate_for_matrices_all_is_adamws():
    """Without a learning rate for Muon, one AdamW updates everything."""
    task = make_task(muon_learning_rate=0.0)
    before = [p.detach().clone() for p in task.networks.parameters()]
    optimizer = Optimizer(task)

    after = take_steps(optimizer, task.networks)

    assert len(optimizer.state_dict()) == 1
    assert all(not torch.equal(a, b) for a, b in zip(before, after, strict=True))


@pytest.mark.parametrize("muon_learning_rate", [0.0, 0.02])
def test_a_state_taken_up_gives_the_same_next_step(muon_learning_rate):
    """Three steps in a row equal one step, a save and a load, and two more."""
    whole = make_task(muon_learning_rate)
    wanted = take_steps(Optimizer(whole), whole.networks, 1 + 2)
    first = make_task(muon_learning_rate)
    optimizer = Optimizer(first)
    generator = torch.Generator().manual_seed(1)
    for step in range(3):
        if step == 1:
            state = optimizer.state_dict()
            optimizer = Optimizer(first)
            optimizer.load_state_dict(state)
        first.networks(torch.randn(4, 3, 5, 5, generator=generator)).square().mean().backward()
        optimizer.step(1.0)

    got = list(first.networks.parameters())
    assert all(torch.equal(a, b) for a, b in zip(got, wanted, strict=True))
