"""Training on: a finished training goes on from its last state, for a part of its steps more."""

from __future__ import annotations

import math
from dataclasses import replace

from bot.actions.training import count_style_bytes
from bot.bot import Bot
from storage import disk, limits
from storage.errors import UserError
from storage.events import Done
from storage.limits import check_range
from storage.records import Job, NewJob, Style

MORE = 0.3  #: of the steps so far


def has_state(bot: Bot, job: Job) -> bool:
    """Return whether the last state of a training is still kept."""
    return bot.store.home.job_folder(job.folder).kept_state.is_file()


async def plan_more(bot: Bot, style: Style) -> NewJob:
    """Return the job that trains a style for 30 % more steps.

    Raises UserError: "state_gone" if there is nothing to go on from, "more_busy" while a job does
    so already, or for the limits of server and operator.
    """
    store = bot.store
    job = await store.jobs.get(style.job or 0)
    ended = await store.events.list_kind(job.id, Done)
    if not (ended and has_state(bot, job)):
        raise UserError("state_gone")
    for each in await store.jobs.list_open():
        if each.request.get("continues") == job.id:
            raise UserError("more_busy", job=each.id)
    done = ended[-1].event
    more = math.ceil(done.steps * MORE)
    check_range("steps", done.steps + more, limits.STEPS, UserError)
    server, speed = await store.servers.get(job.guild), done.timings.steps_per_second
    minutes = round(more / speed / 60) if speed else 0
    if server.minutes and minutes > server.minutes:
        raise UserError("minutes_over", minutes=minutes, most=server.minutes)
    disk.check_disk_space(bot.settings)
    disk.check_member_quota(bot.settings, await count_style_bytes(bot, job.owner), style.bytes)
    changes = {"steps": done.steps + more, "stop_after": 0, "continues": job.id, "file_bytes": 0}
    request = job.request | changes
    new = NewJob(job.kind, job.owner, job.guild, job.channel, request, job.base, job.dataset)
    return replace(new, private=job.private)
