"""Zips that a page sent: their photos are added in the background, and what is said of them."""

from __future__ import annotations

import asyncio
import logging
from contextlib import ExitStack
from dataclasses import dataclass

from bot import wording
from bot.actions.photos import ReceivedPhotos, add_zip, finish_receiving, queue_captions
from bot.actions.zips import reading_zip
from bot.bot import Bot
from bot.cards.dataset_text import received_lines
from bot.upload.captions import NO_CHANNEL
from bot.upload.visit import Visit
from storage.errors import UserError
from storage.photosets.sealed import SealedZip
from storage.records import Dataset

log = logging.getLogger(__name__)

MAX_KEPT = 200  #: zips of which is known what became of them


@dataclass(slots=True)
class SentZip:
    """A zip that was sent."""

    name: str
    lines: list[str] | None = None  #: what became of it; None while it is read


class SentZips:
    """The zips of the last while, by dataset, member and digest."""

    def __init__(self, bot: Bot) -> None:
        self._bot = bot
        self._zips: dict[tuple[int, int, str], SentZip] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    def list_for(self, dataset: Dataset, member: int) -> dict[str, SentZip]:
        """Return the zips that a member sent to a dataset, by their digests."""
        whose = (dataset.id, member)
        return {key[2]: sent for key, sent in self._zips.items() if key[:2] == whose}

    def is_reading(self, visit: Visit, digest: str) -> bool:
        """Return whether a zip need not be sent again yet; later, photos may have been removed."""
        sent = self._zips.get((visit.dataset.id, visit.member, digest))
        return sent is not None and sent.lines is None

    def start(
        self, visit: Visit, digest: str, name: str, held: tuple[SealedZip, ExitStack]
    ) -> None:
        """Add the photos of a zip; the stack removes its file at the end."""
        sent = self._zips[visit.dataset.id, visit.member, digest] = SentZip(name or "zip")
        while len(self._zips) > MAX_KEPT:
            self._zips.pop(next(iter(self._zips)))
        task = asyncio.create_task(self._add(visit, sent, held))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def close(self) -> None:
        """Stop; photos that were added stay."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _add(self, visit: Visit, sent: SentZip, held: tuple[SealedZip, ExitStack]) -> None:
        sealed, stack = held
        lines = [wording.explain_on_page(UserError("upload_broken"))]
        try:
            with stack:
                lines = await self._read(visit, sent.name, sealed)
        except UserError as refused:
            lines = [wording.explain_on_page(refused)]
        except Exception:
            log.exception("A zip that was uploaded could not be read")
        finally:
            sent.lines = lines

    async def _read(self, visit: Visit, name: str, sealed: SealedZip) -> list[str]:
        dataset, received = visit.dataset, ReceivedPhotos(visit.member)
        async with reading_zip(sealed) as found:
            await add_zip(self._bot, dataset, name, found, received)
        await finish_receiving(self._bot, dataset, received)
        new = [photo for _, photo in received.photos if not photo.caption]
        await queue_captions(self._bot, dataset, NO_CHANNEL, new)
        return [wording.to_plain(line) for line in received_lines(dataset, received) if line]
