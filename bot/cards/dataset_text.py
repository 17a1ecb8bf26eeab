"""The texts of dataset cards: photos with captions and warnings, in lines and alt texts."""

from __future__ import annotations

from dataclasses import dataclass

import discord

from bot import wording
from bot.actions.photos import MIN_PHOTOS, ReceivedPhotos, find_captioning
from bot.bot import Bot
from bot.cards.job import failure_sentence, note_sentence
from bot.wording import escape, explain, fill, flatten, format_count, say
from storage.events import Note
from storage.records import Dataset, Job, Photo, Status

PHOTOS_PER_PAGE = 9  #: photos on one page


@dataclass(frozen=True, slots=True)
class DatasetView:
    """A dataset with what its card shows."""

    dataset: Dataset
    photos: list[Photo]
    captioning: bool  #: captions are being written
    captioned: str = ""  #: what else is to be said of the newest captions

    @classmethod
    async def load(cls, bot: Bot, dataset: Dataset) -> DatasetView:
        """Return a dataset with its photos."""
        photos = await bot.store.photos.list_for(dataset.id, dataset.owner)
        job = await find_captioning(bot, dataset)
        if job is None or not job.status.ended:
            return cls(dataset, photos, captioning=job is not None)
        return cls(dataset, photos, captioning=False, captioned=await explain_captions(bot, job))

    @property
    def pages(self) -> int:
        """The number of pages; an empty dataset has one."""
        return max(1, -(-len(self.photos) // PHOTOS_PER_PAGE))

    def status_lines(self) -> str:
        """Return what to do next, and what is going on."""
        lines = [self._ready()]
        same = sum("duplicate" in photo.warnings for photo in self.photos)
        if same:
            lines.append(say(wording.dataset.NEAR_DUPLICATES, many=same))
        if self.captioning:
            lines.append(wording.dataset.CAPTIONS_PENDING)
        if self.captioned:
            lines.append(self.captioned)
        return "\n".join(lines)

    def _ready(self) -> str:
        if not self.photos:
            return wording.dataset.EMPTY[self.dataset.concept]
        if len(self.photos) < MIN_PHOTOS:
            return say(wording.dataset.TOO_FEW_PHOTOS, least=MIN_PHOTOS)
        return wording.dataset.READY


async def explain_captions(bot: Bot, job: Job) -> str:
    """Return why a job wrote no captions, or not for all photos; "" if it did."""
    if job.status is Status.FAILED:
        return fill(wording.dataset.CAPTIONS_FAILED, why=failure_sentence(job))
    notes = await bot.store.events.list_kind(job.id, Note)
    return note_sentence(notes[-1].event) if notes else ""


def alt_text(dataset: Dataset, index: int, photo: Photo) -> str:
    """Return a photo's alt text."""
    caption = photo.caption or wording.dataset.UNCAPTIONED
    return fill(wording.dataset.PHOTO_ALT, number=index, name=dataset.name, caption=caption)


def photo_line(index: int, photo: Photo) -> str:
    """Return a photo's caption and warnings."""
    caption = flatten(photo.caption, 150) or wording.dataset.UNCAPTIONED
    said = say(wording.dataset.LINE, number=index, caption=caption)
    short = [wording.dataset.WARNINGS[warning].partition(":")[0] for warning in photo.warnings]
    return said + (
        fill(wording.dataset.PHOTO_WARNINGS, warnings=", ".join(short)) if short else ""
    )


def page_line(page: int, pages: int) -> str:
    """Return the number of the page; nothing if there is only one."""
    return fill(wording.dataset.PAGE, page=page + 1, pages=pages) if pages > 1 else ""


def photo_option(index: int, photo: Photo) -> discord.SelectOption:
    """Return the option to select a photo."""
    label = flatten(f"{index}. {photo.caption or wording.dataset.UNCAPTIONED}", 100)
    return discord.SelectOption(label=label, value=str(photo.id))


def received_lines(dataset: Dataset, received: ReceivedPhotos) -> list[str]:
    """Return how many files were added, and which were refused or warned of."""
    given = format_count(received.total, "photo")
    refused = [
        fill(wording.dataset.PHOTO_REFUSED, name=escape(name, 60), why=explain(error))
        for name, error in received.refused
    ]
    warned = [
        fill(
            wording.dataset.PHOTO_ADDED_WITH_WARNINGS,
            name=escape(name, 60),
            warnings=", ".join(wording.dataset.WARNINGS[each] for each in photo.warnings),
        )
        for name, photo in received.photos
        if photo.warnings
    ]
    title = say(
        wording.dataset.PHOTOS_ADDED, added=len(received.photos), given=given, name=dataset.name
    )
    return [title, *refused, *warned]
