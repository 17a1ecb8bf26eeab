"""Our layers' operations are compared with peft's, on meta tensors."""

from __future__ import annotations

import pytest

from benchmarks.speed.operations import PEFT, count_ours, count_plain
from training.modelfiles.configs import SD15, shrink_shape

pytestmark = pytest.mark.slow(3)

SHAPE = shrink_shape(SD15)


@pytest.mark.parametrize("method", PEFT)
def test_no_more_than_the_plain_loop(method):
    """A step takes no more tensor operations than the documented loop with peft's adapter."""
    mine, layers = count_ours(method, SHAPE)
    theirs = count_plain(method, layers, SHAPE)

    assert len(layers) > 30
    assert 500 < mine.total() <= theirs.total()
