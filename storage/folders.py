"""The data folder and the job folder: where every file lies, and how it gets there whole.

    home/  safelight.db  secret  photos/ab/<digest>.png  previews/ab/<digest>.webp
           styles/<id>/<name>.safetensors  bases/  workers/<name>/  runs/<id>/

    runs/<id>/  job.json photos/ classes/ style.safetensors
                events.jsonl checkpoints/ samples/ result/ log.txt

    workers/<name>/  handle.json heartbeat catalog.json state.json inbox/*.json log.txt

The lines of `events.jsonl` are the events in `storage/events.py`.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Yield a temporary name beside `path`; it becomes `path` only if the block succeeds."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        yield part
        with part.open("rb") as written:
            os.fsync(written.fileno())
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def write_whole(path: Path, content: bytes) -> None:
    """Write a file whole or not at all."""
    with replacing(path) as part:
        part.write_bytes(content)


def write_json(path: Path, value: object) -> None:
    """Write a value as JSON, whole or not at all."""
    write_whole(path, json.dumps(value, ensure_ascii=False, indent=1).encode())


@dataclass(frozen=True, slots=True)
class JobFolder:
    """`runs/<id>/`: what a job reads and writes, and nothing else."""

    path: Path

    @property
    def request_file(self) -> Path:
        """What is to be done."""
        return self.path / "job.json"

    @property
    def photos(self) -> Path:
        """The dataset's pictures, copied."""
        return self.path / "photos"

    @property
    def class_images(self) -> Path:
        """Pictures of a class, drawn by the base before it learns."""
        return self.path / "classes"

    @property
    def style_file(self) -> Path:
        """The style to sample with."""
        return self.path / "style.safetensors"

    @property
    def events_file(self) -> Path:
        """What happened, a line each."""
        return self.path / "events.jsonl"

    @property
    def checkpoints(self) -> Path:
        """Saved states."""
        return self.path / "checkpoints"

    @property
    def samples(self) -> Path:
        """Pictures made on the way, and the loss curve."""
        return self.path / "samples"

    @property
    def result(self) -> Path:
        """What came out."""
        return self.path / "result"

    @property
    def log_file(self) -> Path:
        """What the worker said meanwhile."""
        return self.path / "log.txt"

    def read_request(self) -> dict[str, Any]:
        """Read `job.json`."""
        read: dict[str, Any] = json.loads(self.request_file.read_text("utf-8"))
        return read


@dataclass(frozen=True, slots=True)
class Home:
    """The data folder."""

    path: Path

    @property
    def database_file(self) -> Path:
        """Members, datasets, jobs, events, styles."""
        return self.path / "safelight.db"

    @property
    def bases(self) -> Path:
        """Where an operator puts model files and folders."""
        return self.path / "bases"

    @property
    def workers(self) -> Path:
        """One folder a worker: its inbox, heartbeat and log."""
        return self.path / "workers"

    def photo_file(self, digest: str) -> Path:
        """Where a photo's pixels are."""
        return self.path / "photos" / digest[:2] / f"{digest}.png"

    def preview_file(self, digest: str) -> Path:
        """Where a photo's small picture for cards is."""
        return self.path / "previews" / digest[:2] / f"{digest}.webp"

    def job_folder(self, job: int) -> JobFolder:
        """Return the folder of a job."""
        return JobFolder(self.path / "runs" / str(job))

    def style_file(self, style: int, name: str) -> Path:
        """Where a style's file is. `name` is a dataset's name, already checked."""
        return self.path / "styles" / str(style) / f"{name}.safetensors"
