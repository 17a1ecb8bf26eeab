"""Batches of pictures are split by the free memory, and each picture is as it is alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import torch

from training.bases import random
from training.bases.cache import BaseCache
from training.device import Device
from training.families import Picture, walk
from training.sample import split_by_memory

pytestmark = pytest.mark.slow(2)

if TYPE_CHECKING:
    from pathlib import Path


class Full(Device):
    """A device with no memory left."""

    def free_mib(self) -> int:
        """Return the free memory: none."""
        return 0


@pytest.mark.parametrize("name", walk())
def test_alone(tmp_path: Path, name: str) -> None:
    """A picture alone and in a batch differ by less than 1e-3 in brightness."""
    torch.set_num_threads(1)
    random.write_random_model(tmp_path, name)
    bases = BaseCache(tmp_path, Device.open(cpu=True, threads=1))
    asked = [Picture(text, "", at, 2, 64, 64) for at, text in enumerate(("a cat", "a long dog"))]
    with bases.borrow(f"tiny-{name}") as family:
        at_once = family.render_arrays(asked)  # type: ignore[attr-defined]
        alone = [family.render_array(each) for each in asked]  # type: ignore[attr-defined]

    for one, other in zip(at_once, alone, strict=True):
        assert abs(one - other).max() <= 1e-3
    assert abs(alone[0] - alone[1]).max() > 1e-2


def test_parts(bases: BaseCache) -> None:
    """If memory allows, pictures are one batch; without free memory each is its own."""
    asked = [Picture("a cat", "", seed, 2, 64, 64) for seed in range(4)]
    full = Full(bases.device.accelerator)
    with bases.borrow("embedded") as family:
        assert list(split_by_memory(family, bases.device, asked)) == [asked]
        assert list(split_by_memory(family, full, asked)) == [[each] for each in asked]
