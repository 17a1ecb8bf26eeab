"""The lines that a command of the shell says: JSON, the last one terminal."""

from __future__ import annotations

import json
import logging
import sys
import time
from typing import TYPE_CHECKING, Any

from training.worker.execution import told

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
        return failed({"code": "folder_refused", "folder": str(refused.filename)})
    except Exception as error:
        facts = told(error)
        if "reference" in facts:
            log.exception("Bug %s", facts["reference"])
        return failed(facts)


def failed(facts: dict[str, Any]) -> dict[str, Any]:
    """Return the last line of a task that could not begin."""
    return {"at": time.time(), "kind": "failed", **facts}
