"""Logging for the bot's process: one line a record, and no secret in any of them."""

from __future__ import annotations

import logging
import sys
from typing import TYPE_CHECKING, TextIO

if TYPE_CHECKING:
    from collections.abc import Iterable

HIDDEN = "[hidden]"


class Redacting(logging.Formatter):
    """Take secrets out of every line, tracebacks included, by their value."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        super().__init__("{asctime} {levelname:<7} {name}: {message}", "%Y-%m-%d %H:%M:%S", "{")
        self.secrets = tuple(secret for secret in secrets if secret)

    def format(self, record: logging.LogRecord) -> str:
        """Write a record down without the secrets."""
        line = super().format(record)
        for secret in self.secrets:
            line = line.replace(secret, HIDDEN)
        return line


def start_logging(*secrets: str, level: int = logging.INFO, stream: TextIO | None = None) -> None:
    """Send every logger's lines to `stream` (stderr), redacted."""
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(Redacting(secrets))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
