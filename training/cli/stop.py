"""Ctrl+C and SIGTERM in a command of the shell: one lets a training save, a second ends it."""

from __future__ import annotations

import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager

from storage.signals import HANGUP, STOPS, list_heeded

SAME_PRESS_SECONDS = 1.0  #: the terminal and the parent may both hand over one press


class Stop:
    """Turns signals into a KeyboardInterrupt, or into `asked` where a task ends by itself."""

    def __init__(self, same_press_seconds: float = SAME_PRESS_SECONDS) -> None:
        self.asked = False
        self.same_press_seconds = same_press_seconds
        self._pressed_at = 0.0
        self._deferring = self._known = False

    @contextmanager
    def listening(self) -> Iterator[None]:
        """Receive the signals in the block, which runs in the main thread.

        After a signal, the process is about to end, so that further ones are ignored.
        """
        heeded = list_heeded(*STOPS, *HANGUP)
        before = {number: signal.signal(number, self._receive) for number in heeded}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, signal.SIG_IGN if self.asked else handler)

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
        if not first and now - self._pressed_at < self.same_press_seconds:
            return
        self.asked, self._pressed_at = True, now
        if not (first and self._deferring):
            raise KeyboardInterrupt
