"""Photos that members post as messages: until Done, or from a message's menu; if allowed."""

from __future__ import annotations

from contextlib import suppress

import discord
from discord import app_commands
from discord.ext import commands

from bot import wording
from bot.actions.photos import receive_photos
from bot.bot import Bot, Interaction
from bot.card import Card
from bot.cards.agreement import make_terms
from bot.cards.collecting import open_message_form
from bot.cards.components import text
from bot.cards.dataset_text import received_lines
from bot.wording import explain
from storage.errors import UserError
from storage.records import Dataset

TAKEN, REFUSED = "✅", "⚠️"


class Collecting(commands.Cog):
    """Takes photos from the messages of members who started collecting."""

    def __init__(self, bot: Bot) -> None:
        self.bot = bot
        self.menu = app_commands.ContextMenu(
            name=wording.dataset.MENU_ADD, callback=add_message_photos
        )

    async def cog_load(self) -> None:
        """Offer the command in the menu of messages."""
        self.bot.tree.add_command(self.menu)

    async def cog_unload(self) -> None:
        """Take the command out of the menu."""
        self.bot.tree.remove_command(self.menu.name, type=self.menu.type)

    @commands.Cog.listener()
    async def on_message(self, message: discord.Message) -> None:
        """Take a member's photos while they collect in this channel."""
        if message.author.bot or not message.attachments:
            return
        dataset = await self.bot.store.datasets.get_collecting(
            message.author.id, message.channel.id
        )
        if dataset is not None:
            await self.take_photos(message, dataset)

    async def check_consent(self, dataset: Dataset) -> None:
        """Raise UserError("consent_needed") if the terms have changed since the start."""
        terms = await make_terms(self.bot, dataset.owner, dataset)
        if not await self.bot.store.consents.has(dataset.owner, terms):
            raise UserError("consent_needed")

    async def take_photos(self, message: discord.Message, dataset: Dataset) -> None:
        """Take the photos of one message, and react to it."""
        try:
            await self.check_consent(dataset)
            received = await receive_photos(self.bot, dataset, message.attachments)
        except UserError as error:
            await react(message, explain(error))
            return
        if received.refused:
            await react(message, *received_lines(dataset, received))
        else:
            await react(message)


@app_commands.guild_only()
async def add_message_photos(interaction: Interaction, message: discord.Message) -> None:
    """Add the photos of one of the member's own messages to a dataset."""
    await open_message_form(interaction, message)


async def react(message: discord.Message, *lines: str) -> None:
    """React to a message, and reply with what was wrong."""
    with suppress(discord.Forbidden, discord.NotFound):
        await message.add_reaction(REFUSED if lines else TAKEN)
    if lines:
        with suppress(discord.Forbidden, discord.NotFound):
            await message.reply(view=Card(text(*lines)), mention_author=False)


async def setup(bot: Bot) -> None:
    """Add the listener, if the operator allows collecting."""
    if bot.settings.collect_messages:
        await bot.add_cog(Collecting(bot))
