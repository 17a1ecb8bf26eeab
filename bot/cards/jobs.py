"""The list of jobs, a member's or a server's."""

from __future__ import annotations

import discord

from bot import wording
from bot.bot import Bot, Interaction
from bot.card import Card
from bot.cards.components import Select, defer_update, edit, row, text
from bot.cards.job import get_controllable_job
from bot.wording import fill, flatten, say
from storage.disk import is_disk_full
from storage.records import Job, Kind, Status

MAX_JOBS = 25  #: jobs in one list; Discord's selects take no more
SHOWN = frozenset({Kind.TRAIN, Kind.SAMPLE})


async def jobs_card(bot: Bot, title: str, jobs: list[Job]) -> Card:
    """Return a list of jobs with a select to open one."""
    shown = [job for job in jobs if job.kind in SHOWN and job.channel][:MAX_JOBS]
    if not shown:
        return Card(text(title, wording.job.LIST_NONE))
    lines = [await job_line(bot, job) for job in shown]
    if is_disk_full(bot.store.home.path):
        lines.append(wording.job.NOTES["disk_full"])
    return Card(text(title, *lines), row(Pick(options=[job_option(job) for job in shown])))


async def job_line(bot: Bot, job: Job) -> str:
    """Return a job's number, name and status."""
    state = wording.job.STATES[job.status]
    if job.status is Status.QUEUED:
        place = await bot.store.jobs.queue_position(job.id)
        state = fill(wording.job.LIST_PLACE, place=place)
    where = ""
    if job.message and not job.status.ended:
        where = f" · <#{job.thread or job.channel}>"
    return say(wording.job.LIST_LINE, number=job.id, name=job_name(job), state=state) + where


def job_option(job: Job) -> discord.SelectOption:
    """Return the option to select a job."""
    return discord.SelectOption(
        label=flatten(f"{job.id} {job_name(job)}", 100),
        value=str(job.id),
        description=wording.job.STATES[job.status],
    )


def job_name(job: Job) -> str:
    """Return a job's dataset or prompt."""
    return flatten(str(job.request.get("name") or job.request.get("prompt", "")), 60)


class Pick(Select, verb="jobs:pick"):
    """Select a job to look at."""

    placeholder = wording.job.LIST_PICK

    async def press(self, interaction: Interaction) -> None:
        await defer_update(interaction)
        job = await get_controllable_job(interaction, self.chosen_number)
        await edit(interaction, await interaction.client.jobs.make_card(job.id))
