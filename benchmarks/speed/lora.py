"""Time 200 LoRA steps on the embedded base, and the plain loop of peft and diffusers."""

from __future__ import annotations

import statistics
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Protocol

import torch

from benchmarks import machine, table
from benchmarks.speed.plain import PlainLoop
from benchmarks.teaching import spec
from storage.records import Concept
from training import embedded
from training.bases.cache import BaseCache
from training.device import Device

BLOCK, BATCH, RANK, RATE = 10, 4, 8, 1e-3
THREADS = 1  #: threads of a small base's training; waking a second costs more than it saves
NAMES = ("ours", "plain, cached", "plain, not cached")
PHOTOS = "firefox/teach"


class Contestant(Protocol):
    """One way to train, timed in turns."""

    def begin(self) -> None:
        """Do what precedes the first step."""
        ...

    def step(self, times: int) -> None:
        """Take steps."""
        ...

    def end(self, times: int) -> None:
        """Take the last steps and do what follows them."""
        ...


class OurTraining:
    """A whole training without samples: photos read and encoded, checkpoints, curve, file."""

    def __init__(self, place: Path, bases: BaseCache, steps: int) -> None:
        training_spec = spec.TrainingSpec(
            "lora", Concept.LOOK, "firefox", spec.read_photos(PHOTOS)
        )
        recipe = spec.make_recipe(
            bases, training_spec, steps=steps, batch_size=BATCH, rank=RANK, learning_rate=RATE,
            prompts=(), threads=THREADS, all_layers=False,
        )  # fmt: skip
        self.task = spec.start_training(place, bases, training_spec, recipe)[1]

    def begin(self) -> None:
        """Encode the photos, attach the LoRA, and stop before the first step."""
        spec.advance_steps(self.task)

    def step(self, times: int) -> None:
        """Take steps."""
        spec.advance_steps(self.task, times)

    def end(self, times: int) -> None:  # noqa: ARG002  # the task knows its last step
        """Take the remaining steps and write the style."""
        for _ in self.task:
            pass


class PlainTraining:
    """The plain loop: photos read, and encoded once if `cache`; one file at the end."""

    def __init__(self, folder: Path, *, cache: bool) -> None:
        self.folder = folder
        place, photos = embedded.find_folder("diffusion"), spec.read_photos(PHOTOS)
        self.plain = PlainLoop.load(place, photos, rank=RANK, rate=RATE, size=BATCH)
        self.cache = cache

    def begin(self) -> None:
        """Make the loader."""
        self.plain.begin(cache=self.cache)

    def step(self, times: int) -> None:
        """Take steps."""
        for _ in range(times):
            self.plain.step()

    def end(self, times: int) -> None:
        """Take the last steps and write the style."""
        self.step(times)
        self.plain.save(self.folder)


def race(contestants: Sequence[Contestant], steps: int) -> list[float]:
    """Time the contestants in short alternating blocks; return the seconds of each."""
    seconds = [0.0] * len(contestants)

    def turn(first: int, do: Callable[[Contestant], None]) -> None:
        for place in range(len(contestants)):
            at = (first + place) % len(contestants)
            began = time.perf_counter()
            do(contestants[at])
            seconds[at] += time.perf_counter() - began

    turn(0, lambda who: who.begin())
    for block in range(1, steps // BLOCK):
        turn(block, lambda who: who.step(BLOCK))
    turn(1, lambda who: who.end(BLOCK))
    return seconds


def rows(rounds: list[list[float]], steps: int) -> list[table.Row]:
    """Return the rows of seconds and ratios."""
    columns = list(zip(*rounds, strict=True))
    found = [
        table.figure(f"{steps} steps, {name}", statistics.median(column), "s")
        for name, column in zip(NAMES, columns, strict=True)
    ]
    cached = [(each[0], each[1]) for each in rounds]
    each = ", ".join(f"{ours / theirs:.3f}" for ours, theirs in cached)
    found.append(table.at_most("ours over cached", table.ratio(cached), 1.0, more=f" ({each})"))
    over_not_cached = table.ratio((each[0], each[2]) for each in rounds)
    return [*found, table.figure("ours over not cached", over_not_cached)]


def main() -> int:
    """Print the table."""
    arguments = machine.parse_arguments(__doc__ or "")
    steps, count = (40, 1) if arguments.quick else (200, 3)
    torch.set_num_threads(THREADS)
    bases = BaseCache(None, Device.open(cpu=True))
    with bases.borrow(spec.BASE), TemporaryDirectory() as place:
        rounds = []
        for number in range(count):
            out = Path(place) / str(number)
            contestants: list[Contestant] = [OurTraining(out / "ours", bases, steps)]
            contestants += [
                PlainTraining(out / str(cache), cache=cache) for cache in (True, False)
            ]
            rounds.append(race(contestants, steps))
    return table.print_table(rows(rounds, steps))


if __name__ == "__main__":
    sys.exit(main())
