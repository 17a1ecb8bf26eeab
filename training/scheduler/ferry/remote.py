"""What the scheduler asks of a place on another machine. All values are plain, for any wire."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple, Protocol

from storage.process import Process
from training.worker.process import Activity

CHUNK_BYTES = 4 << 20  #: that one message carries at most


class LostConnection(OSError):  # noqa: N818 - it says what happened
    """The other machine did not answer; what was asked may have been done or not."""


class KeptAway(LostConnection):
    """The other machine answers, and takes no jobs; the text is why, as `Node.why`."""


class StaleMessageError(RuntimeError):
    """A message of an earlier session, or about another claim than the box has."""


class DamagedFileError(OSError):
    """What arrived is not the file that was sent; it is sent again from its start."""


class FileState(NamedTuple):
    """A file of a job folder."""

    path: str  #: relative to the job folder, with slashes
    size: int
    digest: str  #: SHA-256; "" of a file that still grows


class Trip(NamedTuple):
    """Names a claim in every message about it."""

    session: int  #: counted up at each start of the worker
    folder: str  #: `Job.folder`
    fence: int  #: of the claim: messages under another one are refused


class Health(NamedTuple):
    """How a worker is."""

    alive: bool
    died_by_itself: bool = False
    activity: Activity | None = None


class Dock(Protocol):
    """The files of a place. Every call raises LostConnection or StaleMessageError."""

    def greet(self, session: int) -> None:
        """Count the scheduler's heartbeat up, which the worker listens to."""

    def read_worker(self, session: int, known: Mapping[str, str]) -> dict[str, tuple[str, bytes]]:
        """Return the worker's small files whose version is not the `known` one, by name.

        A version is compared for equality only; a file that is gone has the version "".
        """

    def send_request(self, session: int, name: str, content: bytes) -> None:
        """Put a request into the worker's inbox, once however often it is sent."""

    def list_files(self, trip: Trip) -> list[FileState]:
        """List the whole files of a job folder; a file that has just changed may lack."""

    def read(self, trip: Trip, path: str, offset: int, size: int) -> bytes:
        """Return at most `size` bytes of a file."""

    def offer(self, trip: Trip, file: FileState) -> int:
        """Return how many bytes of a file are there; all of them put it into its place."""

    def write(self, trip: Trip, file: FileState, offset: int, chunk: bytes) -> int:
        """Append a chunk where the file ends so far; return how many bytes are there then."""

    def remove(self, trip: Trip, paths: Sequence[str]) -> None:
        """Remove files of a job folder; all of it if there are none."""


class Remote(Protocol):
    """A place on another machine: one worker and its files."""

    dock: Dock

    def start(self) -> Process:
        """End the worker if there is one, remove what it left, start it in a new session."""

    def check(self, process: Process) -> Health:
        """Return how the worker of a session is."""

    def stop(self, process: Process) -> None:
        """Kill the worker of a session."""
