"""Random tiny models follow from their seed, and their family is recognised."""

from __future__ import annotations

import torch

from training import families
from training.bases import random


def test_known(tiny_bases):
    """Each is found in the operator's folder, with its own family."""
    assert {base.name: base.family for base in tiny_bases.list_own()} == {
        f"tiny-{name}": name for name in families.names()
    }


def test_seeded():
    """The same seed gives the same weights, another seed others; torch's generator stays."""
    before = torch.random.get_rng_state()
    first, second, other = (
        random.make_random_model("sd1", seed).unet.state_dict() for seed in (1, 1, 2)
    )

    assert all(torch.equal(first[name], second[name]) for name in first)
    assert not torch.equal(first["conv_in.weight"], other["conv_in.weight"])
    assert torch.equal(before, torch.random.get_rng_state())
