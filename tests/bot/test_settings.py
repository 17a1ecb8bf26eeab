"""A wrong setting fails the start with a sentence that names it."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from bot.settings import BotSettings
from storage.errors import UserError
from storage.settings import read_settings


@pytest.fixture(autouse=True)
def _bare(monkeypatch, tmp_path):
    """Remove the developer's own environment."""
    monkeypatch.chdir(tmp_path)
    for field in BotSettings.model_fields.values():
        monkeypatch.delenv(str(field.validation_alias), raising=False)


def test_defaults():
    """Every setting but the token has a default."""
    read = read_settings(BotSettings)

    assert (read.token, read.collect_messages, read.default_base) == (None, False, "embedded")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("SAFELIGHT_WEB_PORT", "eighty"),
        ("SAFELIGHT_WEB_PORT", "99999"),
        ("PUBLIC_URL", "ftp://example.org"),
        ("SAFELIGHT_CARD_SECONDS", "0"),
        ("SAFELIGHT_COLLECT_MESSAGES", "perhaps"),
        ("DISCORD_TOKEN", "secret with spaces"),
        ("SAFELIGHT_DISK_MB", "-5"),
    ],
)
def test_wrong(monkeypatch, name, value):
    """The error names the setting, shows one that works, and never repeats the value."""
    monkeypatch.setenv(name, value)

    with pytest.raises(UserError, match="setting_wrong") as wrong:
        read_settings(BotSettings)

    assert wrong.value.facts["name"] == name
    assert str(wrong.value.facts["example"]).startswith(f"{name}=")
    assert value not in str(wrong.value.facts)


def test_file(tmp_path):
    """Settings are read from .env in the working folder, too."""
    (tmp_path / ".env").write_text("SAFELIGHT_CARD_SECONDS=1\nDISCORD_TOKEN=a.b.c\n")

    read = read_settings(BotSettings)

    assert read.card_seconds == 1
    assert "a.b.c" not in repr(read)


def run(**env):
    """Start the bot's process as an operator does."""
    return subprocess.run(
        [sys.executable, "-W", "ignore", "-m", "bot"],
        env={"PATH": os.environ["PATH"], "HOME": os.environ.get("HOME", "/")} | env,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_no_token():
    """Without a token the four steps to one are printed, and the exit code is 2."""
    done = run()

    assert done.returncode == 2
    assert "DISCORD_TOKEN" in done.stderr
    assert "safelight demo" in done.stderr
    assert "Traceback" not in done.stderr


def test_wrong_setting():
    """A wrong setting is one sentence and exit code 2."""
    done = run(SAFELIGHT_WEB_PORT="eighty")

    assert done.returncode == 2
    assert "SAFELIGHT_WEB_PORT=8765" in done.stderr
    assert "Traceback" not in done.stderr


def test_only_our_variables(monkeypatch):
    """Variables without our prefix, such as HOME or TOKEN, set nothing."""
    monkeypatch.setenv("XDG_DATA_HOME", "/data")
    before = read_settings(BotSettings)
    ours = {field.validation_alias for field in BotSettings.model_fields.values()}
    for name in {field.upper() for field in BotSettings.model_fields} - ours:
        monkeypatch.setenv(name, "7")

    assert read_settings(BotSettings) == before
    assert str(before.home) == "/data/safelight"
