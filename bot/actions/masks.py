"""Masks that came beside their photos, which keep them in their alpha channels."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from pathlib import PurePosixPath

import discord

from bot.bot import Bot
from storage.photosets.captions import find_beside
from storage.photosets.entries import Entry
from storage.photosets.masks import MASK_ENDINGS
from storage.records import CheckedPhoto

Check = Callable[[], Awaitable[CheckedPhoto]]  #: of a file


def pair_masks(
    photos: Sequence[discord.Attachment], masks: Sequence[discord.Attachment]
) -> dict[discord.Attachment, discord.Attachment]:
    """Return the mask of each photo that has one, by their names."""
    files = {make_entry(file): file for file in (*photos, *masks)}
    entries = [*files]
    found, _ = find_beside(entries[: len(photos)], entries[len(photos) :], MASK_ENDINGS)
    return {files[photo]: files[mask] for photo, mask in found.items()}


def make_entry(file: discord.Attachment) -> Entry:
    """Return an attachment as an entry that only has a name."""
    return Entry(PurePosixPath(file.filename), file.size, lambda _: b"")


async def check_masked(bot: Bot, check_photo: Check, check_mask: Check, file: str) -> CheckedPhoto:
    """Check a photo and its mask, whose file is named in errors, and join them."""
    photo, mask = await check_photo(), await check_mask()
    joined = await bot.darkroom.join_mask(photo.pixels, mask.pixels, file)
    return replace(joined, warnings=photo.warnings)
