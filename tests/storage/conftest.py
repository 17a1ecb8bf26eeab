"""A store on a real file, and the things one puts into it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from storage.folders import Home
from storage.records import CheckedPhoto, Kind, NewJob
from storage.store import Store

ALICE, BOB, GUILD, CHANNEL = 1001, 1002, 77, 88


@pytest.fixture
def home(tmp_path: Path) -> Home:
    """Return a data folder that is not there yet."""
    return Home(tmp_path / "home")


@pytest.fixture
async def store(home: Home) -> AsyncIterator[Store]:
    """Return an empty store."""
    async with await Store.open(home) as opened:
        yield opened


@pytest.fixture
def checked() -> Callable[..., CheckedPhoto]:
    """Return a checked picture that no other number comes near to."""

    def make(number: int = 1, **changes: Any) -> CheckedPhoto:
        facts: dict[str, Any] = {
            "digest": f"{number:064x}",
            "phash": 0x0101010101010101 * (number % 256),
            "width": 640,
            "height": 480,
            "pixels": b"pixels of %d" % number,
            "preview": b"preview of %d" % number,
            "warnings": (),
        }
        return CheckedPhoto(**facts | changes)

    return make


@pytest.fixture
def asked() -> Callable[..., NewJob]:
    """Return a job as the bot asks for it."""

    def make(kind: Kind = Kind.TRAIN, owner: int = ALICE, **changes: Any) -> NewJob:
        request = {"name": "my dog", "seed": 1, "steps": 100} | changes.pop("request", {})
        base = changes.pop("base", "embedded")
        return NewJob(kind, owner, GUILD, CHANNEL, request, base, **changes)

    return make


@pytest.fixture
def encode() -> Callable[..., bytes]:
    """Return a picture's file."""

    def make(picture: Image.Image, kind: str, **how: Any) -> bytes:
        file = BytesIO()
        picture.save(file, kind, **how)
        return file.getvalue()

    return make
