"""`python -m bot`: the bot's process, and the one place where its parts are put together."""

from __future__ import annotations

import asyncio
import gc
import logging
import pkgutil
import sys
from collections.abc import Iterator
from contextlib import AsyncExitStack, contextmanager, suppress

import aiohttp
import discord

from bot import cogs, logs, wording
from bot.bot import Bot
from bot.cards.components import Control, find_controls
from bot.jobfeed.comparisons import ComparisonCards
from bot.jobfeed.examining import Examining
from bot.jobfeed.follower import JobFollower
from bot.jobfeed.retention import UnusedDatasets
from bot.jobfeed.studies import StudyCourse
from bot.settings import BotSettings
from bot.upload.routes import UploadPage
from bot.web import Web
from storage.backup.folder import check_mounted
from storage.disk import explaining_full_disk
from storage.errors import UserError
from storage.folders import Home
from storage.homefolder import Program, hold_home
from storage.photofiles import use_keys
from storage.photos.sandbox import Darkroom
from storage.refusals import exit_code
from storage.settings import read_settings
from storage.signals import call_on_stop
from storage.store import Store

log = logging.getLogger(__name__)

MAX_WAIT_SECONDS = 300  #: for the scheduler, at the first start after an upgrade


def make_bot(settings: BotSettings) -> Bot:
    """Return a bot that opens its features when it is started."""
    return Bot(settings, open_features)


async def open_features(bot: Bot, opened: AsyncExitStack) -> None:
    """Open the store, the darkroom, the commands, the web server and the job feed, in this order.

    `opened` closes them in the reverse order, also if one of them cannot be opened.
    """
    bot.store = await opened.enter_async_context(await Store.open(Home(bot.settings.home)))
    await wait_for_scheduler(bot.store)
    await bot.store.checkpoints.finish_choices()
    bot.darkroom = await opened.enter_async_context(Darkroom(faces=True))
    opened.push_async_callback(remove_cogs, bot)
    await load_cogs(bot)
    bot.web = Web(bot.store, bot.settings.public_url)
    uploads = UploadPage(bot)
    uploads.add_routes()
    opened.push_async_callback(uploads.close)
    opened.push_async_callback(bot.web.close)
    await bot.web.start(bot.settings.host, bot.settings.port)
    bot.jobs = follower = JobFollower(bot)
    opened.push_async_callback(follower.close)
    follower.start()
    examining = Examining(bot)
    opened.push_async_callback(examining.close)
    examining.start()
    course = StudyCourse(bot)
    opened.push_async_callback(course.close)
    course.start()
    comparing = ComparisonCards(bot, follower.watched)
    opened.push_async_callback(comparing.close)
    comparing.start()
    retention = UnusedDatasets(bot)
    opened.push_async_callback(retention.close)
    retention.start()


async def wait_for_scheduler(store: Store) -> None:
    """Wait until the scheduler, after an upgrade, has taken over folders of before.

    Until then no file of a job is where its row says, so that a result could not be posted.
    """
    for second in range(MAX_WAIT_SECONDS):
        if not store.orphans.has_old():
            return
        if not second:
            log.info("Waiting for the scheduler to take over folders of an earlier version")
        await asyncio.sleep(1)
    log.warning("No scheduler took over the folders of an earlier version")


async def load_cogs(bot: Bot) -> None:
    """Load every module in `bot/cogs`, but those whose names begin with `_`."""
    for module in pkgutil.iter_modules(cogs.__path__, f"{cogs.__name__}."):
        if not module.name.rpartition(".")[2].startswith("_"):
            await bot.load_extension(module.name)
    bot.add_controls(*find_controls(Control))


async def remove_cogs(bot: Bot) -> None:
    """Remove the cogs, so that no message reaches one whose store is closed."""
    for cog in tuple(bot.cogs):
        await bot.remove_cog(cog)


async def serve(settings: BotSettings, token: str) -> None:
    """Run the bot until the process is told to stop."""
    gc.freeze()  # to look through all that was imported, each time, would hold the event loop
    await Store.check(Home(settings.home))  # what is wrong with it need not wait for a login
    async with make_bot(settings) as bot:
        running = asyncio.create_task(bot.start(token))
        call_on_stop(running.cancel)
        with suppress(asyncio.CancelledError):
            await running


def run(settings: BotSettings) -> None:
    """Run the bot in this process; a start that cannot succeed raises UserError."""
    if settings.token is None:
        raise UserError("token_missing")
    token = settings.token.get_secret_value()
    logs.start_logging(token)
    check_mounted(Home(settings.home), settings.backup)
    use_keys(settings.read_photo_keys())
    with explaining_full_disk(), hold_home(Home(settings.home), Program.BOT), explaining_login():
        asyncio.run(serve(settings, token))


@contextmanager
def explaining_login() -> Iterator[None]:
    """Turn what keeps the bot from logging in into a UserError."""
    try:
        yield
    except discord.LoginFailure:
        raise UserError("token_refused") from None
    except discord.PrivilegedIntentsRequired:
        raise UserError("intent_refused") from None
    except (aiohttp.ClientConnectionError, TimeoutError, discord.DiscordServerError) as error:
        reason = str(error) or type(error).__name__
        raise UserError("discord_unreachable", reason=reason) from error


def main() -> int:
    """Read the settings and run the bot; return the exit code (`storage.refusals`)."""
    try:
        run(read_settings(BotSettings))
    except UserError as error:
        print(wording.explain_in_shell(error), file=sys.stderr)  # noqa: T201 (nothing else runs any more)
        return exit_code(error)
    return 0


if __name__ == "__main__":
    sys.exit(main())
