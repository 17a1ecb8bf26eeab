"""Opening the store."""

from __future__ import annotations

import stat
import subprocess
import sys

import pytest

from storage.errors import UserError
from storage.folders import Home
from storage.store import Store
from storage.tables.consents import Terms


async def test_open(home: Home) -> None:
    """The data folder is created, readable by its owner alone."""
    async with await Store.open(home):
        names = {path.name for path in home.path.iterdir() if path.is_dir()}

    assert names == {"photos", "previews", "styles", "bases", "workers", "runs"}
    assert stat.S_IMODE(home.path.stat().st_mode) == 0o700


async def test_open_again(home: Home) -> None:
    """What was stored is there when the store is opened again."""
    async with await Store.open(home) as store:
        await store.consents.add(1, Terms(1), "form")
    async with await Store.open(home) as store:
        assert await store.consents.has(1, Terms(1))


async def test_newer_version(home: Home) -> None:
    """A database of a newer version is refused."""
    async with await Store.open(home) as store:
        await store._database.execute("PRAGMA user_version = 99")

    with pytest.raises(UserError, match="database_newer"):
        await Store.open(home)


def test_imports() -> None:
    """Neither the store nor the darkroom imports torch, discord or Pillow."""
    code = (
        "import sys, storage.store, storage.photos.sandbox, storage.planning.plan, storage.disk\n"
        "print(sorted({'torch', 'discord', 'numpy', 'PIL', 'bot', 'training'} & set(sys.modules)))"
    )
    child = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True)

    assert child.stdout.strip() == b"[]"
