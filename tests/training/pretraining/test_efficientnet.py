"""A convolution and its batch norm become one convolution."""

from __future__ import annotations

import torch

from training.pretraining.efficientnet import convert


def test_a_norm_is_folded_into_its_convolution():
    """The converted one computes what both did, and has our name; the classifier is left out."""
    torch.manual_seed(0)
    convolution = torch.nn.Conv2d(4, 6, 1, bias=False)
    norm = torch.nn.BatchNorm2d(6, eps=1e-3).eval()
    norm.running_mean.uniform_(-1, 1)
    norm.running_var.uniform_(0.5, 2)
    stored = {"_blocks.3._project_conv.weight": convolution.weight, "_fc.weight": torch.ones(2, 6)}
    stored |= {f"_blocks.3._bn2.{name}": each for name, each in norm.state_dict().items()}

    converted = {name: each.float() for name, each in convert(stored).items()}

    given = torch.rand(2, 4, 5, 5)
    found = torch.nn.functional.conv2d(
        given, converted["blocks.3.project.weight"], converted["blocks.3.project.bias"]
    )
    assert set(converted) == {"blocks.3.project.weight", "blocks.3.project.bias"}
    torch.testing.assert_close(found, norm(convolution(given)), atol=2e-3, rtol=0)
