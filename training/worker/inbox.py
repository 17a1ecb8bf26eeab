"""A worker's inbox: what the scheduler asks of it, one file a request, renamed into place."""

from __future__ import annotations

import json
import logging
import os
from contextlib import suppress
from dataclasses import asdict, dataclass
from enum import StrEnum
from pathlib import Path

from storage.folders import write_json, write_whole

log = logging.getLogger(__name__)

SENT = "sent"  #: the file with the number of the last request


class Command(StrEnum):
    """What can be asked of a worker. The middle three are `storage.records.JobCommand`."""

    RUN = "run"
    PAUSE = "pause"
    CANCEL = "cancel"
    FINISH = "finish"
    LEAVE = "leave"  #: put every job down where it can be resumed, and end


@dataclass(frozen=True, slots=True)
class Request:
    """A command about one claim of a job: under another fence it is ignored."""

    command: Command
    job: int = 0
    fence: int = 0
    folder: str = ""  #: `Job.folder`, of a job to run


@dataclass(frozen=True, slots=True)
class Inbox:
    """The folder of requests."""

    path: Path

    def send(self, request: Request) -> None:
        """Write a request. Its keys stay: a worker of an older version may read them."""
        content = asdict(request)
        name = f"{self._count():020}.json"
        write_json(self.path / name, {"verb": content.pop("command"), **content})

    def _count(self) -> int:
        """Return the next request's number, which is above all that came before.

        Numbers, unlike clocks, go on after a reboot and on another machine. One process sends.
        """
        self.path.mkdir(parents=True, exist_ok=True)
        waiting = [int(file.stem) for file in self.path.glob("[0-9]*.json")]
        with suppress(OSError, ValueError):
            waiting.append(int((self.path / SENT).read_bytes()))
        number = max(waiting, default=0) + 1
        write_whole(self.path / SENT, str(number).encode())
        return number

    def take(self) -> list[Request]:
        """Return the requests since the last call in order, and delete them."""
        try:
            with os.scandir(self.path) as found:
                names = sorted(entry.name for entry in found if entry.name.endswith(".json"))
        except FileNotFoundError:
            return []
        requests = [take_request(self.path / name) for name in names if not name.startswith(".")]
        return [request for request in requests if request is not None]

    def clear(self) -> None:
        """Delete the requests to a worker that is gone."""
        self.path.mkdir(parents=True, exist_ok=True)
        for file in self.path.iterdir():
            if file.name != SENT:
                file.unlink()


def take_request(file: Path) -> Request | None:
    """Read and delete a request; None if it is broken."""
    try:
        content = json.loads(file.read_bytes())
        command, numbers = Command(content["verb"]), (int(content["job"]), int(content["fence"]))
        return Request(command, *numbers, str(content.get("folder", "")))
    except (ValueError, KeyError, TypeError) as broken:
        log.warning("%s is not a request: %s", file.name, broken)
        return None
    finally:
        file.unlink(missing_ok=True)
