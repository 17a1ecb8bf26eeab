"""Reports: the button below pictures, the card that moderators see, and what they decide."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import ClassVar

import discord

from bot import wording
from bot.actions import channels, sampling
from bot.actions.jobstate import JobState, file_name
from bot.actions.permissions import check_moderator
from bot.bot import Bot, Interaction
from bot.card import Card
from bot.cards.components import (
    Button,
    Form,
    Select,
    defer,
    defer_update,
    edit,
    open_modal,
    row,
    text,
    text_input,
)
from bot.cards.job import COLOURS
from bot.cards.upscaled import PictureCard
from bot.wording import fill, flatten, say
from storage.errors import UserError
from storage.events import PreviewsDrawn
from storage.records import Job, JobCommand, Kind, Status, Style
from storage.tables.posts import NewPost, Post, PostKind
from storage.tables.servers import Decision, Report

log = logging.getLogger(__name__)

MAX_REASON_CHARS = 500  #: characters
MAX_REPORTS = 25  #: reports in one list; Discord's selects take no more
MAX_BLOCKED = 40  #: members named below the list
MAX_PICTURES = 4  #: on the card of a report


class AddReport(Button, verb="report:add"):
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
        bot, guild = interaction.client, interaction.guild
        place = (interaction.channel_id or 0, self.message)
        report = await bot.store.reports.add(
            self.job.guild, interaction.user.id, self.job.id, place, self.reason.value
        )
        owner = (guild.owner_id if guild else None) or 0
        new = NewPost(PostKind.REPORT, owner, report.guild, report=report.id)
        await edit(interaction, Card(text(thanks_for(await bot.jobs.post(new)))))


def thanks_for(post: Post) -> str:
    """Return what the reporter is told: who knows of the report by now."""
    if post.message and not post.rung:
        return wording.report.THANKS
    told = post.state == "done"
    return wording.report.THANKS_OWNER if told else wording.report.THANKS_NOT_NOTIFIED


# the moderators' card -------------------------------------------------------------------------


async def report_card(bot: Bot, report: Report) -> Card:
    """Return a report's card: what, why, whose, and what was decided or can be."""
    job = await find_job(bot, report)
    style = await find_style(bot, job)
    decisions = await bot.store.reports.list_decisions(report.id)
    card = PictureCard(colour=COLOURS[Status.CANCELLED if decisions else Status.FAILED])
    card.add(text(*describe_report(report, job, style)))
    if job is not None:
        pictures = await list_pictures(bot, report, job)
        card.add_gallery(pictures[:MAX_PICTURES], spoiler=True)
        if not pictures:
            card.add(text(wording.report.NO_PICTURES))
    for decision, moderator in decisions.items():
        owner = job.owner if job else 0
        templates = wording.report.OUTCOMES if moderator else wording.report.OUTCOMES_LEFT
        card.add(text(fill(templates[decision], by=moderator, owner=owner)))
    buttons = list(list_buttons(report, job, style, decisions))
    return card.add(row(*buttons)) if buttons else card


def describe_report(report: Report, job: Job | None, style: Style | None) -> Iterator[str]:
    """Yield who reported what and why, and whose it is."""
    channel = report.channel or (job.thread or job.channel if job else 0)
    url = f"https://discord.com/channels/{report.guild}/{channel}/{report.message}"
    yield say(wording.report.TITLE, number=report.id)
    yield fill(wording.report.FACTS, reporter=report.reporter, url=url)
    yield say(wording.report.REASON, reason=report.reason)
    if job is None:
        yield wording.report.OWNER_LEFT
        return
    yield say(wording.report.OWNER, owner=job.owner)
    if prompt := job.request.get("prompt"):
        yield say(wording.report.PROMPT, prompt=str(prompt))
    if style is not None and style.owner:
        yield say(wording.report.STYLE_BY, name=style.name, maker=style.owner)
    elif style is not None:
        yield say(wording.report.STYLE, name=style.name)


def list_buttons(
    report: Report, job: Job | None, style: Style | None, decisions: dict[Decision, int | None]
) -> Iterator[Button]:
    """Yield what can still be decided."""
    if Decision.KEEP in decisions:
        return
    if not decisions:
        yield KeepPicture(report.id)
    if Decision.REMOVE not in decisions:
        yield RemovePicture(report.id)
    if style is not None and report.guild in style.shared:
        yield UnshareStyle(report.id)
    if job is not None and Decision.BLOCK not in decisions:
        yield BlockMaker(report.id)


async def find_job(bot: Bot, report: Report) -> Job | None:
    """Return the job whose picture was reported; None after its owner has left."""
    with suppress(UserError):
        return await bot.store.jobs.get(report.job or 0)
    return None


async def find_style(bot: Bot, job: Job | None) -> Style | None:
    """Return the style that a job has drawn with or made."""
    if job is not None and job.style is not None:
        with suppress(UserError):
            return await bot.store.styles.get(job.style, job.owner, job.guild)
    return None


async def list_pictures(bot: Bot, report: Report, job: Job) -> list[tuple[Path, str]]:
    """List the reported pictures that still exist, with their prompts."""
    store, folder = bot.store, bot.store.home.job_folder(job.folder)
    state = JobState.from_events(await store.events.list_for_job(job.id))
    if job.kind in {Kind.SAMPLE, Kind.GRADE}:
        shown = [(folder.result / file_name(f), p.prompt) for f, p in state.pictures.items()]
    else:
        post = await store.posts.find_message(report.message)
        entry = await store.events.get(post.event) if post else None
        previews = entry.event if entry else None
        if not isinstance(previews, PreviewsDrawn):  # the result or the card: they show the newest
            previews = state.previews or PreviewsDrawn(0)
        prompts = [*previews.prompts, *[""] * len(previews.files)]
        shown = [
            (folder.samples / file_name(file), prompt)
            for file, prompt in zip(previews.files, prompts, strict=False)
        ]
    return [(path, prompt) for path, prompt in shown if path.is_file()]


# what moderators decide -----------------------------------------------------------------------


class Decide(Button, verb=""):
    """A button that decides about a report, for moderators of its server."""

    decision: ClassVar[Decision]

    async def press(self, interaction: Interaction) -> None:
        """Carry it out, record it, and show it wherever the report is shown."""
        await defer_update(interaction)
        check_moderator(interaction)
        bot = interaction.client
        report = await bot.store.reports.get(self.number(0), interaction.guild_id or 0)
        await self.carry_out(interaction, report, await find_job(bot, report))
        await bot.store.reports.decide(report.id, self.decision, interaction.user.id)
        await edit(interaction, await report_card(bot, report))
        await self.update_log(interaction, report)

    async def carry_out(self, interaction: Interaction, report: Report, job: Job | None) -> None:
        """Do what was decided."""

    async def update_log(self, interaction: Interaction, report: Report) -> None:
        """Show the outcome in the log channel, too, when it was decided elsewhere."""
        bot = interaction.client
        post = await bot.store.posts.find_report(report.id)
        pressed = interaction.message.id if interaction.message else 0
        if post is None or not post.message or post.rung or post.message == pressed:
            return
        room = channels.partial_messageable(bot, post.channel or 0, report.guild)
        card = await report_card(bot, report)
        try:
            message = room.get_partial_message(post.message)
            await message.edit(view=card, attachments=card.open_files())
        except discord.HTTPException as refused:  # the decision itself is kept
            log.info("The card of report %s cannot be edited: %s", report.id, refused)


class KeepPicture(Decide, verb="report:keep"):
    """Keep the picture."""

    label, decision = wording.report.KEEP, Decision.KEEP


class RemovePicture(Decide, verb="report:delete"):
    """Delete the reported message, and cancel the job that made it."""

    label, style = wording.report.REMOVE, discord.ButtonStyle.danger
    decision = Decision.REMOVE

    async def carry_out(self, interaction: Interaction, report: Report, job: Job | None) -> None:
        """Delete the message; a sample's files, too."""
        bot, channel = interaction.client, report.channel
        if job is not None:
            channel = channel or job.thread or job.channel
            if not job.status.ended:
                await bot.store.jobs.send_command(job.id, JobCommand.CANCEL, interaction.user.id)
            if job.kind in {Kind.SAMPLE, Kind.GRADE}:
                bot.jobs.forget(job.id)
                await sampling.delete_pictures(bot.store, job)
        if not channel:
            raise UserError("picture_gone")
        await channels.remove_message(bot, channel, report.guild, report.message)


class UnshareStyle(Decide, verb="report:unshare"):
    """Take the style away from the server."""

    label, style = wording.report.UNSHARE, discord.ButtonStyle.danger
    decision = Decision.UNSHARE

    async def carry_out(self, interaction: Interaction, report: Report, job: Job | None) -> None:
        """Unshare the style, unless it is gone already."""
        found = await find_style(interaction.client, job)
        if found is not None:
            await interaction.client.store.styles.withdraw(found.id, report.guild)


class BlockMaker(Decide, verb="report:block"):
    """Block the picture's maker on the server."""

    label, style = wording.report.BLOCK, discord.ButtonStyle.danger
    decision = Decision.BLOCK

    async def carry_out(self, interaction: Interaction, report: Report, job: Job | None) -> None:
        """Block the owner of the job."""
        if job is None:
            raise UserError("job_unknown")
        await interaction.client.store.servers.block(report.guild, job.owner)


# the list -------------------------------------------------------------------------------------


async def reports_card(bot: Bot, guild: int) -> Card:
    """Return a list of the reports that wait, and of the members that are blocked."""
    reports = (await bot.store.reports.list_waiting(guild))[:MAX_REPORTS]
    lines = [
        say(wording.report.LIST_LINE, number=each.id, when=int(each.at), reason=each.reason)
        for each in reports
    ]
    card = Card(text(wording.report.LIST_TITLE, *(lines or [wording.report.LIST_NONE])))
    if reports:
        card.add(row(PickReport(options=[report_option(each) for each in reports])))
    if blocked := await bot.store.servers.list_blocked(guild):
        members = " ".join(f"<@{member}>" for member in blocked[:MAX_BLOCKED])
        card.add(text(fill(wording.report.BLOCKED, members=members)))
    return card


def report_option(report: Report) -> discord.SelectOption:
    """Return the option to select a report."""
    return discord.SelectOption(
        label=flatten(f"{report.id} {report.reason}", 100), value=str(report.id)
    )


class PickReport(Select, verb="report:pick"):
    """Select a report to decide about."""

    placeholder = wording.report.LIST_PICK

    async def press(self, interaction: Interaction) -> None:
        await defer_update(interaction)
        check_moderator(interaction)
        bot = interaction.client
        report = await bot.store.reports.get(int(self.value), interaction.guild_id or 0)
        await edit(interaction, await report_card(bot, report))
