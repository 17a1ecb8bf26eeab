"""The signals of a command that runs in the tests' own process."""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING

import pytest

from storage.signals import HANGUP, STOPS

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def handlers() -> Iterator[None]:
    """Restore the handlers: a command that was stopped ignores further signals until its end."""
    before = {number: signal.getsignal(number) for number in (*STOPS, *HANGUP)}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)
