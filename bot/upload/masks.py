"""Masks that a page sent: each waits for its photo, which may be sent after it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import PurePosixPath

from bot import wording
from bot.bot import Bot
from bot.upload.intake import Intake
from bot.upload.visit import Visit
from bot.wording import explain_on_page, fill
from storage.errors import UserError
from storage.photofiles import read_photo
from storage.photosets.captions import Key, make_key
from storage.photosets.masks import is_mask, unmask_name
from storage.records import Photo

MAX_WAITING_BYTES = 32 << 20  #: of masks that wait for their photos, of all members
MAX_NAMES = 4000  #: of files that a member has chosen, and of masks of which is known what became
PATIENCE_SECONDS = 60.0  #: without a file from its member, after which a mask's photo won't come
MEMORY_SECONDS = 3600.0  #: without a file from its member, after which a page is forgotten


@dataclass(slots=True)
class SentMask:
    """A mask that was sent."""

    name: str
    pixels: bytes  #: PNG of the darkroom; empty once it waits no more
    lines: list[str] | None = None  #: what became of it; None while it waits


@dataclass(slots=True)
class Sent:
    """What a member sends to a dataset."""

    files: dict[Key, str] = field(default_factory=dict)  #: digests of photos, by names and stems
    #: by the digests and names of their files: those of two photos may be equal
    masks: dict[tuple[str, str], SentMask] = field(default_factory=dict)
    newest: float = 0.0  #: when something was sent last, in monotonic seconds


class SentMasks:
    """The masks of the last while, and the names of the files that were chosen beside them."""

    def __init__(
        self,
        bot: Bot,
        intake: Intake,
        patience: float = PATIENCE_SECONDS,
        memory: float = MEMORY_SECONDS,
    ) -> None:
        self._bot, self._intake, self._patience, self._memory = bot, intake, patience, memory
        self._sent: dict[tuple[int, int], Sent] = {}

    def note_names(self, visit: Visit, named: Iterable[tuple[str, str]]) -> None:
        """Note files that a page is about to send, as (digest, name)."""
        files = self._get(visit).files
        for digest, name in named:
            path = PurePosixPath(name)
            if name and not is_mask(path):
                for key in (make_key(path), make_key(path.with_suffix(""))):
                    files.setdefault(key, digest)
        while len(files) > MAX_NAMES:
            del files[next(iter(files))]

    async def add(self, visit: Visit, digest: str, name: str, pixels: bytes) -> None:
        """Take a checked mask, and give it to its photo as soon as that is there."""
        masks, key = self._get(visit).masks, (digest, name)
        masks.pop(key, None)
        masks[key] = SentMask(name, pixels)
        while len(masks) > MAX_NAMES:
            del masks[next(iter(masks))]
        await self.pair(visit)
        if sum(
            len(mask.pixels) for sent in self._sent.values() for mask in sent.masks.values()
        ) > (MAX_WAITING_BYTES):
            refuse(masks[key], UserError("photo_mask"))

    async def pair(self, visit: Visit) -> None:
        """Put masks on the photos that are there by now."""
        sent = self._get(visit)
        sent.newest = time.monotonic()
        for mask in [each for each in sent.masks.values() if each.lines is None]:
            file = sent.files.get(make_key(PurePosixPath(unmask_name(mask.name))), "")
            found = await self._bot.store.uploads.find(visit.dataset, [file])
            photo = found.get(file)
            if photo and visit.sees(photo) and mask.lines is None:
                await self._join(mask, photo)

    def list_lines(self, visit: Visit) -> dict[str, list[str] | None]:
        """Return what became of the masks that a member sent, by digest; None if one waits."""
        sent = self._get(visit)
        idle = not self._intake.is_receiving(visit.member)
        if idle and time.monotonic() - sent.newest >= self._patience:
            for mask in sent.masks.values():
                if mask.lines is None:
                    refuse(mask, UserError("photo_mask"))
        became: dict[str, list[str] | None] = {}
        for (digest, _), mask in sent.masks.items():
            lines = became.get(digest, [])
            became[digest] = None if lines is None or mask.lines is None else lines + mask.lines
        return became

    async def _join(self, mask: SentMask, photo: Photo) -> None:
        file = self._bot.store.home.photo_file(photo.digest)
        painted, mask.pixels, mask.lines = mask.pixels, b"", []
        try:
            pixels = await asyncio.to_thread(read_photo, file)
            joined = await self._bot.darkroom.join_mask(pixels, painted, mask.name)
            await self._bot.store.photos.set_mask(photo, joined)
        except (UserError, FileNotFoundError) as error:
            gone = UserError("photo_gone")  # it was removed just now
            refuse(mask, error if isinstance(error, UserError) else gone)

    def _get(self, visit: Visit) -> Sent:
        """Return what a member sends, and forget what others sent long ago."""
        now, whose = time.monotonic(), (visit.dataset.id, visit.member)
        for key in [key for key, sent in self._sent.items() if now - sent.newest > self._memory]:
            if key != whose:
                del self._sent[key]
        return self._sent.setdefault(whose, Sent(newest=now))


def refuse(mask: SentMask, error: UserError) -> None:
    """Let a mask wait no more, and keep why."""
    why = explain_on_page(error)
    mask.pixels, mask.lines = b"", [fill(wording.dataset.PHOTO_REFUSED, name=mask.name, why=why)]
