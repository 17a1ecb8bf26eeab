"""The settings of a server: a card of selects, and a form for the limits."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import discord
from discord import ui

from bot import wording
from bot.actions.permissions import check_server_manager
from bot.bot import Interaction
from bot.card import Card
from bot.cards.components import (
    Button,
    Control,
    Form,
    defer_update,
    edit,
    open_modal,
    row,
    text,
    text_input,
)
from bot.cards.staying import read_staying
from bot.wording import format_count, say
from storage.errors import UserError
from storage.records import Server

MAX_ROLES = 10
MAX_LIMIT = 1000  #: of a limit
NEEDED = discord.Permissions(
    view_channel=True,
    send_messages=True,
    attach_files=True,
    create_public_threads=True,
    send_messages_in_threads=True,
)


async def server_card(interaction: Interaction) -> Card:
    """Return a card of the server's settings."""
    store, guild = interaction.client.store, interaction.guild_id or 0
    server = await store.servers.get(guild)
    stays = await read_staying(store, guild)
    card = Card(
        text(wording.server.TITLE),
        text(wording.server.TRAINERS),
        row(Trainers(server.trainers)),
        text(wording.server.SAMPLERS),
        row(Samplers(server.samplers)),
        text(wording.server.CHANNEL),
        row(Training(server.channel)),
        text(wording.server.LOG),
        row(Log(server.log)),
        text(limits_line(server), *missing_permission_lines(interaction, server)),
    )
    if stays is None:
        return card.add(row(Limits()))
    card.add(text(wording.server.STAYS if stays else wording.server.MAY_LEAVE))
    stay = Stay(int(not stays), label=wording.server.STAY_LABELS[not stays])
    return card.add(row(Limits(), stay))


def limits_line(server: Server) -> str:
    """Return how much one member may train."""
    jobs = format_count(server.jobs, "training") if server.jobs else wording.server.NO_LIMIT
    minutes = format_count(server.minutes, "minute") if server.minutes else wording.server.NO_LIMIT
    return say(wording.server.LIMITS, jobs=jobs, minutes=minutes)


def missing_permission_lines(interaction: Interaction, server: Server) -> list[str]:
    """Return the permissions that the bot lacks in the chosen channels."""
    lines = []
    for number_ in filter(None, (server.channel, server.log)):
        channel = interaction.guild.get_channel(number_) if interaction.guild else None
        if channel is None:
            continue
        held = channel.permissions_for(channel.guild.me)
        lacking = [name for name, needed in NEEDED if needed and not getattr(held, name)]
        if lacking:
            names = [name.replace("_", " ").title() for name in lacking]
            lines.append(
                say(wording.server.PERMISSIONS_MISSING, channel=channel.id, permissions=names)
            )
    return lines


async def save_and_show(interaction: Interaction, **decided: Any) -> None:
    """Save settings and show them."""
    check_server_manager(interaction)
    await defer_update(interaction)
    servers = interaction.client.store.servers
    server = await servers.get(interaction.guild_id or 0)
    await servers.save(replace(server, **decided))
    await edit(interaction, await server_card(interaction))


class Roles(Control[ui.RoleSelect[Any]], verb=""):
    """A select of roles; none means everybody."""

    component = ui.RoleSelect

    def __init__(self, roles: Sequence[int]) -> None:
        chosen = [discord.SelectDefaultValue.from_role(discord.Object(role)) for role in roles]
        super().__init__(
            ui.RoleSelect(
                custom_id=self.verb,
                placeholder=wording.server.PICK_ROLES,
                min_values=0,
                max_values=MAX_ROLES,
                default_values=chosen,
            )
        )

    @property
    def value(self) -> tuple[int, ...]:
        """The ids of the roles."""
        return tuple(role.id for role in self.item.values)


class Trainers(Roles, verb="server:trainers"):
    """Choose who may train."""

    async def press(self, interaction: Interaction) -> None:
        await save_and_show(interaction, trainers=self.value)


class Samplers(Roles, verb="server:samplers"):
    """Choose who may sample."""

    async def press(self, interaction: Interaction) -> None:
        await save_and_show(interaction, samplers=self.value)


class Channel(Control[ui.ChannelSelect[Any]], verb=""):
    """A select of one text channel, or none."""

    component = ui.ChannelSelect

    def __init__(self, channel: int | None) -> None:
        chosen = (
            [discord.SelectDefaultValue.from_channel(discord.Object(channel))] if channel else []
        )
        super().__init__(
            ui.ChannelSelect(
                custom_id=self.verb,
                placeholder=wording.server.PICK_CHANNEL,
                channel_types=[discord.ChannelType.text],
                min_values=0,
                max_values=1,
                default_values=chosen,
            )
        )

    @property
    def value(self) -> int | None:
        """The id of the channel."""
        return next((channel.id for channel in self.item.values), None)


class Training(Channel, verb="server:channel"):
    """Choose where cards of trainings are posted."""

    async def press(self, interaction: Interaction) -> None:
        await save_and_show(interaction, channel=self.value)


class Log(Channel, verb="server:log"):
    """Choose where reports are posted."""

    async def press(self, interaction: Interaction) -> None:
        await save_and_show(interaction, log=self.value)


class Limits(Button, verb="server:limits"):
    """Open the form of the limits."""

    label = wording.server.CHANGE_LIMITS

    async def press(self, interaction: Interaction) -> None:
        check_server_manager(interaction)
        servers = interaction.client.store.servers
        await open_modal(interaction, LimitsForm(await servers.get(interaction.guild_id or 0)))


class Stay(Button, verb="server:stay"):
    """Say whether photos of jobs on this server stay on the main machine."""

    async def press(self, interaction: Interaction) -> None:
        check_server_manager(interaction)
        await defer_update(interaction)
        staying, guild = interaction.client.store.staying, interaction.guild_id or 0
        await staying.set(guild, stays=bool(self.number(0)))
        await edit(interaction, await server_card(interaction))


class LimitsForm(Form):
    """A form for trainings a day and minutes a training."""

    def __init__(self, server: Server) -> None:
        super().__init__(title=wording.server.FORM)
        self.jobs = text_input("jobs", str(server.jobs), max_length=6)
        self.minutes = text_input("minutes", str(server.minutes), max_length=6)
        self.add_field(wording.server.JOBS, self.jobs, wording.server.ZERO)
        self.add_field(wording.server.MINUTES, self.minutes, wording.server.ZERO)

    async def submit(self, interaction: Interaction) -> None:
        await save_and_show(
            interaction, jobs=parse_limit(self.jobs.value), minutes=parse_limit(self.minutes.value)
        )


def parse_limit(typed: str) -> int:
    """Return the limit that was typed; raise UserError if it is no number up to MAX_LIMIT."""
    if not typed.strip().isdecimal() or int(typed) > MAX_LIMIT:
        raise UserError("server_jobs", most=MAX_LIMIT)
    return int(typed)
