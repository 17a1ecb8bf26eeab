"""Memory is counted tensor by tensor, and may be limited."""

from __future__ import annotations

import pytest
import torch

from benchmarks.memory.footprint import Footprint


def test_what_lives_is_counted() -> None:
    """Bytes count while their tensor lives; views have none."""
    with Footprint() as footprint:
        first = torch.zeros(1000)
        second = first.view(10, 100)[1]
        assert footprint.live == 4000
        del first
        assert footprint.live == 4000
        del second
        assert footprint.live == 0
        torch.zeros(10)

    assert footprint.peak == 4000


def test_what_backward_needs_is_held() -> None:
    """Tensors that autograd keeps count until the backward pass has used them."""
    weight = torch.zeros(100, 100, requires_grad=True)
    with Footprint() as footprint:
        footprint.add_all([weight])
        loss = (torch.ones(200, 100) @ weight).square().sum()
        kept = footprint.live
        loss.backward()  # type: ignore[no-untyped-call]

    assert kept == 40_000 + 80_000 + 80_000 + 4  # the weight, its input, their product, the loss
    assert footprint.live == 40_000 + 40_000 + 4  # the weight, its gradient, the loss


def test_meta() -> None:
    """Meta tensors are counted by their shapes, whatever memory there is."""
    with Footprint() as footprint:
        large = torch.empty(1 << 20, 1 << 10, device="meta")
        assert footprint.live == 4 << 30
        del large

    assert footprint.peak == 4 << 30
    assert footprint.live == 0


def test_refusal() -> None:
    """Exceeding the limit raises as on a full GPU; freed memory can be used again."""
    with Footprint(max_bytes=5000) as footprint:
        held = torch.zeros(1000)
        with pytest.raises(torch.OutOfMemoryError):
            torch.zeros(1000)
        assert footprint.live == 4000
        del held
        torch.zeros(1000)
