"""Conditions are stacked into batches and split again."""

from __future__ import annotations

import torch

from training.networks.conditioning import split_conditions, stack_conditions


def test_there_and_back():
    """A batch that is split and stacked again is equal."""
    batch = {"states": torch.arange(12.0).view(2, 3, 2), "sizes": torch.arange(4.0).view(2, 2)}

    alone = split_conditions(batch)
    again = stack_conditions(alone)

    assert [each["sizes"].tolist() for each in alone] == [[0, 1], [2, 3]]
    assert all(torch.equal(again[name], batch[name]) for name in batch)


def test_nothing_to_tell():
    """Families without further conditions have none in a batch either."""
    assert stack_conditions([{}, {}]) == {}


def test_of_several_lengths():
    """Shorter conditions are padded with zeros, so that a batch is one tensor."""
    several = [{"states": torch.ones(2, 3)}, {"states": torch.ones(4, 3)}]

    batch = stack_conditions(several)["states"]

    assert batch.shape == (2, 4, 3)
    assert batch.sum(dim=(1, 2)).tolist() == [6, 12]
