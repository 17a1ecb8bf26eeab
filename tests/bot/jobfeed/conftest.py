"""A Discord that refuses what a test says."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.fakes.posts import World, opening_world

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    """Return a store and a Discord that works so far."""
    async with opening_world(tmp_path / "home") as world:
        yield world
