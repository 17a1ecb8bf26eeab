"""Writing down what happens in a task."""

from __future__ import annotations

import time
from typing import Any

from storage.records import Event


def event(kind: str, **facts: Any) -> Event:
    """Note what happened, now."""
    return Event(kind, facts, time.time())
