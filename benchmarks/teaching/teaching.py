"""Whether a training teaches: held-out styles, held-out subjects and the mascot, judged."""

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

#: What is taught; `other` is what its control is judged as.
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
    """Read which topics are wanted: `--only firefox,mascot`."""
    wanted = text.split(",")
    if unknown := set(wanted) - set(TOPICS):
        listed = ", ".join(TOPICS)
        raise ArgumentTypeError(f"no topic is called {', '.join(sorted(unknown))}; try {listed}")
    return wanted


def main() -> int:
    """Print the table, a part at a time; `--out` is a folder for contact sheets."""
    arguments = machine.parse_arguments(
        __doc__ or "", only=parse_topics, method=str, seeds=int, out=Path
    )
    wanted = arguments.only or (QUICK if arguments.quick else list(TOPICS))
    with TemporaryDirectory() as place:
        studio = runner.Runner(BaseCache(None, Device.open(cpu=True)), Path(place))
        critic = runner.load_critic()
        seeds = arguments.seeds or (1 if arguments.quick else 3)
        school = Evaluation(studio, critic, seeds, arguments.out, arguments.method)
        topics = (TOPICS[name](critic, studio.sample) for name in wanted)
        return table.print_table(row for topic in topics for row in school.evaluate_topic(topic))


if __name__ == "__main__":
    sys.exit(main())
