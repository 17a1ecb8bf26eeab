"""Points at which a process under test dies: just before or after a rename or an fsync.

The harness arms a process by writing a file; the process counts down at every such call, and
kills itself with SIGKILL, so that nothing is flushed, closed or tidied up.
"""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

CALLS = ("fsync", "replace", "rename", "link")  #: of the module `os`


@dataclass(frozen=True, slots=True)
class CrashPoint:
    """The n-th of these calls from now on, before or after it took effect."""

    call: str
    count: int
    after: bool


class CrashPoints:
    """The file by which one role is armed."""

    def __init__(self, folder: Path, role: str) -> None:
        self.file = folder / f"crash-{role}.json"

    def arm(self, point: CrashPoint) -> None:
        """Have the process die at a point."""
        part = self.file.with_suffix(".part")
        part.write_text(json.dumps(asdict(point)))
        part.replace(self.file)

    def disarm(self) -> bool:
        """Take the order back; return whether it was still there."""
        armed = self.file.exists()
        self.file.unlink(missing_ok=True)
        return armed

    def install(self) -> None:
        """Wrap the calls of this process."""
        state: dict[str, Any] = {"armed": None, "left": 0}
        for call in CALLS:
            setattr(os, call, self._wrap(call, getattr(os, call), state))

    def _wrap(
        self, call: str, real: Callable[..., Any], state: dict[str, Any]
    ) -> Callable[..., Any]:
        def wrapped(*arguments: Any, **named: Any) -> Any:
            dies = self._counts_down(call, state)
            if dies is not None and not dies.after:
                self._die()
            result = real(*arguments, **named)
            if dies is not None:
                self._die()
            return result

        return wrapped

    def _counts_down(self, call: str, state: dict[str, Any]) -> CrashPoint | None:
        """Count a call; return the armed point if this is the one."""
        try:
            point = CrashPoint(**json.loads(self.file.read_bytes()))
        except FileNotFoundError:
            return None
        if point.call != call:
            return None
        if state["armed"] != point:
            state["armed"], state["left"] = point, point.count
        state["left"] -= 1
        return point if state["left"] <= 0 else None

    def _die(self) -> None:
        self.file.unlink(missing_ok=True)
        os.kill(os.getpid(), signal.SIGKILL)
