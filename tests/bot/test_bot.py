"""The bot's start and end."""

from __future__ import annotations

from contextlib import AsyncExitStack

import pytest

from bot.bot import Bot
from bot.settings import BotSettings


@pytest.fixture
def settings(tmp_path):
    """Return settings that read no `.env`."""
    return BotSettings(_env_file=None, home=tmp_path / "home", port=0)


async def test_a_failed_start_closes_what_was_opened(settings):
    """If a feature cannot be opened, those before it are closed, the last one first."""
    closed = []

    async def open_features(_: Bot, opened: AsyncExitStack) -> None:
        for name in ("store", "darkroom"):
            opened.callback(closed.append, name)
        raise OSError("no web server")

    bot = Bot(settings, open_features)
    with pytest.raises(OSError, match="no web server"):
        await bot.setup_hook()

    assert closed == ["darkroom", "store"]


async def test_features_are_closed_once(kit):
    """The store is closed with the bot; closing the bot again does nothing."""
    store = kit.bot.store
    await kit.bot.close_features()

    with pytest.raises(ValueError, match="Connection closed"):
        await store.consents.list_for(1)

    await kit.bot.close_features()
