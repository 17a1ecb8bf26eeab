"""Custom emoji: square pictures in the form Discord takes, 128 pixels and at most 256 KB."""

from __future__ import annotations

import io
import re
from pathlib import Path

import discord
from PIL import Image

from storage.errors import UserError

SIDE_PIXELS, MAX_BYTES = 128, 256 * 1024
EMOJI_FULL_CODE = 30008  #: Discord's code for "maximum number of emojis reached"


def make_emoji_png(path: Path) -> bytes:
    """Return a square picture as a PNG for an emoji, with fewer colours if it is too large."""
    with Image.open(path) as picture:
        small = picture.convert("RGB").resize((SIDE_PIXELS, SIDE_PIXELS), Image.Resampling.LANCZOS)
    for colours in (None, 256, 64, 16):
        out = io.BytesIO()
        (small if colours is None else small.quantize(colours)).save(out, "PNG", optimize=True)
        if out.tell() <= MAX_BYTES:
            break
    return out.getvalue()


def is_square(path: Path) -> bool:
    """Return whether a picture is square, so that it can become an emoji."""
    with Image.open(path) as picture:
        return picture.width == picture.height


def clean_name(text: str) -> str:
    """Return a valid emoji name made from typed text; raise UserError if there is none."""
    name = re.sub(r"\W+", "_", text.strip().strip(":"), flags=re.ASCII).strip("_")
    if not 2 <= len(name) <= 32:
        raise UserError("emoji_name")
    return name


def may_add_emoji(permissions: discord.Permissions) -> bool:
    """Return whether these permissions allow adding emoji."""
    return permissions.create_expressions or permissions.manage_expressions


async def add_emoji(guild: discord.Guild, name: str, picture: bytes, by: str) -> discord.Emoji:
    """Add an emoji to a server."""
    try:
        return await guild.create_custom_emoji(name=name, image=picture, reason=by)
    except discord.Forbidden:
        raise UserError("emoji_forbidden") from None
    except discord.HTTPException as refused:
        if refused.code == EMOJI_FULL_CODE:
            raise UserError("emoji_full") from None
        raise
