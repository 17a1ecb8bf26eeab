"""Reports: the button below pictures, and the card that moderators see."""

from __future__ import annotations

import logging

import discord

from bot import wording
from bot.actions import channels, sampling
from bot.actions.permissions import is_moderator
from bot.bot import Interaction
from bot.card import Card
from bot.cards.components import (
    Button,
    Form,
    defer,
    defer_update,
    edit,
    open_modal,
    row,
    text,
    text_input,
)
from bot.cards.job import COLOURS
from bot.wording import fill, say
from storage.errors import UserError
from storage.records import Job, JobCommand, Kind, Status

log = logging.getLogger(__name__)

MAX_REASON_CHARS = 500  #: characters


class Report(Button, verb="report:add"):
    """Ask why a picture is reported, for the moderators."""

    label = wording.report.REPORT

    async def press(self, interaction: Interaction) -> None:
        job = await get_server_job(interaction, self.number(0))
        message = interaction.message.id if interaction.message else 0
        await open_modal(interaction, ReportForm(job, message))


async def get_server_job(interaction: Interaction, number: int) -> Job:
    """Return a job of this server; raise UserError for another."""
    job = await interaction.client.store.jobs.get(number)
    if interaction.guild_id is None or job.guild != interaction.guild_id:
        raise UserError("job_unknown")
    return job


class ReportForm(Form):
    """A form for the reason."""

    def __init__(self, job: Job, message: int) -> None:
        super().__init__(title=wording.report.FORM)
        self.job, self.message = job, message
        long = discord.TextStyle.paragraph
        self.reason = text_input("reason", style=long, max_length=MAX_REASON_CHARS)
        self.add_field(wording.report.REASON_LABEL, self.reason)

    async def submit(self, interaction: Interaction) -> None:
        """Store the report and show it to the moderators."""
        await defer(interaction)
        store, guild = interaction.client.store, interaction.guild_id or 0
        number = await store.reports.add(
            guild, interaction.user.id, self.job.id, self.message, self.reason.value
        )
        notified = await self.notify(interaction, number, (await store.servers.get(guild)).log)
        thanks = wording.report.THANKS if notified else wording.report.THANKS_NOT_NOTIFIED
        await edit(interaction, Card(text(thanks)))

    async def notify(self, interaction: Interaction, number: int, channel: int | None) -> bool:
        """Show the report in the log channel; return whether that worked."""
        if not channel:
            return False
        guild = interaction.guild_id or 0
        room = channels.partial_messageable(interaction.client, channel, guild)
        try:
            await room.send(view=self.make_card(interaction, number))
        except discord.HTTPException as closed:  # the report itself is kept
            log.warning("Report %s cannot be shown in the log channel: %s", number, closed)
            return False
        return True

    def make_card(self, interaction: Interaction, number: int) -> Card:
        """Return the moderators' card."""
        channel = interaction.channel_id or 0
        url = f"https://discord.com/channels/{interaction.guild_id}/{channel}/{self.message}"
        facts = fill(wording.report.FACTS, reporter=interaction.user.id, url=url)
        whose = say(wording.report.OWNER, owner=self.job.owner)
        why = say(wording.report.REASON, reason=self.reason.value)
        card = Card(text(say(wording.report.TITLE, number=number), facts, why, whose))
        card.container.accent_colour = COLOURS[Status.FAILED]
        return card.add(row(Takedown(self.job.id, channel, self.message), Dismiss(number)))


class Takedown(Button, verb="report:remove"):
    """Delete the reported message, and cancel the job that made it."""

    label, style = wording.report.TAKE_DOWN, discord.ButtonStyle.danger

    async def press(self, interaction: Interaction) -> None:
        """Delete it, for moderators."""
        await defer_update(interaction)
        number, channel, message = (self.number(index) for index in range(3))
        bot, guild = interaction.client, interaction.guild
        if guild is None or not is_moderator(interaction):
            raise UserError("permission_needed", permissions=["Manage Messages"])
        try:
            job: Job | None = await get_server_job(interaction, number)
        except UserError:
            job = None  # its owner has left meanwhile; the message still goes
        ours = job is not None and channel in {job.channel, job.thread}
        if not ours and not guild.get_channel_or_thread(channel):
            raise UserError("picture_gone")
        if job is not None and not job.status.ended:
            await bot.store.jobs.send_command(job.id, JobCommand.CANCEL, interaction.user.id)
        if job is not None and job.kind is Kind.SAMPLE:
            bot.jobs.forget(job.id)
            await sampling.delete_pictures(bot.store, job)
        await channels.remove_message(bot, channel, guild.id, message)
        await edit(
            interaction, Card(text(fill(wording.report.PICTURE_DELETED, by=interaction.user.id)))
        )


class Dismiss(Button, verb="report:leave"):
    """Keep the picture, and show who decided it."""

    label = wording.report.LEAVE_IT

    async def press(self, interaction: Interaction) -> None:
        await defer_update(interaction)
        if not is_moderator(interaction):
            raise UserError("permission_needed", permissions=["Manage Messages"])
        said = say(wording.report.TITLE, number=self.number(0))
        left = fill(wording.report.PICTURE_LEFT, by=interaction.user.id)
        await edit(interaction, Card(text(said, left)))
