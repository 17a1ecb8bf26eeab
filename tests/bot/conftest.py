"""Bots on an offline Discord, a scheduler that reports to them, and a real browser."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import pytest
import pytest_asyncio

from bot.demo import browser
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


@pytest.fixture(scope="module")
def chromium():
    """Return the path of a browser; without one, the test is skipped."""
    program = browser.find_chromium()
    if program is None:
        pytest.skip("there is no Chromium here")
    return program


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def address(chromium):
    """Run one browser for all tests of a file."""
    async with browser.open_browser(chromium) as address:
        yield address


@pytest.fixture
def tab(address):
    """Open a page in a tab of the browser."""
    return partial(browser.open_tab, address)
