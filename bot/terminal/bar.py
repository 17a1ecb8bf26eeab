"""A progress bar on the terminal."""

from __future__ import annotations

import shutil
import sys
from typing import TextIO

WIDTH_CELLS = 24
EIGHTHS = "▏▎▍▌▋▊▉█"
MIN_SHARE_BETWEEN_LINES = 0.1  #: where a line cannot be redrawn, as in a pipe


def draw_bar(share: float, width: int = WIDTH_CELLS) -> str:
    """Return a bar of `width` cells, filled to a share from 0 to 1."""
    eighths = round(max(0.0, min(share, 1.0)) * width * 8)
    whole, rest = divmod(eighths, 8)
    return ("█" * whole + (EIGHTHS[rest - 1] if rest else "")).ljust(width)


class Bar:
    """A bar that is redrawn in place on a terminal; elsewhere, a line for every tenth."""

    def __init__(self, out: TextIO | None = None) -> None:
        self.out = sys.stderr if out is None else out
        self.live = self.out.isatty()
        self.bar_shown = False
        self.last_share = -1.0

    def update(self, share: float, words: str) -> None:
        """Show the share that is done, from 0 to 1, with words behind the bar."""
        if self.live:
            line = f"{draw_bar(share)}▏{words}"[: shutil.get_terminal_size().columns - 1]
            self.out.write(f"\r\x1b[K{line}")
            self.bar_shown = True
        elif share >= self.last_share + MIN_SHARE_BETWEEN_LINES or share >= 1 > self.last_share:
            self.out.write(f"{share:4.0%} {words}\n")
            self.last_share = share
        self.out.flush()

    def print_line(self, line: str) -> None:
        """Print a line in place of the bar."""
        self.out.write(("\r\x1b[K" if self.bar_shown else "") + line + "\n")
        self.out.flush()
        self.bar_shown = False
