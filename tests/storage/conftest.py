"""Fixtures: a store on a real file, and records to put into it."""

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
from tests.fakes.emptystore import lay_empty_store

ALICE, BOB, GUILD, CHANNEL = 1001, 1002, 77, 88


@pytest.fixture
def home(tmp_path: Path) -> Home:
    """A data folder that does not exist yet."""
    return Home(tmp_path / "home")


@pytest.fixture
async def store(home: Home) -> AsyncIterator[Store]:
    """An empty store."""
    await lay_empty_store(home.path)
    async with await Store.open(home) as opened:
        yield opened


@pytest.fixture
def make_photo() -> Callable[..., CheckedPhoto]:
    """Make checked photos; those with different numbers are no near duplicates."""

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
def make_job() -> Callable[..., NewJob]:
    """Make jobs as the bot queues them."""

    def make(kind: Kind = Kind.TRAIN, owner: int = ALICE, **changes: Any) -> NewJob:
        request = {"name": "my dog", "seed": 1, "steps": 100} | changes.pop("request", {})
        base = changes.pop("base", "embedded")
        return NewJob(kind, owner, GUILD, CHANNEL, request, base, **changes)

    return make


@pytest.fixture
def encode() -> Callable[..., bytes]:
    """Encode a picture as a file."""

    def make(picture: Image.Image, kind: str, **options: Any) -> bytes:
        file = BytesIO()
        picture.save(file, kind, **options)
        return file.getvalue()

    return make
