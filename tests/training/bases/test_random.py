"""Tiny models follow from their seed, and are known for what they are."""

from __future__ import annotations

import torch

from training import families
from training.bases import random


def test_known(tiny_bases):
    """Each is found among the operator's own, by its own family."""
    assert {base.name: base.family for base in tiny_bases.list_own()} == {
        f"tiny-{name}": name for name in families.names()
    }


def test_seeded():
    """The same seed gives the same weights, another one others; torch's own draws stay."""
    before = torch.random.get_rng_state()
    first, second, other = (
        random.make_random_model("sd1", seed).unet.state_dict() for seed in (1, 1, 2)
    )

    assert all(torch.equal(first[name], second[name]) for name in first)
    assert not torch.equal(first["conv_in.weight"], other["conv_in.weight"])
    assert torch.equal(before, torch.random.get_rng_state())
