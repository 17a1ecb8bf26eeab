"""Measure the processor time of `safelight train` until a step was taken, in a fresh process."""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import psutil

from benchmarks import machine, table

PICTURES = Path(__file__).parents[1] / "pictures" / "panda"
FIRST_STEP = 8  #: processor seconds
OPTIONS = ("--name", "zorp", "--trigger", "zorp", "--dial", "quick", "--steps", "1")


def measure(place: Path) -> dict[str, float]:
    """Train one step; return the processor seconds at the first event of each kind.

    Samples "before training" are drawn after the first step.
    """
    command = [sys.executable, "-m", "training", "train", str(PICTURES), *OPTIONS]
    found: dict[str, float] = {}
    with subprocess.Popen([*command, "--out", str(place)], stdout=subprocess.PIPE) as child:
        process = psutil.Process(child.pid)
        for line in child.stdout or ():
            times = process.cpu_times()
            found.setdefault(
                json.loads(line)["kind"],
                times.user + times.system + times.children_user + times.children_system,
            )
    return found


def main() -> int:
    """Print the table."""
    arguments = machine.parse_arguments(__doc__ or "")
    with TemporaryDirectory() as place:
        runs = [measure(Path(place) / str(at)) for at in range(1 if arguments.quick else 3)]
    started, drawn = (
        statistics.median(run[kind] for run in runs) for kind in ("started", "sample")
    )
    return table.print_table(
        [
            table.figure(
                "`safelight train`: processor time until the base is loaded", started, "s"
            ),
            table.at_most(
                "until its first step and two pictures before it", drawn, FIRST_STEP, "s"
            ),
        ]
    )


if __name__ == "__main__":
    sys.exit(main())
