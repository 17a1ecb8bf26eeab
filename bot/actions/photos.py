"""Photos from Discord: read at once, checked in the darkroom, stored in the order they came."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import asdict, dataclass, field, replace
from functools import partial
from pathlib import PurePath, PurePosixPath
from typing import NamedTuple

import discord

from bot import wording
from bot.actions.masks import check_masked, pair_masks
from bot.actions.zips import check_packed, is_zip, opening_zip
from bot.bot import Bot
from storage.disk import check_disk_space
from storage.errors import UserError
from storage.events import Note
from storage.photos.sandbox import MAX_FILE_BYTES
from storage.photosets.edits import put_trigger
from storage.photosets.entries import show_path
from storage.photosets.masks import is_mask
from storage.photosets.reader import PhotoSet, SetPhoto
from storage.photosets.treatment import USUAL, Treatment
from storage.planning.verdicts import Verdict, judge_photos
from storage.records import CheckedPhoto, Dataset, Job, Kind, NewJob, Photo
from storage.requests import CaptionRequest
from storage.tables.photos import MAX_CAPTION_CHARS, MAX_PHOTOS

MAX_FILES = 10  #: files at once
MIB = 1024 * 1024


class Upload(NamedTuple):
    """A photo that is to be checked and stored."""

    name: str
    check: Callable[[], Awaitable[CheckedPhoto]]
    caption: str = ""
    from_file: bool = False  #: somebody wrote the caption into a file, not into a name
    treatment: Treatment = USUAL


class ReadZip(NamedTuple):
    """A zip that was read, and what is to be said of it."""

    name: str
    photos: int
    captions: int
    notes: tuple[Note, ...]


@dataclass(slots=True)
class ReceivedPhotos:
    """What became of the files that somebody uploaded."""

    contributor: int | None = None  #: whose photos they are, if not the dataset's owner's
    photos: list[tuple[str, Photo]] = field(default_factory=list)
    refused: list[tuple[str, UserError]] = field(default_factory=list)
    zips: list[ReadZip] = field(default_factory=list)
    known: int = 0  #: photos that the dataset had already
    captions: dict[int, str] = field(default_factory=dict)  #: for some of those, by their ids
    recaptioned: int = 0  #: captions that were others before
    masked: int = 0  #: photos that came with a mask
    stored: int = 0  #: photos in the dataset by now
    verdicts: dict[int, Verdict] = field(default_factory=dict)  #: on those, by their ids

    def take_caption(self, photo: Photo, trigger: str) -> str:
        """Return the caption that came for a photo, unless that is only how it was exported."""
        exported = cut_caption(put_trigger(photo.caption, trigger))
        new = self.captions.get(photo.id, exported)
        return photo.caption if new == exported else new


async def receive_photos(
    bot: Bot, dataset: Dataset, files: Sequence[discord.Attachment], contributor: int | None = None
) -> ReceivedPhotos:
    """Add photos and zips of them to a dataset; what is refused is returned with the reason.

    They are its owner's if no contributor is given.
    """
    if len(files) > MAX_FILES:
        raise UserError("photos_many", count=len(files), most=MAX_FILES)
    check_disk_space(bot.settings)
    received = ReceivedPhotos(contributor)
    zips = [file for file in files if is_zip(file)]
    photos = [file for file in files if file not in zips]
    await add_uploads(bot, dataset, list_attachments(bot, photos, received), received)
    for file in zips:
        try:
            async with opening_zip(bot, file) as found:
                await add_zip(bot, dataset, file.filename, found, received)
        except UserError as refused:
            received.refused.append((file.filename, refused))
    await finish_receiving(bot, dataset, received)
    return received


def list_attachments(
    bot: Bot, files: Sequence[discord.Attachment], received: ReceivedPhotos
) -> list[Upload]:
    """Return attachments as uploads, photos with their masks; lone masks are refused."""
    masks = [file for file in files if is_mask(PurePath(file.filename))]
    photos = [file for file in files if file not in masks]
    paired = pair_masks(photos, masks)
    orphans = [mask for mask in masks if mask not in paired.values()]
    received.refused += [(mask.filename, UserError("photo_mask")) for mask in orphans]
    uploads = []
    for file in photos:
        check = partial(check_attachment, bot, file)
        if mask := paired.get(file):
            name = show_path(PurePosixPath(mask.filename))
            check = partial(check_masked, bot, check, partial(check_attachment, bot, mask), name)
        uploads.append(Upload(file.filename, check))
    return uploads


async def add_zip(
    bot: Bot, dataset: Dataset, name: str, found: PhotoSet, received: ReceivedPhotos
) -> None:
    """Add the photos of a zip to a dataset, as many as it may hold."""
    received.zips.append(read_zip(name, found))
    uploads, many = list_uploads(bot, found), UserError("photos_full", most=MAX_PHOTOS)
    await add_uploads(bot, dataset, uploads[:MAX_PHOTOS], received)
    received.refused += [(each.name, many) for each in uploads[MAX_PHOTOS:]]


async def finish_receiving(bot: Bot, dataset: Dataset, received: ReceivedPhotos) -> None:
    """Set the captions that came for known photos, and count what the dataset has by now."""
    if received.captions and received.contributor in {None, dataset.owner}:
        received.recaptioned = await bot.store.captions.change(
            dataset.id, dataset.owner, received.take_caption
        )
    photos = await bot.store.photos.list_for(dataset.id, dataset.owner)
    verdicts = judge_photos(photos, wording.verdicts.name_photos(len(photos)), dataset.concept)
    received.stored = len(photos)
    received.verdicts = {
        photo.id: verdict for photo, verdict in zip(photos, verdicts, strict=True)
    }


def list_uploads(bot: Bot, found: PhotoSet) -> list[Upload]:
    """Return the photos of a zip as uploads."""
    return [
        Upload(
            photo.name,
            choose_check(bot, photo),
            cut_caption(photo.caption),
            photo.source is not None,
            photo.treatment,
        )
        for photo in found.photos
    ]


def choose_check(bot: Bot, photo: SetPhoto) -> Callable[[], Awaitable[CheckedPhoto]]:
    """Return what checks a photo of a zip, with its mask if it has one."""
    check = partial(check_packed, bot, photo.file)
    if photo.mask is None:
        return check
    name = show_path(photo.mask.path)
    return partial(check_masked, bot, check, partial(check_packed, bot, photo.mask), name)


def read_zip(name: str, found: PhotoSet) -> ReadZip:
    """Return what is to be said of a zip."""
    notes, long = found.notes, sum(len(p.caption) > MAX_CAPTION_CHARS for p in found.photos)
    if long:
        facts = {"count": long, "most": MAX_CAPTION_CHARS}
        notes = (*notes, Note("captions_shortened", facts))
    return ReadZip(name, len(found.photos), found.captioned, notes)


def cut_caption(caption: str) -> str:
    """Cut a caption behind the last word that a stored one has room for."""
    if len(caption) <= MAX_CAPTION_CHARS:
        return caption
    whole, space, _ = caption[: MAX_CAPTION_CHARS + 1].rpartition(" ")
    return whole if space else caption[:MAX_CAPTION_CHARS]


async def add_uploads(
    bot: Bot, dataset: Dataset, uploads: Sequence[Upload], received: ReceivedPhotos
) -> None:
    """Check photos, some at once, and add them to a dataset in their order."""
    for first in range(0, len(uploads), MAX_FILES):
        some = uploads[first : first + MAX_FILES]
        checks = [asyncio.ensure_future(upload.check()) for upload in some]
        try:
            for upload, checked in zip(some, checks, strict=True):
                try:
                    await add_upload(bot, dataset, upload, await checked, received)
                except UserError as refused:
                    received.refused.append((upload.name, refused))
        finally:
            for unneeded in checks:
                unneeded.cancel()
            await asyncio.gather(*checks, return_exceptions=True)


async def add_upload(
    bot: Bot, dataset: Dataset, upload: Upload, checked: CheckedPhoto, received: ReceivedPhotos
) -> None:
    """Add a checked photo, or have the one that is there already treated as this one."""
    try:
        photo = await add_photo(bot, dataset, checked, upload.caption, received.contributor)
    except UserError as refused:
        if refused.code != "photo_twice":
            raise
        note_known(received, upload, refused)
        known = await bot.store.photos.get(int(str(refused.facts["photo"])), dataset.owner)
        if received.contributor in {None, dataset.owner, known.contributor}:
            await treat_known(bot, known, upload.treatment, checked)
    else:
        photo = await treat_photo(bot, photo, upload.treatment)
        received.photos.append((upload.name, photo))
    received.masked += bool(checked.plain_digest)


def note_known(received: ReceivedPhotos, upload: Upload, refused: UserError) -> None:
    """Note a photo that the dataset had already, and its caption if a file has one for it."""
    received.known += 1
    known = refused.facts["photo"]
    just_added = {photo.id for _, photo in received.photos}
    if isinstance(known, int) and upload.from_file and known not in just_added:
        received.captions[known] = upload.caption


async def treat_known(bot: Bot, photo: Photo, told: Treatment, checked: CheckedPhoto) -> None:
    """Treat a photo that the dataset had already as the files beside its copy tell."""
    if checked.plain_digest:
        photo = await bot.store.photos.set_mask(photo, checked)
    if told != USUAL:
        await treat_photo(bot, photo, told)


async def treat_photo(bot: Bot, photo: Photo, told: Treatment) -> Photo:
    """Keep and repeat of a photo what was told beside it, and return it."""
    photos = bot.store.photos
    if told.framing:
        photo = await photos.set_framing(photo.id, photo.owner, told.framing)
    if told.repeats != photo.repeats:
        photo = await photos.set_repeats(photo.id, photo.owner, told.repeats)
    return photo


async def add_photo(
    bot: Bot, dataset: Dataset, checked: CheckedPhoto, caption: str, contributor: int | None = None
) -> Photo:
    """Add a checked photo to a dataset, with the caption that somebody gave it, if any."""
    photo = await bot.store.photos.add(dataset, checked, contributor)
    if not caption:
        return photo
    await bot.store.photos.set_caption(photo.id, dataset.owner, caption)
    return replace(photo, caption=caption)


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
    photos = [photo for photo in photos if not photo.written]
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
