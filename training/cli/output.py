"""The lines that a command of the shell says: JSON, the last one terminal."""

from __future__ import annotations

import json
import logging
import sys
import time
from typing import TYPE_CHECKING, Any

from storage.events import Failed, LogEntry
from training.worker.execution import describe_failure

if TYPE_CHECKING:
    from collections.abc import Callable

log = logging.getLogger(__name__)


def tell(line: dict[str, Any]) -> None:
    """Print a line for the process that started this one."""
    sys.stdout.write(json.dumps(line, ensure_ascii=False) + "\n")
    sys.stdout.flush()


def attempted(task: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    """Do a task and return its last line, that of its failure if it fails."""
    try:
        return task()
    except (FileExistsError, NotADirectoryError, PermissionError) as refused:
        return failed(Failed("folder_refused", {"folder": str(refused.filename)}))
    except Exception as error:
        failure = describe_failure(error)
        if failure.reference:
            log.exception("Bug %s", failure.reference)
        return failed(failure)


def failed(failure: Failed) -> dict[str, Any]:
    """Return the last line of a task that could not begin."""
    return LogEntry(failure, time.time()).to_line()
