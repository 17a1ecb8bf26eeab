"""What was counted of a family's true networks: the JSON beside its file.

`python -m benchmarks.memory.counts --write` counts it. A family without one works, too: the memory
it takes and the size of its files are then unknown, which is 0.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from storage.records import Base
from training.networks.memory import UNKNOWN, MemoryCounts
from training.networks.sizes import NONE, SMALL, Sizes, read_sizes


@dataclass(frozen=True, slots=True)
class Counts:
    """What one family holds in memory, and what it writes."""

    memory: MemoryCounts = UNKNOWN
    sizes: Sizes = NONE


class FamilyNumbers(Protocol):
    """What a method's rules and defaults need of a family; its module has it."""

    COUNTS: Counts
    OBJECTIVE: str
    FULL_RATE: float  #: learning rate at which its whole networks are fine-tuned


def file_sizes(base: Base, family: FamilyNumbers) -> Sizes:
    """Return the sizes of a base's networks; every tiny base is taken for the embedded one."""
    return SMALL if base.small else family.COUNTS.sizes


def read_counts(module: str) -> Counts:
    """Read the counts of a family, given its module's file."""
    file = Path(module).with_suffix(".json")
    if not file.exists():
        return Counts()
    content = json.loads(file.read_text("utf-8"))
    return Counts(MemoryCounts(**content["memory"]), read_sizes(content["sizes"]))
