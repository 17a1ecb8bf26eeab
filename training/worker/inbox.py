"""A worker's inbox: what the trainer asks of it, a file each, renamed into place."""

from __future__ import annotations

import json
import logging
import os
import time
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from storage.folders import dump

if TYPE_CHECKING:
    from pathlib import Path

log = logging.getLogger(__name__)


class Verb(StrEnum):
    """What can be asked of a worker. The middle three are the wishes of `storage.records`."""

    RUN = "run"
    PAUSE = "pause"
    CANCEL = "cancel"
    FINISH = "finish"
    LEAVE = "leave"  #: put every job down where it can be taken up again, and end


@dataclass(frozen=True, slots=True)
class Request:
    """One thing asked. It is about one claim of a job: under another fence it means nothing."""

    verb: Verb
    job: int = 0
    fence: int = 0


@dataclass(frozen=True, slots=True)
class Inbox:
    """The folder of requests."""

    path: Path

    def send(self, request: Request) -> None:
        """Ask something."""
        name = f"{time.monotonic_ns():020}.json"  # one clock for all processes since the boot
        dump(self.path / name, asdict(request))

    def take(self) -> list[Request]:
        """Return what was asked since the last time, in order."""
        try:
            with os.scandir(self.path) as found:
                names = sorted(entry.name for entry in found if entry.name.endswith(".json"))
        except FileNotFoundError:
            return []
        requests = [_read(self.path / name) for name in names if not name.startswith(".")]
        return [request for request in requests if request is not None]

    def clear(self) -> None:
        """Forget what was asked of a worker that is gone."""
        self.path.mkdir(parents=True, exist_ok=True)
        for file in self.path.iterdir():
            file.unlink()


def _read(file: Path) -> Request | None:
    try:
        content = json.loads(file.read_bytes())
        return Request(Verb(content["verb"]), int(content["job"]), int(content["fence"]))
    except (ValueError, KeyError, TypeError) as broken:
        log.warning("%s is not a request: %s", file.name, broken)
        return None
    finally:
        file.unlink(missing_ok=True)
