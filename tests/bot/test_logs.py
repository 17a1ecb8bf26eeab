"""The token never appears in a log."""

from __future__ import annotations

import io
import logging

import pytest

from bot import logs

TOKEN = ".".join(("MTA4", "GhXyz1", "abcdef"))


@pytest.fixture(autouse=True)
def _kept():
    """Restore the root logger."""
    root = logging.getLogger()
    before, level = root.handlers[:], root.level
    yield
    root.handlers[:], root.level = before, level


def test_token():
    """Messages, arguments and tracebacks do not show the token."""
    stream = io.StringIO()
    logs.start_logging(TOKEN, stream=stream)

    log = logging.getLogger("bot.test")
    log.info("logging in with %s", TOKEN)
    log.info("headers: %r", {"Authorization": f"Bot {TOKEN}"})
    log.error("failed", exc_info=ValueError(f"refused {TOKEN}"))

    assert TOKEN not in stream.getvalue()
    assert stream.getvalue().count(logs.REDACTED) == 3
    assert "ValueError" in stream.getvalue()
