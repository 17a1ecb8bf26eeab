"""Zips of photos from Discord: read to a temporary file, their photos checked like any other."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import ExitStack, asynccontextmanager
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

import discord

from bot.bot import Bot
from storage.errors import UserError
from storage.photosets.entries import Entry, check_entry
from storage.photosets.reader import PhotoSet, open_set
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

    Raises UserError "zip_heavy", "photo_lost", and what `open_set` does.
    """
    if file.size > MAX_ZIP_BYTES:
        raise UserError("zip_heavy", megabytes=round(file.size / MIB), most=MAX_ZIP_BYTES // MIB)
    bot.store.home.exports.mkdir(exist_ok=True)
    with TemporaryDirectory(dir=bot.store.home.exports) as folder, ExitStack() as stack:
        path = Path(folder, "photos.zip")
        await save_attachment(bot, file, path)
        reading = partial(stack.enter_context, open_set(path, all_folders=True))
        yield await asyncio.to_thread(reading)


async def save_attachment(bot: Bot, file: discord.Attachment, path: Path) -> None:
    """Write an attachment, whose URL expires, to a file."""
    async with bot.reads:
        try:
            content = await file.read()
        except discord.HTTPException as lost:
            raise UserError("photo_lost") from lost
        await asyncio.to_thread(path.write_bytes, content)


async def check_packed(bot: Bot, file: Entry) -> CheckedPhoto:
    """Read a photo from a zip, and check it."""
    async with bot.reads:
        return await check_entry(file, bot.darkroom)
