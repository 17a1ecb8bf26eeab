"""Where every file is in the data folder and in a job's folder, and atomic writes to them.

    home/  safelight.db  secret  photos/ab/<digest>.png  previews/ab/<digest>.webp
           styles/<id>-<key>/<name>.safetensors  bases/  workers/<name>/  runs/<id>-<key>/
           exports/  classes/<key>/  compiled/  quarantine/<date>/  safelight.time.json
           safelight.db.before-<number of the migration>

    runs/<id>-<key>/  job.json photos/ classes/ style.safetensors
                events.jsonl metrics.jsonl metrics.csv checkpoints/ samples/ result/ kept/ log.txt

    workers/<name>/  handle.json heartbeat catalog.json state.json inbox/*.json log.txt

The lines of `events.jsonl` are the events in `storage/events.py`. `key` is random and in
the row of the job or style: ids begin again with a new database, and no folder may be taken for
another row's.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ASIDE_DAYS = 14  #: that the quarantine and the copies from before migrations are kept


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Yield a temporary path beside `path` that replaces it if the block succeeds.

    Readers, and a crash, find either the old file or the whole new one.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    part.unlink(missing_ok=True)  # of a process that had our number, as in a container
    try:
        yield part
        with part.open("rb") as written:
            os.fsync(written.fileno())  # else a power cut may keep the new name without content
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def sync_folder(folder: Path) -> None:
    """Have the names in a folder outlive a power cut, where the system can do that."""
    with suppress(OSError):  # Windows opens no folders
        opened = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(opened)
        finally:
            os.close(opened)


def list_parts(folder: Path, depth: str = "**/") -> list[tuple[Path, int]]:
    """List the files in a folder that are not whole, with the number of who writes them.

    With `depth` "", folders in it are left out.
    """
    parts = [path for path in folder.glob(f"{depth}.*.part") if path.suffixes[-2:-1]]
    numbers = [path.suffixes[-2].removeprefix(".") for path in parts]
    return [
        (path, int(number))
        for path, number in zip(parts, numbers, strict=True)
        if number.isdigit()
    ]


def write_whole(path: Path, content: bytes) -> None:
    """Write a file atomically."""
    with replacing(path) as part:
        part.write_bytes(content)


def link_file(file: Path, path: Path) -> None:
    """Link a file to a second name; copy it where the file system has no links."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.unlink(missing_ok=True)
    try:
        os.link(file, path)
    except FileNotFoundError:
        raise
    except OSError:
        with replacing(path) as part:
            shutil.copyfile(file, part)


def write_json(path: Path, value: object) -> None:
    """Write a value as JSON, atomically."""
    write_whole(path, json.dumps(value, ensure_ascii=False, indent=1).encode())


@dataclass(frozen=True, slots=True)
class JobFolder:
    """`runs/<id>-<key>/`: everything a job reads and writes."""

    path: Path

    @property
    def request_file(self) -> Path:
        """The recipe of a training or the request of another job, until the job has ended."""
        return self.path / "job.json"

    @property
    def photos(self) -> Path:
        """Copies (hard links) of the datasets' photos."""
        return self.path / "photos"

    @property
    def class_images(self) -> Path:
        """Class pictures for prior preservation, drawn by the untrained base."""
        return self.path / "classes"

    @property
    def style_file(self) -> Path:
        """The style to sample with."""
        return self.path / "style.safetensors"

    def grid_style(self, number: int) -> Path:
        """Return a style of a grid to sample."""
        return self.path / f"style-{number}.safetensors"

    @property
    def grid_styles(self) -> list[Path]:
        """The styles of a grid that are there."""
        return sorted(self.path.glob("style-*.safetensors"))

    @property
    def events_file(self) -> Path:
        """The job's events, one JSON object a line."""
        return self.path / "events.jsonl"

    @property
    def metrics_json(self) -> Path:
        """What a training records of each step, one JSON object a line."""
        return self.path / "metrics.jsonl"

    @property
    def metrics_csv(self) -> Path:
        """The same as a table."""
        return self.path / "metrics.csv"

    @property
    def tensorboard(self) -> Path:
        """The same for TensorBoard, where SAFELIGHT_TRACKERS names it."""
        return self.path / "tensorboard"

    @property
    def features_file(self) -> Path:
        """What a caption job's network saw in each photo, until that is stored; encrypted."""
        return self.result / "features.json"

    @property
    def report_file(self) -> Path:
        """What a grade job has found; the pictures that it names lie beside it."""
        return self.result / "report.json"

    @property
    def checkpoints(self) -> Path:
        """Training states to continue from."""
        return self.path / "checkpoints"

    @property
    def samples(self) -> Path:
        """Previews drawn during the training, and the loss curve."""
        return self.path / "samples"

    @property
    def result(self) -> Path:
        """The finished style, pictures or captions."""
        return self.path / "result"

    @property
    def kept(self) -> Path:
        """The style as it was at each checkpoint, and the last state, to choose and go on from."""
        return self.path / "kept"

    def kept_style(self, step: int) -> Path:
        """Return the style's file as it was after a step."""
        return self.kept / f"step-{step:06d}.safetensors"

    @property
    def kept_state(self) -> Path:
        """The last checkpoint of a finished training."""
        return self.kept / "state.safetensors"

    def preview(self, step: int, at: int = 0) -> Path:
        """Return where the picture of a prompt at a step lies."""
        return self.samples / f"step-{step:06d}-{at}.png"

    def strength_picture(self, strength: float) -> Path:
        """Return where the picture at a strength lies."""
        return self.samples / f"strength-{strength:.1f}.png"

    @property
    def log_file(self) -> Path:
        """The worker's log of this job."""
        return self.path / "log.txt"

    def read_request(self) -> dict[str, Any]:
        """Return the content of `job.json`."""
        content: dict[str, Any] = json.loads(self.request_file.read_text("utf-8"))
        return content


@dataclass(frozen=True, slots=True)
class Home:
    """The data folder."""

    path: Path

    @property
    def database_file(self) -> Path:
        """The SQLite database."""
        return self.path / "safelight.db"

    @property
    def backup_status_file(self) -> Path:
        """When backups were made and verified; `storage.backup.status` writes it."""
        return self.path / "backup.json"

    @property
    def careful_time_file(self) -> Path:
        """The last time by which old things were deleted; `storage.carefultime` writes it."""
        return self.path / "safelight.time.json"

    @property
    def bases(self) -> Path:
        """The folder for the operator's own model files and folders."""
        return self.path / "bases"

    @property
    def compiled(self) -> Path:
        """What torch.compile has made of training steps, in its own format."""
        return self.path / "compiled"

    @property
    def workers(self) -> Path:
        """The folder with one folder a worker: its inbox, heartbeat and log."""
        return self.path / "workers"

    def photo_file(self, digest: str) -> Path:
        """Return the path of a photo's pixels."""
        return self.path / "photos" / digest[:2] / f"{digest}.png"

    def preview_file(self, digest: str) -> Path:
        """Return the path of a photo's small copy for cards."""
        return self.path / "previews" / digest[:2] / f"{digest}.webp"

    @property
    def runs(self) -> Path:
        """The folder with one folder a job."""
        return self.path / "runs"

    @property
    def styles(self) -> Path:
        """The folder with one folder a style."""
        return self.path / "styles"

    @property
    def class_images(self) -> Path:
        """Pictures of classes that bases have drawn, a folder for each class and base."""
        return self.path / "classes"

    @property
    def quarantine(self) -> Path:
        """What belonged to no row of the database, by the day on which it was found."""
        return self.path / "quarantine"

    @property
    def exports(self) -> Path:
        """Copies of members' data while they are being sent."""
        return self.path / "exports"

    def job_folder(self, folder: str) -> JobFolder:
        """Return a job's folder, given by `Job.folder`."""
        return JobFolder(self.runs / folder)

    def style_file(self, folder: str, name: str) -> Path:
        """Return a style's file, given by `Style.folder` and its name, a checked dataset name."""
        return self.styles / folder / f"{name}.safetensors"
