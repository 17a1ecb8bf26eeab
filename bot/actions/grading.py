"""Reports on styles: ordered by their owner, and read from what the job has written."""

from __future__ import annotations

import asyncio
import json
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from bot.actions import sampling
from bot.actions.jobstate import file_name
from bot.actions.training import find_base
from bot.bot import Bot
from storage import disk
from storage.errors import UserError
from storage.planning.grades import MIN_PHOTOS, find_nearest
from storage.records import Job, Kind, NewJob, Photo, Status, Style
from storage.requests import GradeRequest
from storage.store import Store

MAX_OPEN_REPORTS = 2  #: that a member may have waiting


@dataclass(frozen=True, slots=True)
class Nearest:
    """The picture that is most like a photo."""

    facts: dict[str, Any]  #: prompt, cosine, ssim, copied
    drawn: Path
    photo: Photo | None  #: None if it was deleted since


async def find_job(store: Store, style: Style) -> Job | None:
    """Return the newest job that grades a style for its owner."""
    jobs = await store.jobs.list_grades(style.id, style.owner or 0)
    return next(iter(jobs), None)


async def order_report(bot: Bot, style: Style, requester: sampling.Requester) -> Job:
    """Queue a report on a member's own style; the pictures of those before the last one go.

    Raises UserError: "model_removed", "photos_few", "reports_many", or for its base or the disk.
    """
    store = bot.store
    if style.removed:
        raise UserError("model_removed", days=bot.settings.full_model_days)
    find_base(await store.catalog.read(), style.base)
    trained = await find_training(store, style)
    photos = 0
    if trained is not None and trained.dataset is not None:
        known = await store.photos.list_for(trained.dataset, requester.owner)
        photos = sum(photo.created <= trained.created for photo in known)
    if trained is None or photos < MIN_PHOTOS:
        raise UserError("photos_few", photos=photos, least=MIN_PHOTOS)
    waiting = await store.jobs.list_open()
    own = [
        job
        for job in waiting
        if (job.kind, job.owner) == (Kind.GRADE, requester.owner) and job.comparison is None
    ]
    if len(own) >= MAX_OPEN_REPORTS:
        raise UserError("reports_many", most=MAX_OPEN_REPORTS)
    disk.check_disk_space(bot.settings)
    for old in (await store.jobs.list_grades(style.id, requester.owner))[1:]:
        await sampling.delete_pictures(store, old)
    word = str(trained.request.get("class_word", ""))
    request = GradeRequest(style.name, style.base, style.concept, word)
    place = requester.owner, requester.guild, 0  # it has no card in a channel
    new = NewJob(
        Kind.GRADE, *place, asdict(request), style.base, trained.dataset, style.id, private=True
    )
    return await store.jobs.queue(new)


async def find_training(store: Store, style: Style) -> Job | None:
    """Return the training that made a style, None if it is gone."""
    with suppress(UserError):
        return await store.jobs.get(style.job or 0)
    return None


async def read_report(store: Store, job: Job) -> dict[str, Any] | None:
    """Return what a finished job has written; None if that was deleted."""
    file = store.home.job_folder(job.folder).report_file
    if job.status is not Status.DONE:
        return None
    try:
        content: dict[str, Any] = json.loads(await asyncio.to_thread(file.read_text, "utf-8"))
    except (OSError, ValueError):
        return None
    return content


async def get_report(store: Store, number: int, owner: int) -> tuple[Job, Style, dict[str, Any]]:
    """Return a member's own report with its style.

    Raises UserError: "job_unknown", "style_unknown", or "report_gone".
    """
    job = await store.jobs.get_owned(number, owner)
    if job.kind is not Kind.GRADE or job.style is None:
        raise UserError("job_unknown")
    style = await store.styles.get(job.style, owner, job.guild)
    content = await read_report(store, job)
    if content is None:
        raise UserError("report_gone")
    return job, style, content


def list_pictures(store: Store, job: Job, report: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the pictures of a report that are still there, each with its path."""
    folder = store.home.job_folder(job.folder).result
    found = [each | {"path": folder / file_name(each["file"])} for each in report["pictures"]]
    return [each for each in found if each["path"].is_file()]


async def find_pair(store: Store, job: Job, report: dict[str, Any]) -> Nearest | None:
    """Return the picture that is most like a photo, and that photo if it is still there."""
    pictures = list_pictures(store, job, report)
    if not pictures:
        return None
    nearest = find_nearest(pictures)
    photo = None
    with suppress(UserError):
        photo = await store.photos.get(int(nearest["photo"]), job.owner)
    return Nearest(nearest, nearest["path"], photo)


async def count_gone(store: Store, job: Job, report: dict[str, Any]) -> int:
    """Return how many of a report's photos have been deleted since."""
    if job.dataset is None:
        return int(report["photos"])
    known = {photo.id for photo in await store.photos.list_for(job.dataset, job.owner)}
    return sum(number not in known for number in report["photo_ids"])
