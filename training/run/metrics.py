"""What a run records of each step in its job folder: `metrics.jsonl` and `metrics.csv`.

    step            so many steps were taken
    seconds         of the run so far
    learning_rate   of the step
    loss            of the step's batch
    grad_norm       L2, of all gradients before they are clipped
    loss_q1 ... q4  of probes: mean squared error in each quarter of the timesteps
    validation_loss the same, over all quarters, of photos that are held out
    drift           L2 norm of what is trained less what it began as, as a share of the latter

What follows the gradient norm is measured now and then (`probes.py`), and at step 0.
"""

from __future__ import annotations

import csv
import io
import json
import logging
import math
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TypeAlias

from storage.folders import JobFolder, write_whole
from training.run.probes import QUARTERS
from training.run.trackers import Trackers

Row: TypeAlias = dict[str, float]  #: a column is left out where nothing was measured

QUARTER_COLUMNS = tuple(f"loss_q{quarter}" for quarter in range(1, QUARTERS + 1))
COLUMNS = (
    "step", "seconds", "learning_rate", "loss", "grad_norm", *QUARTER_COLUMNS,
    "validation_loss", "drift",
)  # fmt: skip
DIGITS = 6  #: significant ones
log = logging.getLogger(__name__)


class MetricsLog:
    """Appends rows to both files; a resumed run drops those that it takes again."""

    def __init__(
        self, folder: JobFolder, first_step: int, tracker_names: Sequence[str] = ()
    ) -> None:
        self.trackers = Trackers(tracker_names, folder)
        self.kept = read_rows(folder.metrics_json, first_step) if first_step else []
        table: list[Row | dict[str, None]] = [dict.fromkeys(COLUMNS), *self.kept]
        self.files = (
            RowFile(folder.metrics_json, format_json, format_json(self.kept)),
            RowFile(folder.metrics_csv, format_csv, format_csv(table)),
        )
        for file in self.files:
            file.append(())

    def append(self, rows: Iterable[Row]) -> None:
        """Append rows, and those that a full disk has refused before."""
        rounded = [round_numbers(row) for row in rows]
        self.trackers.log(rounded)
        for file in self.files:
            file.append(rounded)


class RowFile:
    """A file of rows that is begun anew; what the disk refuses waits for the next call."""

    def __init__(self, path: Path, form: Callable[[Sequence[Row]], bytes], start: bytes) -> None:
        self.path, self.form = path, form
        self.start: bytes | None = start  #: what it begins with, until that is written
        self.pending: list[Row] = []
        self.refused = False

    def append(self, rows: Iterable[Row]) -> None:
        """Append rows, each once."""
        self.pending += rows
        try:
            if self.start is not None:
                write_whole(self.path, self.start)
                self.start = None
            if self.pending:
                append_whole(self.path, self.form(self.pending))
        except OSError as full:
            if not self.refused:
                log.warning("%s cannot be written for now: %s", self.path.name, full)
            self.refused = True
            return
        self.pending.clear()


def round_numbers(row: Row) -> Row:
    """Return a row with numbers of a few digits, without those that are infinite or NaN."""
    return {
        name: row[name] if name == "step" else float(f"{row[name]:.{DIGITS}g}")
        for name in COLUMNS
        if name in row and math.isfinite(row[name])
    }


def format_json(rows: Iterable[Row]) -> bytes:
    """Return rows as lines of JSON."""
    return "".join(json.dumps(row) + "\n" for row in rows).encode()


def format_csv(rows: Sequence[Row | dict[str, None]]) -> bytes:
    """Return rows as lines of CSV; one without numbers stands for the names of the columns."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    for row in rows:
        names = row.get("step", 0) is None
        writer.writerow(COLUMNS if names else [row.get(name, "") for name in COLUMNS])
    return out.getvalue().encode()


def append_whole(path: Path, content: bytes) -> None:
    """Append to a file, all or nothing; raise OSError where the disk has no room."""
    with path.open("ab", buffering=0) as file:
        end = file.tell()
        if file.write(content) != len(content):
            file.truncate(end)
            raise OSError("half written")


def read_rows(path: Path, last_step: int) -> list[Row]:
    """Return the rows up to a step; a line that was not written to its end is none."""
    rows: list[Row] = []
    try:
        lines = path.read_text("utf-8").splitlines()
    except (OSError, ValueError):
        return rows
    for line in lines:
        try:
            row = json.loads(line)
            if row["step"] <= last_step:
                rows.append(row)
        except (ValueError, KeyError, TypeError):
            continue
    return rows
