"""Settings from the environment and `.env`."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import ValidationError

from storage.settings import StorageSettings


def test_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The environment wins over `.env`; an empty value counts as unset."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / ".env").write_text("SAFELIGHT_HOME=/from/file\nSAFELIGHT_DISK_MB=5\nOTHER=1\n")
    monkeypatch.setenv("SAFELIGHT_HOME", str(tmp_path))
    monkeypatch.setenv("SAFELIGHT_DISK_MB", "")

    settings = StorageSettings()

    assert (settings.home, settings.min_free_mib) == (tmp_path, 5)


def test_defaults(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing must be set: data is in the user's data folder, and a GiB is kept free."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("SAFELIGHT_HOME", raising=False)
    monkeypatch.delenv("SAFELIGHT_DISK_MB", raising=False)

    settings = StorageSettings()

    assert (settings.home.name, settings.min_free_mib) == ("safelight", 1024)


def test_negative(monkeypatch: pytest.MonkeyPatch) -> None:
    """A negative number is refused."""
    monkeypatch.setenv("SAFELIGHT_DISK_MB", "-1")

    with pytest.raises(ValidationError, match="SAFELIGHT_DISK_MB"):
        StorageSettings()
