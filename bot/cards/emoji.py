"""The button that makes a picture a custom emoji of the server."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import discord
from discord import ui

from bot import wording
from bot.actions import emoji
from bot.bot import Bot, Interaction
from bot.card import Card
from bot.cards.components import Button, Form, defer, edit, open_modal, text, text_input
from bot.wording import escape, fill
from storage.errors import UserError
from storage.records import Job, Kind, Status


class Emoji(Button, verb="sample:emoji"):
    """Ask for the name of the emoji that a picture becomes on the server."""

    async def press(self, interaction: Interaction) -> None:
        found = await find_pictures(interaction, self.number(0))
        await open_modal(interaction, EmojiForm(found))


async def find_pictures(interaction: Interaction, number: int) -> list[Path]:
    """Return the square pictures of a job of this server.

    Raises UserError if the presser or the bot may not add emoji, or if there are none.
    """
    bot, guild = interaction.client, interaction.guild
    job = await bot.store.jobs.get(number)
    if guild is None or job.guild != guild.id or job.kind is not Kind.SAMPLE:
        raise UserError("job_unknown")
    if not emoji.may_add_emoji(interaction.permissions):
        raise UserError("permission_needed", permissions=["Create Expressions"])
    if not emoji.may_add_emoji(guild.me.guild_permissions):
        raise UserError("emoji_forbidden")
    if job.status is not Status.DONE:
        raise UserError("job_unknown")
    return await asyncio.to_thread(list_square_pictures, bot, job)


def list_square_pictures(bot: Bot, job: Job) -> list[Path]:
    """List the square pictures of a job."""
    found = sorted(bot.store.home.job_folder(job.folder).result.glob("*.png"))
    square = [path for path in found if emoji.is_square(path)]
    if not square:
        raise UserError("picture_gone")
    return square


class EmojiForm(Form):
    """A form for the emoji's name, and for the picture if there are several."""

    def __init__(self, found: list[Path]) -> None:
        super().__init__(title=wording.emoji.FORM)
        self.found = found
        self.name = text_input("name", min_length=2, max_length=32)
        self.add_field(wording.emoji.NAME_LABEL, self.name, wording.emoji.HINT)
        self.which: ui.Select[Any] | None = None
        if len(found) > 1:
            self.which = ui.Select(custom_id="which", options=picture_options(len(found)))
            self.add_field(wording.emoji.PICTURE_LABEL, self.which)

    async def submit(self, interaction: Interaction) -> None:
        await defer(interaction)
        if interaction.guild is None or not emoji.may_add_emoji(interaction.permissions):
            raise UserError("permission_needed", permissions=["Create Expressions"])
        name = emoji.clean_name(self.name.value)
        path = self.found[int(self.which.values[0]) if self.which else 0]
        if not path.is_file():
            raise UserError("picture_gone")
        shaped = await asyncio.to_thread(emoji.make_emoji_png, path)
        added = await emoji.add_emoji(interaction.guild, name, shaped, interaction.user.name)
        said = fill(wording.emoji.ADDED, emoji=added, name=escape(name))
        await edit(interaction, Card(text(said)))


def picture_options(count: int) -> list[discord.SelectOption]:
    """Return options for pictures by their number, the first one selected."""
    return [
        discord.SelectOption(label=str(at + 1), value=str(at), default=at == 0)
        for at in range(count)
    ]
