"""The bot on an offline Discord, as in tests/bot."""

from tests.bot.conftest import kit, scheduler

__all__ = ["kit", "scheduler"]
