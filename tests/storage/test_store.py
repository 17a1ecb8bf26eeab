"""The door to everything."""

from __future__ import annotations

import stat
import subprocess
import sys

import pytest

from storage.errors import UserError
from storage.folders import Home
from storage.store import Store


async def test_open(home: Home) -> None:
    """The data folder is made, for its owner alone."""
    async with await Store.open(home):
        names = {path.name for path in home.path.iterdir() if path.is_dir()}

    assert names == {"photos", "previews", "styles", "bases", "workers", "runs"}
    assert stat.S_IMODE(home.path.stat().st_mode) == 0o700


async def test_again(home: Home) -> None:
    """Opening what is there changes nothing."""
    async with await Store.open(home) as store:
        await store.members.add_consent(1, 1, "modal")
    async with await Store.open(home) as store:
        assert await store.members.has_consented(1, 1)


async def test_newer(home: Home) -> None:
    """A folder that a newer version wrote is not opened, and nothing is left open."""
    async with await Store.open(home) as store:
        await store._database.execute("PRAGMA user_version = 99")

    with pytest.raises(UserError, match="database_newer"):
        await Store.open(home)


def test_light() -> None:
    """Neither the store nor the darkroom brings torch, discord or Pillow along."""
    code = (
        "import sys, storage.store, storage.photos.sandbox, storage.planning.plan, storage.disk\n"
        "print(sorted({'torch', 'discord', 'numpy', 'PIL', 'bot', 'training'} & set(sys.modules)))"
    )
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True)

    assert told.stdout.strip() == b"[]"
