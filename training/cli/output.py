"""What a command of the shell prints: lines of JSON on stdout, the last one terminal."""

from __future__ import annotations

import json
import logging
import os
import signal
import sys
import time
from collections.abc import Callable
from typing import Any

from storage.errors import Fact
from storage.events import Failed, LogEntry, Note
from training.worker.execution import describe_failure

log = logging.getLogger(__name__)


def print_line(line: dict[str, Any]) -> None:
    """Print a line for the process that started this one; if it is gone, stop as on Ctrl+C."""
    try:
        sys.stdout.write(json.dumps(line, ensure_ascii=False) + "\n")
        sys.stdout.flush()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # for what is still to come
        signal.raise_signal(signal.SIGTERM)  # SIGINT may be ignored


def tell(code: str, **facts: Fact) -> None:
    """Print a note: something that a person wants to know, though it is no failure."""
    print_line(LogEntry(Note(code, dict(facts)), time.time()).to_line())


def attempt(task: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    """Return what a task returns, its last line; if it fails, the line of its failure."""
    try:
        return task()
    except (FileExistsError, IsADirectoryError, NotADirectoryError, PermissionError) as refused:
        failure = Failed("folder_refused", {"folder": str(refused.filename)})
    except Exception as error:
        failure = describe_failure(error)
        if failure.reference:
            log.exception("Bug %s", failure.reference)
    return LogEntry(failure, time.time()).to_line()
