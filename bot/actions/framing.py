"""What a training keeps of photos: shown for a base, found for old photos, chosen by a press."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import IntEnum

from bot.bot import Bot
from storage.crops import MIN_SHOWN_CUT, Box, FramedBy, Framing, crop_at
from storage.errors import UserError
from storage.photofiles import read_photo
from storage.planning.advice_input import AdviceInput
from storage.planning.advisor import rank_bases
from storage.records import Base, Dataset, Kind, Photo

ALL = Box(0.0, 0.0, 1.0, 1.0)
MAX_COMPARED = 50  #: photos that a base is chosen by
#: what a place in a photo is multiplied with in a button
PLACES = 10_000


class Press(IntEnum):
    """What a button says to keep; in custom ids, so their numbers stay."""

    START = 0  #: the left or the top
    MIDDLE = 1
    END = 2  #: the right or the bottom
    WHOLE = 3
    FOUND = 4  #: what the darkroom found


@dataclass(frozen=True, slots=True)
class Crops:
    """What a base sees of the photos of a dataset."""

    base: Base | None  #: None without a base: all of each photo

    @classmethod
    async def load(cls, bot: Bot, dataset: Dataset, photos: Sequence[Photo]) -> Crops:
        """Return the crops for the base that a dataset was trained on last, else the best one."""
        catalog = await bot.store.catalog.read()
        jobs = await bot.store.jobs.list_for(dataset.owner)
        trained = (
            job.base for job in jobs if job.kind is Kind.TRAIN and job.dataset == dataset.id
        )
        base = catalog.get_base(next(trained, ""))
        if base is None and photos:
            some = photos[:MAX_COMPARED]
            case = AdviceInput.from_photos(some, dataset.concept, None, transparent=False)
            try:
                base = rank_bases(catalog, case)[0]
            except UserError:  # none can be used now
                return cls(None)
        return cls(base)

    @classmethod
    async def load_for(cls, bot: Bot, photo: Photo) -> Crops:
        """Return the crops of a photo's dataset."""
        dataset = await bot.store.datasets.get(photo.dataset, photo.owner)
        photos = await bot.store.photos.list_for(dataset.id, dataset.owner)
        return await cls.load(bot, dataset, photos)

    def box(self, photo: Photo) -> Box:
        """Return the part of a photo that is kept."""
        if self.base is None:
            return ALL
        return crop_at((photo.width, photo.height), self.base.resolution, photo.framing)

    def is_cut(self, photo: Photo) -> bool:
        """Return whether enough of a photo is cut away to speak of it."""
        return self.box(photo).cut >= MIN_SHOWN_CUT

    def can_cut(self, photo: Photo) -> bool:
        """Return whether a part of a photo is cut away unless it is kept whole."""
        return self.is_cut(replace(photo, framing=replace(photo.framing, whole=False)))

    def cuts_sides(self, photo: Photo) -> bool:
        """Return whether the left and right of a photo are cut away, not its top and bottom."""
        box = self.box(replace(photo, framing=replace(photo.framing, whole=False)))
        return box.right - box.left < box.bottom - box.top

    def framing(self, photo: Photo, press: Press) -> Framing | None:
        """Return the framing that a press chooses; None for what is found."""
        if press is Press.FOUND:
            return None
        if press is Press.WHOLE:
            return replace(photo.framing, whole=True, by=FramedBy.MEMBER)
        place = press / 2
        side = {"x": place} if self.cuts_sides(photo) else {"y": place}
        return replace(photo.framing, **side, whole=False, by=FramedBy.MEMBER)

    def is_chosen(self, photo: Photo, press: Press) -> bool:
        """Return whether a press would change nothing."""
        if press is Press.FOUND or photo.framing.by is not FramedBy.MEMBER:
            return press is Press.FOUND and photo.framing.by is not FramedBy.MEMBER
        would = self.framing(photo, press)
        return would is not None and self.box(replace(photo, framing=would)) == self.box(photo)


def read_press(number: int) -> Press:
    """Return the press of a button; raise UserError for that of another version."""
    try:
        return Press(number)
    except ValueError as unknown:
        raise UserError("card_old") from unknown


def framing_numbers(framing: Framing) -> tuple[int, ...]:
    """Return a framing as numbers for a custom id."""
    member = framing.by is FramedBy.MEMBER
    return round(framing.x * PLACES), round(framing.y * PLACES), int(framing.whole), int(member)


def read_framing(x: int, y: int, whole: int, member: int) -> Framing | None:
    """Return the framing of a custom id's numbers; None for what is found."""
    if not member:
        return None
    try:
        return Framing(x / PLACES, y / PLACES, bool(whole), FramedBy.MEMBER)
    except ValueError as outside:
        raise UserError("card_old") from outside


async def find_missing_framings(bot: Bot, photos: Sequence[Photo]) -> list[Photo]:
    """Return photos with what is to be kept of those that nobody has looked at yet."""

    async def find(photo: Photo) -> Photo:
        file = bot.store.home.preview_file(photo.digest)
        try:
            preview = await asyncio.to_thread(read_photo, file)
            found = await bot.darkroom.find_framing(preview)
        except (UserError, FileNotFoundError):  # its middle, then
            return photo
        await bot.store.photos.set_found_framing(photo.id, found)
        return replace(photo, framing=found, found_framing=found)

    missing = (photo for photo in photos if photo.framing.by is FramedBy.MIDDLE)
    found = {photo.id: photo for photo in await asyncio.gather(*map(find, missing))}
    return [found.get(photo.id, photo) for photo in photos]


async def draw_tiles(bot: Bot, photos: Sequence[tuple[int, Photo]], crops: Crops) -> list[bytes]:
    """Return previews of photos with their numbers, dark where a base does not see them."""

    async def draw(number: int, photo: Photo) -> bytes:
        file = bot.store.home.preview_file(photo.digest)
        preview = await asyncio.to_thread(read_photo, file)
        try:
            return await bot.darkroom.draw_tile(preview, number, crops.box(photo))
        except UserError:  # better without a number than none
            return preview

    return await asyncio.gather(*(draw(*each) for each in photos))
