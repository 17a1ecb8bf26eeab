"""`safelight bases fetch NAME --node BOX`: a base is downloaded on another machine."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

from storage.folders import Home

FETCH = (sys.executable, "-m", "training", "bases", "fetch")
MAX_LINES_BYTES = 1 << 20


class FetchState(NamedTuple):
    """What a download has printed since it was last asked, and its exit code once it has ended."""

    lines: bytes
    exit_code: int | None


class BaseFetch:
    """Runs `safelight bases fetch` on its machine, one at a time."""

    def __init__(self, home: Home) -> None:
        self.home, self.log = home, home.path / "fetch.jsonl"
        self.child: subprocess.Popen[bytes] | None = None

    def begin(self, name: str) -> None:
        """Start a download; raise ValueError while another one runs."""
        if self.child is not None and self.child.poll() is None:
            raise ValueError("another download runs there")
        with self.log.open("wb") as out:
            self.child = subprocess.Popen(
                [*FETCH, "--", name], stdout=out, stdin=subprocess.DEVNULL, cwd=Path.cwd()
            )

    def read(self, offset: int) -> FetchState:
        """Return the lines of JSON that it has printed from an offset on."""
        if self.child is None:
            raise ValueError("no download runs there")
        code = self.child.poll()
        with self.log.open("rb") as opened:
            opened.seek(offset)
            lines = opened.read(MAX_LINES_BYTES)
        return FetchState(
            lines[: lines.rfind(b"\n") + 1], None if len(lines) == MAX_LINES_BYTES else code
        )
