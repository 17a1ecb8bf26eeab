"""Limits of numbers."""

from __future__ import annotations

from typing import Any

import pytest

from storage.errors import JobError, UserError
from storage.limits import RANK, check_range


@pytest.mark.parametrize("value", [0, 128, 8.5])
def test_within(value: float) -> None:
    """The limits themselves are allowed."""
    check_range("rank", value, RANK, UserError)


@pytest.mark.parametrize("value", [-1, 129, float("nan"), float("inf"), "many", None])
def test_outside(value: Any) -> None:
    """Other numbers, and what is no number, are refused with the limits."""
    with pytest.raises(JobError) as caught:
        check_range("batch_size", value, RANK, JobError)

    assert caught.value.code == "out_of_range"
    assert (caught.value.facts["name"], caught.value.facts["least"]) == ("Batch size", 0)
    assert caught.value.facts["most"] == 128
