"""Pictures that are drawn at once: as many as there is memory for."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING

from training import families
from training.networks.memory import MIB, abreast

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from training.device import Device
    from training.families import Family, Picture


def split_by_memory(
    family: Family, device: Device, pictures: Sequence[Picture]
) -> Iterator[list[Picture]]:
    """Cut pictures of one size into parts that are drawn at once, by what is free then."""
    keeps, rest = families.walk()[family.name].COUNTS.memory, iter(pictures)
    while part := list(
        islice(rest, abreast(keeps, pictures[0].width, device.available_mib() * MIB))
    ):
        yield part
