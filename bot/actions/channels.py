"""Channels for cards: which one, whether the bot may write there, and threads for jobs."""

from __future__ import annotations

import datetime
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Literal, TypeVar

import discord

from bot import wording
from bot.bot import Bot, Interaction
from bot.card import Card
from bot.wording import flatten
from storage.errors import UserError
from storage.records import Job
from storage.tables.posts import make_marker

T = TypeVar("T")
MessageChannel = discord.TextChannel | discord.Thread | discord.VoiceChannel | discord.StageChannel
ARCHIVE_MINUTES: Literal[1440] = 1440  #: minutes until a quiet thread is folded away
SEARCHED_MESSAGES = 200  #: messages of a channel in which a post is looked for
THREAD_ARCHIVED = 50083  #: Discord's code
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


async def post(
    room: discord.abc.Messageable,
    card: Card,
    nonce: str,
    mentions: discord.AllowedMentions | None = None,
) -> discord.Message:
    """Send a card as a message of its own: everything that no command answers goes through here.

    Discord takes a nonce once within some minutes and returns the message that has it already.
    """
    mentions = mentions or discord.AllowedMentions.none()
    return await room.send(
        view=card, files=card.open_files(), nonce=nonce, allowed_mentions=mentions
    )


def mark_card(card: Card, job: Job) -> Card:
    """Return a job's card with the number by which it is found in a channel."""
    card.container.id = make_marker(f"card {job.id} {job.created}")
    return card


async def find_posted(
    bot: Bot, room: discord.abc.Messageable, marker: int, after: int = 0
) -> discord.Message | None:
    """Return the bot's newest message whose card has a marker, among a channel's last ones."""
    with suppress(discord.Forbidden, discord.NotFound):
        async for message in room.history(limit=SEARCHED_MESSAGES):
            ids = {getattr(component, "id", None) for component in message.components}
            if message.author == bot.user and message.id > after and marker in ids:
                return message
    return None


async def reopening(bot: Bot, room: int, act: Callable[[], Awaitable[T]]) -> T:
    """Do something in a channel; if it is an archived thread, open it first and do it again."""
    try:
        return await act()
    except discord.HTTPException as refused:
        if refused.code != THREAD_ARCHIVED:
            raise
        with suppress(discord.HTTPException):
            thread = await bot.fetch_channel(room)
            if isinstance(thread, discord.Thread):
                await thread.edit(archived=False)
        return await act()


async def create_thread(bot: Bot, job: Job) -> int | None:
    """Return a job's new thread, or the one that an earlier process has just created.

    Returns None in a channel that has no threads. The owner is invited to a private one.
    """
    channel = bot.get_channel(job.channel) or await bot.fetch_channel(job.channel)
    if isinstance(channel, discord.Thread) and job.private:
        return channel.id
    if not isinstance(channel, discord.TextChannel):
        if job.private:
            raise UserError("channel_kind")
        return None
    name = await thread_name(bot, job)
    thread = find_thread(channel, name, job)
    thread = thread or await start_thread(channel, name, private=job.private)
    if job.private:
        await thread.add_user(discord.Object(job.owner))
    return thread.id


async def start_thread(
    channel: discord.TextChannel, name: str, *, private: bool
) -> discord.Thread:
    """Return a new thread in a channel."""
    return await channel.create_thread(
        name=name,
        type=thread_type(channel, private=private),
        auto_archive_duration=ARCHIVE_MINUTES,
        invitable=not private,
    )


async def find_room(interaction: Interaction, name: str, *, private: bool) -> int:
    """Return the channel for what is made of several trainings: as that of one, or a new thread.

    A private thread has this name; its owner, who pressed, is invited. Raises UserError if the
    bot may not post or open it there.
    """
    number = await find_training_channel(interaction, private=private)
    channel = interaction.client.get_channel(number)
    if not (private and isinstance(channel, discord.TextChannel)):
        return number
    thread = await start_thread(channel, flatten(name, 100), private=True)
    await thread.add_user(interaction.user)
    return thread.id


def thread_type(channel: discord.TextChannel, *, private: bool) -> discord.ChannelType:
    """Return the kind of thread that a job gets in a channel."""
    if private:
        return discord.ChannelType.private_thread
    if channel.is_news():
        return discord.ChannelType.news_thread
    return discord.ChannelType.public_thread


def find_thread(channel: discord.TextChannel, name: str, job: Job) -> discord.Thread | None:
    """Return the bot's thread of this name that is newer than a job; None without one."""
    created = datetime.datetime.fromtimestamp(job.created, datetime.UTC)
    since = job.message or discord.utils.time_snowflake(created)
    for thread in channel.threads:
        if thread.name == name and thread.owner_id == channel.guild.me.id and thread.id > since:
            return thread
    return None


async def thread_name(bot: Bot, job: Job) -> str:
    """Return the name of a job's thread."""
    catalog = await bot.store.catalog.read()
    method = catalog.method_title(job.request["method"])
    name = wording.fill(
        wording.job.THREAD_NAME, name=job.request["name"], method=method, job=job.id
    )
    return flatten(name, 100)
