"""The texts of dataset cards: photos with captions and warnings, in lines and alt texts."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass, replace

import discord

from bot import wording
from bot.actions.framing import Crops, find_missing_framings
from bot.actions.photos import MAX_FILES, ReadZip, ReceivedPhotos, find_captioning
from bot.bot import Bot
from bot.cards.job import failure_sentence, note_sentence
from bot.wording import escape, explain, fill, flatten, format_count, join_some, say
from storage.errors import Fact
from storage.events import Note
from storage.options import options_table
from storage.photosets.edits import put_trigger
from storage.planning.readiness import MIN_PHOTOS, Level, Readiness, rate_readiness
from storage.planning.verdicts import Verdict, count_different, judge_photos
from storage.records import Dataset, Job, Photo, Status

PHOTOS_PER_PAGE = 9  #: photos on one page
MASKED_OPTION = next(each.label for each in options_table() if each.name == "masked_loss")


@dataclass(frozen=True, slots=True)
class DatasetView:
    """A dataset with what its card shows."""

    dataset: Dataset
    photos: list[Photo]  #: with their captions as a training reads them
    verdicts: list[Verdict]  #: one for each photo
    crops: Crops
    readiness: Readiness
    captioning: bool  #: captions are being written
    captioned: str = ""  #: what else is to be said of the newest captions

    @classmethod
    async def load(cls, bot: Bot, dataset: Dataset) -> DatasetView:
        """Return a dataset with its photos."""
        stored = await bot.store.photos.list_for(dataset.id, dataset.owner)
        found = await find_missing_framings(bot, stored)
        photos = [show_trigger(photo, dataset) for photo in found]
        verdicts = judge_photos(photos, wording.verdicts.name_photos(len(photos)), dataset.concept)
        crops = await Crops.load(bot, dataset, photos)
        ready = await asyncio.to_thread(rate_readiness, photos, dataset.concept)
        job = await find_captioning(bot, dataset)
        if job is None or not job.status.ended:
            return cls(dataset, photos, verdicts, crops, ready, captioning=job is not None)
        captioned = await explain_captions(bot, job)
        return cls(dataset, photos, verdicts, crops, ready, captioning=False, captioned=captioned)

    @property
    def pages(self) -> int:
        """The number of pages; an empty dataset has one."""
        return max(1, -(-len(self.photos) // PHOTOS_PER_PAGE))

    def status_lines(self) -> str:
        """Return what to do next, and what is going on."""
        lines = [self.ready_line(wording.dataset.READY)]
        if len(self.photos) >= MIN_PHOTOS:
            lines.append(wording.verdicts.explain_readiness(self.readiness))
        if len(self.photos) >= MIN_PHOTOS and self.readiness.level is not Level.GOOD:
            lines.append("\n".join(["```", *wording.verdicts.draw_grid(self.readiness), "```"]))
        if same := len(self.photos) - count_different(self.photos):
            lines.append(say(wording.dataset.SAME_SHOTS, same=format_count(same, "photo")))
        if masks := self.mask_line():
            lines.append(masks)
        if self.crops.base and any(map(self.crops.is_cut, self.photos)):
            lines.append(say(wording.dataset.CROPPED, base=self.crops.base.title))
        if self.captioning:
            lines.append(wording.dataset.CAPTIONS_PENDING)
        if self.captioned:
            lines.append(self.captioned)
        return "\n".join(lines)

    def mask_line(self) -> str:
        """Return how many photos have a mask, and how a training heeds it; "" without any."""
        masked = sum(photo.masked for photo in self.photos)
        return say(wording.dataset.MASKED, count=masked, option=MASKED_OPTION) if masked else ""

    def ready_line(self, ready: str) -> str:
        """Return what is missing for a training, or else this line."""
        if not self.photos:
            return wording.dataset.EMPTY[self.dataset.concept]
        if len(self.photos) < MIN_PHOTOS:
            return say(wording.dataset.TOO_FEW_PHOTOS, least=MIN_PHOTOS)
        return ready


async def loss_lines(bot: Bot, dataset: Dataset) -> list[str]:
    """Return what a style would lose without each other member's photos."""
    lines = []
    for other in await bot.store.contributors.list_for(dataset.id):
        if not other.photos:
            continue
        loss = await bot.store.withdrawals.preview(other.member, dataset.id)
        styles = format_count(loss.styles, "style")
        said = say(
            wording.contribution.LOSS,
            member=other.member,
            photos=format_count(loss.photos, "photo"),
            left=format_count(loss.left, "photo"),
            few=wording.contribution.LOSS_FEW if loss.left < MIN_PHOTOS else "",
        )
        more = say(wording.contribution.LOSS_STYLES, styles=styles) if loss.styles else ""
        lines.append(said + more)
    return lines


async def explain_captions(bot: Bot, job: Job) -> str:
    """Return why a job wrote no captions, or not for all photos; "" if it did."""
    if job.status is Status.FAILED:
        return fill(wording.dataset.CAPTIONS_FAILED, why=failure_sentence(job))
    notes = await bot.store.events.list_kind(job.id, Note)
    return "\n".join(note_sentence(entry.event) for entry in notes)


def show_trigger(photo: Photo, dataset: Dataset) -> Photo:
    """Return a photo with its caption as a training reads it: with the trigger."""
    return replace(photo, caption=put_trigger(photo.caption, dataset.trigger))


def alt_text(dataset: Dataset, index: int, photo: Photo) -> str:
    """Return a photo's alt text."""
    caption = photo.caption or wording.dataset.UNCAPTIONED
    return fill(wording.dataset.PHOTO_ALT, number=index, name=dataset.name, caption=caption)


def photo_line(index: int, photo: Photo, verdict: Verdict) -> str:
    """Return a photo's caption and what is wrong with it."""
    caption = flatten(photo.caption, 150) or wording.dataset.UNCAPTIONED
    said = say(wording.dataset.LINE, number=index, caption=caption)
    said += fill(wording.dataset.REPEATED, repeats=photo.repeats) if photo.repeats > 1 else ""
    short = wording.verdicts.name_findings(verdict)
    return said + (fill(wording.dataset.PHOTO_WARNINGS, warnings=short) if short else "")


def photo_lines(photo: Photo) -> list[str]:
    """Return a photo's caption, its size, and whose it is if not the owner's."""
    template = wording.contribution.ADDED_BY if photo.contributor != photo.owner else ""
    return [
        escape(photo.caption or wording.dataset.UNCAPTIONED),
        say(wording.dataset.PHOTO_SIZE, width=photo.width, height=photo.height),
        say(template, member=photo.contributor),
    ]


def verdict_lines(verdict: Verdict) -> list[str]:
    """Return what is wrong with a photo, and what nobody has looked at."""
    said = wording.verdicts.explain_verdict(verdict)
    warned = fill(wording.dataset.PHOTO_WARNINGS, warnings=said).strip()
    return [
        warned if verdict.warnings else said,
        wording.verdicts.name_unchecked(verdict.unchecked),
    ]


def unchecked_line(view: DatasetView) -> str:
    """Return what nobody has looked at in some of a dataset's photos, in small print."""
    looks = dict.fromkeys(look for verdict in view.verdicts for look in verdict.unchecked)
    said = wording.verdicts.name_unchecked(looks)
    return fill(wording.verdicts.SMALL_PRINT, said=said) if said else ""


def crop_lines(crops: Crops, photo: Photo) -> list[str]:
    """Return how much of a photo a base sees, and why that part."""
    if crops.base is None or not crops.can_cut(photo):
        return []
    if photo.framing.whole:
        return [say(wording.dataset.CROP_WHOLE, base=crops.base.title)]
    share = wording.dataset.name_share(crops.box(photo).cut)
    why = wording.dataset.FRAMED_BY[photo.framing.by]
    return [say(wording.dataset.CROP, base=crops.base.title, share=share, why=why)]


def page_line(page: int, pages: int) -> str:
    """Return the number of the page; nothing if there is only one."""
    return fill(wording.dataset.PAGE, page=page + 1, pages=pages) if pages > 1 else ""


def photo_option(index: int, photo: Photo) -> discord.SelectOption:
    """Return the option to select a photo."""
    label = flatten(f"{index}. {photo.caption or wording.dataset.UNCAPTIONED}", 100)
    return discord.SelectOption(label=label, value=str(photo.id))


def received_lines(dataset: Dataset, received: ReceivedPhotos) -> list[str]:
    """Return how many photos are new, what was read of zips, and what is wrong with some."""
    new, known, left_out = len(received.photos), received.known, len(received.refused)
    title = say(
        wording.dataset.PHOTOS_ADDED,
        new=format_count(new, "new photo") if new else wording.dataset.PHOTOS_NONE,
        known=fill(wording.dataset.PHOTOS_KNOWN, count=known) if known else "",
        refused=fill(wording.dataset.PHOTOS_REFUSED, count=left_out) if left_out else "",
        name=dataset.name[0].upper() + dataset.name[1:],
        stored=received.stored,
    )
    photos = format_count(received.recaptioned, "photo")
    recaptioned = say(wording.captions.RECAPTIONED, photos=photos) if received.recaptioned else ""
    zips = [line for each in received.zips for line in zip_lines(each)]
    refused = [
        fill(wording.dataset.PHOTO_REFUSED, name=names, why=why)
        for names, why in group_names((name, explain(why)) for name, why in received.refused)
    ]
    warned = (
        (name, wording.verdicts.explain_verdict(verdict))
        for name, photo in received.photos
        if (verdict := received.verdicts.get(photo.id)) and verdict.warnings
    )
    added = [
        fill(wording.dataset.PHOTO_ADDED_WITH_WARNINGS, name=names, warnings=warnings)
        for names, warnings in group_names(warned)
    ]
    photos = format_count(received.masked, "photo")
    masked = say(wording.dataset.PHOTOS_MASKED, photos=photos) if received.masked else ""
    return [title, *zips, recaptioned, masked, *refused, *added]


def zip_lines(read: ReadZip) -> list[str]:
    """Return how many photos of a zip had a caption, what was not used, and all else of it."""
    unused = [join_lists(note)["files"] for note in read.notes if note.code == "files_unused"]
    first = say(
        wording.dataset.ZIP_READ,
        name=read.name,
        captions=read.captions,
        photos=format_count(read.photos, "photo"),
        unused=fill(wording.dataset.ZIP_UNUSED, files=unused[0]) if unused else "",
    )
    others = (note for note in read.notes if note.code in wording.dataset.ZIP_NOTES)
    return [first, *(say(wording.dataset.ZIP_NOTES[n.code], **join_lists(n)) for n in others)]


def join_lists(note: Note) -> dict[str, Fact]:
    """Return a note's facts, with the names in it joined."""
    count = note.facts.get("count", 0)
    return {
        name: join_some(fact, count) if isinstance(fact, list) else fact
        for name, fact in note.facts.items()
    }


def group_names(pairs: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    """Return the names of files, escaped, each with what is said of it; of many, together."""
    named = [(escape(name, 60), said) for name, said in pairs]
    if len(named) <= MAX_FILES:
        return named
    grouped: dict[str, list[str]] = {}
    for name, said in named:
        grouped.setdefault(said, []).append(name)
    return [(join_some(names, len(names)), said) for said, names in grouped.items()]
