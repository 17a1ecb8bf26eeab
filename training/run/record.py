"""What is recorded of a run while it trains: losses, gradient norms, probes, alarms."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from statistics import mean
from typing import Self

import torch
from torch import Tensor

from storage.errors import JobError
from storage.events import Note, Progress
from training.recipe.recipe import Recipe
from training.run.alarms import find_alarm
from training.run.curve import recent_mean
from training.run.examples import Example
from training.run.metrics import QUARTER_COLUMNS, MetricsLog, Row
from training.run.probes import (
    QUARTERS,
    Drift,
    Probe,
    choose_examples,
    make_probes,
    measure_losses,
    probe_held_out,
    probe_interval,
)
from training.run.text import CaptionEncoder
from training.run.timing import RunTimer


class RunRecord:
    """The numbers of one run, on their way from the device into the job folder."""

    def __init__(
        self,
        recipe: Recipe,
        timer: RunTimer,
        drift: Drift,
        losses: list[float],
        log: Callable[[int], MetricsLog],
    ) -> None:
        self.recipe, self.timer, self.drift = recipe, timer, drift
        self.losses, self.first_step = losses, len(losses)
        self.pending: list[Tensor] = []  #: loss and gradient norm of steps, still on the device
        self.rows: list[Row] = []  #: not written yet
        self.log = log(self.first_step)
        self.measured = [row for row in self.log.kept if QUARTER_COLUMNS[0] in row]
        self.probes: list[Probe] = []
        self.validation: list[Probe] = []  #: of photos that are held out
        self.alarms: set[str] = set()  #: that were told

    def __enter__(self) -> Self:
        self.log.trackers.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.flush()
        self.log.trackers.finish()

    def add(self, reported: Tensor) -> None:
        """Keep a step's loss and gradient norm; `.tolist()` here would be a sync point."""
        self.pending.append(reported)

    def fetch(self) -> None:
        """Fetch what is still on the device; raise JobError at NaN or infinity.

        The newest row waits: `measure` may add to it.
        """
        if not self.pending:
            return
        fetched = torch.stack(self.pending).tolist()
        self.pending.clear()
        for loss, norm in fetched:
            rate = self.recipe.trained_rate * self.recipe.lr_factor(len(self.losses))
            self.losses.append(loss)
            told = {"learning_rate": rate, "loss": loss, "grad_norm": norm}
            self.rows.append(self.start_row() | told)
        self.log.append(self.rows[:-1])
        del self.rows[:-1]
        if not math.isfinite(self.losses[-1]):
            self.flush()
            raise JobError("loss_nan", step=len(self.losses))

    def flush(self) -> None:
        """Write the newest row, too."""
        self.log.append(self.rows)
        self.rows.clear()

    def report_progress(self, step: int, memory_mib: int, pictures: int) -> Progress:
        """Return how far the training is after so many steps, with so many pictures to come."""
        recipe, timer = self.recipe, self.timer
        with timer.timing_wait():
            self.fetch()
        speed, picture_seconds = timer.steps_per_second(), timer.mean_seconds("picture")
        return Progress(
            step,
            recipe.last_step,
            loss=self.losses[-1],
            smoothed_loss=recent_mean(self.losses),
            learning_rate=recipe.trained_rate * recipe.lr_factor(step - 1),
            steps_per_second=speed,
            eta_seconds=(recipe.last_step - step) / speed + pictures * picture_seconds,
            memory_mib=memory_mib,
            seconds=timer.total_seconds(),
            picture_seconds=picture_seconds,
        )

    def start_row(self) -> Row:
        """Return a row's step and time."""
        return {"step": len(self.losses), "seconds": self.timer.total_seconds()}

    def is_due(self, step: int) -> bool:
        """Return whether to measure before a step; at the end, unless that was just done."""
        if not self.probes or (step == self.first_step and step):
            return False
        interval = probe_interval(self.recipe, sum(map(len, self.probes + self.validation)))
        past = step % interval
        never = past == step  # since it began
        return not past or (step == self.recipe.last_step and (2 * past >= interval or never))

    def choose_probes(
        self, examples: Sequence[Example], captions: CaptionEncoder, photos: Path
    ) -> None:
        """Choose what is measured: some photos that are learned from, and those held out."""
        recipe, family = self.recipe, captions.family
        first = examples[: len(recipe.all_photos)]  # at the first resolution only
        chosen = choose_examples(first, QUARTERS)
        conditions = captions.plain_conditions([each.photo for each in chosen])
        self.probes = make_probes(family, chosen, conditions, recipe.seed)
        self.validation = probe_held_out(recipe, photos, captions)
        self.measure_losses = partial(measure_losses, family, captions.device)

    def measure(self) -> Iterator[Note]:
        """Measure by the probes after the steps so far; yield an alarm that was not told yet."""
        with self.timer.timing("watching", 1):
            self.fetch()
            losses = self.measure_losses(self.probes)
            row = self.rows.pop() if self.rows else self.start_row()
            row |= dict(zip(QUARTER_COLUMNS, losses, strict=True))
            if self.validation:
                row["validation_loss"] = mean(self.measure_losses(self.validation))
            row["drift"] = self.drift.measure()
        self.rows.append(row)
        self.flush()
        self.measured.append(row)
        alarm = find_alarm(self.measured, self.recipe.steps)
        if alarm and alarm not in self.alarms:
            self.alarms.add(alarm)
            yield Note(alarm, {"step": len(self.losses)})
