"""A line in the terminal that fills as the work goes on."""

from __future__ import annotations

import shutil
import sys
from typing import TextIO

WIDTH = 24
PARTS = "▏▎▍▌▋▊▉█"
EVERY = 0.1  #: of the whole, between two lines where lines cannot be redrawn


def filled(share: float, width: int = WIDTH) -> str:
    """Draw a bar that is filled to a share of it."""
    eighths = round(max(0.0, min(share, 1.0)) * width * 8)
    whole, rest = divmod(eighths, 8)
    return ("█" * whole + (PARTS[rest - 1] if rest else "")).ljust(width)


class Bar:
    """Redrawn in place on a terminal; elsewhere a line now and then."""

    def __init__(self, out: TextIO | None = None) -> None:
        self.out = sys.stderr if out is None else out
        self.live = self.out.isatty()
        self.open = False
        self.written = -1.0

    def show(self, share: float, words: str) -> None:
        """Show how far it is."""
        if self.live:
            line = f"{filled(share)}▏{words}"[: shutil.get_terminal_size().columns - 1]
            self.out.write(f"\r\x1b[K{line}")
            self.open = True
        elif share >= self.written + EVERY or share >= 1 > self.written:
            self.out.write(f"{share:4.0%} {words}\n")
            self.written = share
        self.out.flush()

    def say(self, line: str) -> None:
        """Write a line of its own."""
        self.out.write(("\r\x1b[K" if self.open else "") + line + "\n")
        self.out.flush()
        self.open = False
