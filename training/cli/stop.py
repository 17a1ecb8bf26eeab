"""Ctrl+C and SIGTERM in a command of the shell: one lets a training save, a second ends it."""

from __future__ import annotations

import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager

SAME_PRESS_SECONDS = 1.0  #: the terminal and the parent may both hand over one press


class Stop:
    """Turns signals into a KeyboardInterrupt, or into `asked` where a task ends by itself."""

    def __init__(self) -> None:
        self.asked = False
        self._pressed_at = 0.0
        self._deferring = self._known = False

    def listen(self) -> None:
        """Receive the signals from now on; call it in the main thread."""
        for name in ("SIGINT", "SIGTERM", "SIGHUP"):
            if hasattr(signal, name):  # Windows has no SIGHUP
                signal.signal(getattr(signal, name), self._receive)

    @contextmanager
    def deferring(self) -> Iterator[None]:
        """Only note the first signal in the block, which looks at `asked` now and then."""
        self._deferring = True
        try:
            yield
        finally:
            self._deferring = False

    def is_news(self) -> bool:
        """Return whether a signal came since this was last called."""
        news, self._known = self.asked and not self._known, self.asked
        return news

    def _receive(self, *_: object) -> None:
        now, first = time.monotonic(), not self.asked
        if not first and now - self._pressed_at < SAME_PRESS_SECONDS:
            return
        self.asked, self._pressed_at = True, now
        if not (first and self._deferring):
            raise KeyboardInterrupt
