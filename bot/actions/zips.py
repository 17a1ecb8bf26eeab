"""Zips of photos: kept in a temporary file while they are read, their photos checked like any."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import ExitStack, asynccontextmanager
from functools import partial

import discord

from bot.bot import Bot
from storage.errors import UserError
from storage.photosets.entries import Entry, check_entry
from storage.photosets.reader import PhotoSet, open_sealed_set
from storage.photosets.sealed import SealedZip, sealing_zip
from storage.records import CheckedPhoto

MIB = 1 << 20
MAX_ZIP_BYTES = 100 * MIB
ZIP_TYPES = frozenset({"application/zip", "application/x-zip-compressed"})


def is_zip(file: discord.Attachment) -> bool:
    """Return whether an attachment says that it is a zip."""
    return file.filename.lower().endswith(".zip") or file.content_type in ZIP_TYPES


@asynccontextmanager
async def opening_zip(bot: Bot, file: discord.Attachment) -> AsyncIterator[PhotoSet]:
    """Yield the photos in an attachment; they can be read inside the block.

    Raises UserError "zip_heavy", "photo_lost", and what `open_sealed_set` does.
    """
    if file.size > MAX_ZIP_BYTES:
        raise UserError("zip_heavy", megabytes=round(file.size / MIB), most=MAX_ZIP_BYTES // MIB)
    with sealing_zip(bot.store.home.exports) as sealed:
        await save_attachment(bot, file, sealed)
        async with reading_zip(sealed) as found:
            yield found


@asynccontextmanager
async def reading_zip(sealed: SealedZip) -> AsyncIterator[PhotoSet]:
    """Yield the photos in a zip, to be read in the block. Raises what `open_sealed_set` does."""
    with ExitStack() as stack:
        reading = partial(stack.enter_context, open_sealed_set(sealed))
        yield await asyncio.to_thread(reading)


async def save_attachment(bot: Bot, file: discord.Attachment, sealed: SealedZip) -> None:
    """Write an attachment, whose URL expires, to a file."""
    async with bot.reads:
        try:
            content = await file.read()
        except discord.HTTPException as lost:
            raise UserError("photo_lost") from lost
        await asyncio.to_thread(sealed.write, content)


async def check_packed(bot: Bot, file: Entry) -> CheckedPhoto:
    """Read a photo from a zip, and check it."""
    async with bot.reads:
        return await check_entry(file, bot.darkroom)
