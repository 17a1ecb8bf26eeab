"""Notice when a run goes wrong, by what is measured with fixed noise (`probes.py`).

The losses of steps tell little, as they are of other photos and timesteps each time.
"""

from __future__ import annotations

from collections.abc import Sequence
from statistics import mean

from training.run.metrics import QUARTER_COLUMNS, Row

DIVERGED = 1.25  #: times the loss before training: it predicts worse than the base
LEARNED = 1e-3  #: share of the loss before training by which it has changed at least
LEARNING_SHARE = 1 / 3  #: of the steps, until which it may take to learn anything
OVERFITTED = 1.05  #: times the lowest loss of the held-out photos
OVERFITTED_TIMES = 2  #: measurements in a row


def find_alarm(measured: Sequence[Row], steps: int) -> str:
    """Return the code of what is wrong after these measurements of a run, "" if nothing is.

    A run that goes on from another has none of before training to compare with.
    """
    first, *later = [(row, mean(row[name] for name in QUARTER_COLUMNS)) for row in measured]
    if not later:
        return ""
    row, loss = later[-1]
    before = first[1]
    if not first[0]["step"]:
        if loss > DIVERGED * before:
            return "diverging"
        if row["step"] >= LEARNING_SHARE * steps and abs(loss - before) < LEARNED * before:
            return "not_learning"
    return "overfitting" if is_overfitting(measured) else ""


def is_overfitting(measured: Sequence[Row]) -> bool:
    """Return whether the loss of the held-out photos rises while that of the photos falls."""
    known = [row for row in measured if "validation_loss" in row]
    if len(known) <= OVERFITTED_TIMES:
        return False
    best = min(known, key=lambda row: row["validation_loss"])
    latest = known[-OVERFITTED_TIMES:]
    rises = all(row["validation_loss"] > OVERFITTED * best["validation_loss"] for row in latest)
    learned = [mean(row[name] for name in QUARTER_COLUMNS) for row in (best, known[-1])]
    return rises and learned[1] < learned[0]
