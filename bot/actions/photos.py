"""Photos from Discord: read at once, checked in the darkroom, stored in the order they came."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field

import discord

from bot.bot import Bot
from storage.disk import check_disk_space
from storage.errors import UserError
from storage.photos.sandbox import MAX_FILE_BYTES
from storage.records import CheckedPhoto, Dataset, Job, Kind, NewJob, Photo
from storage.requests import CaptionRequest

MAX_FILES = 10  #: files at once
MIB = 1024 * 1024
#: photos from which a training makes sense: 3 to 5 in Gal et al. and Ruiz et al. 2022
MIN_PHOTOS = 3


@dataclass(slots=True)
class ReceivedPhotos:
    """What became of the files that somebody uploaded."""

    photos: list[tuple[str, Photo]] = field(default_factory=list)
    refused: list[tuple[str, UserError]] = field(default_factory=list)

    @property
    def total(self) -> int:
        """The number of files."""
        return len(self.photos) + len(self.refused)


async def receive_photos(
    bot: Bot, dataset: Dataset, files: Sequence[discord.Attachment]
) -> ReceivedPhotos:
    """Add files to a dataset; those that are refused are returned with the reason."""
    if len(files) > MAX_FILES:
        raise UserError("photos_many", count=len(files), most=MAX_FILES)
    check_disk_space(bot.settings)
    checks = [asyncio.create_task(check_attachment(bot, file)) for file in files]
    received = ReceivedPhotos()
    try:
        for file, checked in zip(files, checks, strict=True):
            try:
                photo = await bot.store.photos.add(dataset, await checked)
            except UserError as refused:
                received.refused.append((file.filename, refused))
            else:
                received.photos.append((file.filename, photo))
    finally:
        for unneeded in checks:
            unneeded.cancel()
        await asyncio.gather(*checks, return_exceptions=True)
    return received


async def check_attachment(bot: Bot, file: discord.Attachment) -> CheckedPhoto:
    """Read one attachment, whose URL expires, and check it."""
    if file.size > MAX_FILE_BYTES:
        raise UserError("photo_heavy", megabytes=round(file.size / MIB, 1))
    if not file.size:
        raise UserError("photo_empty")
    async with bot.reads:
        try:
            content = await file.read()
        except discord.HTTPException as lost:
            raise UserError("photo_lost") from lost
        return await bot.darkroom.check(content)


async def queue_captions(
    bot: Bot, dataset: Dataset, channel: int, photos: Sequence[Photo]
) -> None:
    """Queue a job that captions photos; captions that a member wrote stay as they are."""
    if not photos:
        return
    captioner = (await bot.store.catalog.read()).captioner
    request = CaptionRequest(captioner, dataset.trigger, tuple(photo.id for photo in photos))
    new = NewJob(
        Kind.CAPTION, dataset.owner, dataset.guild, channel, asdict(request), captioner, dataset.id
    )
    await bot.store.jobs.queue(new)


async def find_captioning(bot: Bot, dataset: Dataset) -> Job | None:
    """Return the newest job that captions a dataset, if it is among its owner's newest."""
    jobs = await bot.store.jobs.list_for(dataset.owner)
    mine = (job for job in jobs if job.kind is Kind.CAPTION and job.dataset == dataset.id)
    return next(mine, None)
