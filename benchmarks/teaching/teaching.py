"""Measure what a training teaches: held-out styles, held-out subjects and the mascot."""

from __future__ import annotations

import sys
from argparse import ArgumentTypeError
from collections.abc import Callable
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks import machine, table
from benchmarks.teaching import runner
from benchmarks.teaching.evaluation import Evaluation
from benchmarks.teaching.look import Look
from benchmarks.teaching.mascot import Mascot
from benchmarks.teaching.subject import Subject
from benchmarks.teaching.topic import Topic
from training.bases.cache import BaseCache
from training.device import Device

#: The topics; `other` is what the control is judged as.
TOPICS: dict[str, Callable[..., Topic]] = {
    "firefox": partial(Look, name="firefox"),
    "ink": partial(Look, name="ink"),
    "panda": partial(Subject, name="panda", other="octopus"),
    "octopus": partial(Subject, name="octopus", other="guitar"),
    "guitar": partial(Subject, name="guitar", other="panda"),
    "mascot": partial(Mascot, other="guitar"),
}
QUICK = ["firefox", "panda"]


def parse_topics(text: str) -> list[str]:
    """Return the names in a list such as `--only firefox,mascot`; raise if one is unknown."""
    wanted = text.split(",")
    if unknown := set(wanted) - set(TOPICS):
        listed = ", ".join(TOPICS)
        raise ArgumentTypeError(f"no topic is called {', '.join(sorted(unknown))}; try {listed}")
    return wanted


def main() -> int:
    """Print the table, a topic at a time; `--out` is a folder for contact sheets."""
    arguments = machine.parse_arguments(
        __doc__ or "", only=parse_topics, method=str, seeds=int, out=Path
    )
    wanted = arguments.only or (QUICK if arguments.quick else list(TOPICS))
    with TemporaryDirectory() as place:
        style_runner = runner.Runner(BaseCache(None, Device.open(cpu=True)), Path(place))
        judge = runner.load_judge()
        seeds = arguments.seeds or (1 if arguments.quick else 3)
        evaluation = Evaluation(style_runner, judge, seeds, arguments.out, arguments.method)
        topics = (TOPICS[name](judge, style_runner.sample) for name in wanted)
        return table.print_table(
            row for topic in topics for row in evaluation.evaluate_topic(topic)
        )


if __name__ == "__main__":
    sys.exit(main())
