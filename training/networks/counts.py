"""What was counted of a family's true networks: the JSON beside its file.

`python -m benchmarks.memory.counts --write` counts it. A family without one works, too: the memory
it takes and the size of its files are then unknown, which is 0.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from training.networks.memory import UNKNOWN, Keeps
from training.networks.sizes import NONE, Sizes, read_sizes


@dataclass(frozen=True, slots=True)
class Counts:
    """What one family holds in memory, and what it writes."""

    memory: Keeps = UNKNOWN
    sizes: Sizes = NONE


def read_counts(module: str) -> Counts:
    """Read the counts of a family, given its module's file."""
    file = Path(module).with_suffix(".json")
    if not file.exists():
        return Counts()
    content = json.loads(file.read_text("utf-8"))
    return Counts(Keeps(**content["memory"]), read_sizes(content["sizes"]))
