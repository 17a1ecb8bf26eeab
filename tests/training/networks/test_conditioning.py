"""What denoisers are told travels in batches and alone, and nobody looks inside."""

from __future__ import annotations

import torch

from training.networks.conditioning import split_conditions, stack_conditions


def test_there_and_back():
    """A batch taken apart and put together is the same, tensor by tensor."""
    batch = {"states": torch.arange(12.0).view(2, 3, 2), "sizes": torch.arange(4.0).view(2, 2)}

    alone = split_conditions(batch)
    again = stack_conditions(alone)

    assert [each["sizes"].tolist() for each in alone] == [[0, 1], [2, 3]]
    assert all(torch.equal(again[name], batch[name]) for name in batch)


def test_nothing_to_tell():
    """Families that tell nothing beside words tell nothing of batches either."""
    assert stack_conditions([{}, {}]) == {}


def test_of_several_lengths():
    """Shorter ones are filled up with zeros, so that a batch is one tensor."""
    several = [{"states": torch.ones(2, 3)}, {"states": torch.ones(4, 3)}]

    batch = stack_conditions(several)["states"]

    assert batch.shape == (2, 4, 3)
    assert batch.sum(dim=(1, 2)).tolist() == [6, 12]
