"""`python -m bot`: the bot's process."""

from __future__ import annotations

import asyncio
import sys
from contextlib import suppress

import discord

from bot import logs, settings, wording
from bot.bot import Bot
from storage.errors import UserError
from storage.signals import call_on_stop


async def serve(chosen: settings.BotSettings, token: str) -> None:
    """Run the bot until it is told to stop."""
    async with Bot(chosen) as bot:
        running = asyncio.create_task(bot.start(token))
        call_on_stop(running.cancel)
        with suppress(asyncio.CancelledError):
            await running


def run(chosen: settings.BotSettings) -> None:
    """Run the bot in this process; a start that cannot succeed is a UserError."""
    if chosen.token is None:
        raise UserError("token_missing")
    token = chosen.token.get_secret_value()
    logs.start(token)
    try:
        asyncio.run(serve(chosen, token))
    except discord.LoginFailure:
        raise UserError("token_refused") from None
    except discord.PrivilegedIntentsRequired:
        raise UserError("intent_refused") from None


def main() -> int:
    """Read the settings and run; a foreseen end is a sentence and an exit code."""
    try:
        run(settings.read())
    except UserError as error:
        print(wording.explain_in_shell(error), file=sys.stderr)  # noqa: T201 (nothing else runs any more)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
