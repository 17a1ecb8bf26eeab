"""Channels for cards: which one, whether the bot may write there, and threads for jobs."""

from __future__ import annotations

from contextlib import suppress
from typing import Literal

import discord

from bot import wording
from bot.bot import Bot, Interaction
from bot.wording import flatten
from storage.errors import UserError
from storage.records import Job

MessageChannel = discord.TextChannel | discord.Thread | discord.VoiceChannel | discord.StageChannel
ARCHIVE_MINUTES: Literal[1440] = 1440  #: minutes until a quiet thread is folded away
PERMISSIONS = {
    "view_channel": "View Channel",
    "send_messages": "Send Messages",
    "send_messages_in_threads": "Send Messages in Threads",
    "attach_files": "Attach Files",
    "create_private_threads": "Create Private Threads",
}


async def find_training_channel(interaction: Interaction, *, private: bool = False) -> int:
    """Return the channel for a training's card: the server's setting, or where it was asked for.

    Raises UserError if the bot may not post there.
    """
    bot, guild = interaction.client, interaction.guild
    server = await bot.store.servers.get(interaction.guild_id or 0)
    chosen = guild.get_channel_or_thread(server.channel) if guild and server.channel else None
    channel = chosen or interaction.channel
    if guild is None or not isinstance(channel, MessageChannel):
        raise UserError("channel_kind")
    missing = missing_permissions(channel, private=private)
    if missing:
        raise UserError("channel_closed", channel=channel.id, permissions=missing)
    return channel.id


def missing_permissions(channel: MessageChannel, *, private: bool) -> list[str]:
    """Return the names of the permissions that the bot lacks in a channel."""
    thread = isinstance(channel, discord.Thread)
    if private and not isinstance(channel, discord.TextChannel):
        raise UserError("channel_kind")
    may = channel.permissions_for(channel.guild.me)
    needed = ["view_channel", "attach_files"]
    needed.append("send_messages_in_threads" if thread or private else "send_messages")
    if private:
        needed.append("create_private_threads")
    return [PERMISSIONS[name] for name in needed if not getattr(may, name)]


def partial_messageable(bot: Bot, channel: int, guild: int) -> discord.PartialMessageable:
    """Return a channel or thread to write to, also one that is not in the cache."""
    return bot.get_partial_messageable(channel, guild_id=guild)


async def remove_message(bot: Bot, channel: int, guild: int, message: int) -> None:
    """Delete one of the bot's messages, unless it is gone already."""
    with suppress(discord.NotFound):
        await partial_messageable(bot, channel, guild).get_partial_message(message).delete()


async def create_private_thread(bot: Bot, job: Job) -> int:
    """Create a job's private thread, add its owner, and return its id."""
    channel = bot.get_channel(job.channel)
    if not isinstance(channel, discord.TextChannel):
        return job.channel
    thread = await channel.create_thread(
        name=await thread_name(bot, job),
        type=discord.ChannelType.private_thread,
        auto_archive_duration=ARCHIVE_MINUTES,
        invitable=False,
    )
    await thread.add_user(discord.Object(job.owner))
    return thread.id


async def create_thread(bot: Bot, job: Job) -> int | None:
    """Create the thread for a job's previews and return its id; None where there can be none."""
    channel = bot.get_channel(job.channel)
    if not isinstance(channel, discord.TextChannel):
        return None
    kind = discord.ChannelType.public_thread
    if channel.is_news():
        kind = discord.ChannelType.news_thread
    thread = await channel.create_thread(
        name=await thread_name(bot, job), type=kind, auto_archive_duration=ARCHIVE_MINUTES
    )
    return thread.id


async def thread_name(bot: Bot, job: Job) -> str:
    """Return the name of a job's thread."""
    catalog = await bot.store.catalog.read()
    method = catalog.method_title(job.request["method"])
    name = wording.fill(
        wording.job.THREAD_NAME, name=job.request["name"], method=method, job=job.id
    )
    return flatten(name, 100)
