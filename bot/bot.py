"""The bot's composition root: what is opened when it starts, and closed when it ends."""

from __future__ import annotations

import asyncio
import pkgutil
import secrets
from typing import TYPE_CHECKING, Any

import discord
from discord import app_commands, ui
from discord.ext import commands

from bot import cogs
from bot.errors import answer, control
from bot.jobfeed.follower import Follow
from bot.web import Web
from storage.errors import UserError
from storage.folders import Home
from storage.photos.sandbox import Darkroom
from storage.store import Store

if TYPE_CHECKING:
    from bot.settings import BotSettings


READERS = 4  #: files held in memory at once


def intents(*, collect: bool) -> discord.Intents:
    """Ask Discord for nothing privileged, unless the operator lets photos be collected."""
    return discord.Intents(guilds=True, guild_messages=collect, message_content=collect)


class Tree(app_commands.CommandTree["Bot"]):
    """The commands, with the one error handler."""

    async def on_error(
        self, interaction: discord.Interaction[Bot], error: app_commands.AppCommandError, /
    ) -> None:
        """Answer every error of every command."""
        await answer(interaction, error)


class Bot(commands.Bot):
    """Safelight on Discord."""

    store: Store
    darkroom: Darkroom
    web: Web
    follow: Follow

    def __init__(self, settings: BotSettings) -> None:
        super().__init__(
            commands.when_mentioned,
            help_command=None,
            tree_cls=Tree,
            intents=intents(collect=settings.collect),
            allowed_mentions=discord.AllowedMentions.none(),
        )
        self.settings = settings
        self.running: set[tuple[object, ...]] = set()  #: see `guards.once`
        self.reading = asyncio.Semaphore(READERS)
        self.boot = secrets.token_hex(4)  #: in the id of every form, to know those from before
        #: attachments whose owners have yet to agree, by member and dataset
        self.waiting: dict[tuple[int, int], list[discord.Attachment]] = {}
        self.controls: list[type[ui.DynamicItem[Any]]] = []

    async def setup_hook(self) -> None:
        """Open the store, load every cog and tell Discord the commands."""
        self.store = await Store.open(Home(self.settings.home))
        self.darkroom = Darkroom()
        await self.darkroom.__aenter__()
        for module in pkgutil.iter_modules(cogs.__path__):
            if not module.name.startswith("_"):
                name = f"{cogs.__name__}.{module.name}"
                await self.load_extension(name)
                self.controls += getattr(self.extensions[name], "ITEMS", ())
        self.add_dynamic_items(*self.controls)
        self.web = Web(self.store, self.settings.public)
        await self.web.start(self.settings.host, self.settings.port)
        self.follow = Follow(self)
        self.follow.start()
        await self.tree.sync()

    async def on_interaction(self, interaction: discord.Interaction[Bot], /) -> None:
        """Answer what was left open by another version, or by a form from before a restart."""
        name = control(interaction)
        if interaction.type is discord.InteractionType.modal_submit:
            ours = name.startswith(f"form:{self.boot}:")
        elif interaction.type is discord.InteractionType.component:
            ours = any(c.__discord_ui_compiled_template__.fullmatch(name) for c in self.controls)
        else:
            return
        if not ours:
            await answer(interaction, UserError("card_old"))

    async def on_message(self, message: discord.Message, /) -> None:
        """Leave messages alone: there are no prefix commands."""

    async def close(self) -> None:
        """Leave Discord and close what was opened."""
        await super().close()
        await self.shut()

    async def shut(self) -> None:
        """Close the store and the darkroom; a second time does nothing."""
        for cog in tuple(self.cogs):
            await self.remove_cog(cog)
        opened: dict[str, Any] = vars(self)
        for name in ("follow", "web"):
            if name in opened:
                await opened.pop(name).close()
        darkroom = opened.pop("darkroom", None)
        if darkroom is not None:
            await darkroom.__aexit__(None, None, None)
        store = opened.pop("store", None)
        if store is not None:
            await store.close()
