"""Bots on an offline Discord, and a scheduler that reports to them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.fakes.discord import BotKit, running
from tests.fakes.scheduler import FakeScheduler

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path


@pytest.fixture
async def kit(tmp_path: Path) -> AsyncIterator[BotKit]:
    """Run a bot with its default settings."""
    async with running(tmp_path / "home") as kit:
        yield kit


@pytest.fixture
async def scheduler(kit: BotKit) -> FakeScheduler:
    """Return a scheduler that has published its catalog."""
    scheduler = FakeScheduler(kit)
    await scheduler.publish_catalog()
    return scheduler


@pytest.fixture
async def collecting_kit(tmp_path: Path) -> AsyncIterator[BotKit]:
    """Run a bot whose operator enables collecting photos from messages."""
    async with running(tmp_path / "home", collect_messages=True) as kit:
        yield kit
