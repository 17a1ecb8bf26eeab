"""Handing a finished file over: on Discord where it fits, else as a link, else by the operator."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

import discord

if TYPE_CHECKING:
    from collections.abc import Callable

    from bot.bot import Bot
    from bot.cards.components import Card
    from bot.web import Link
    from storage.events import SmallCopy
    from storage.records import Style

MIB = 1 << 20
BOOSTED = {2: 50, 3: 100}  #: MiB that Discord takes by a server's boosts; below, the setting
LARGE = frozenset({40005, 50045})  #: Discord's codes for "request entity" and "file too large"


class Way(StrEnum):
    """How a file gets to its owner."""

    FILE = "file"
    SMALL = "small"  #: a copy of it that fits
    LINK = "link"
    HAND = "hand"


@dataclass(frozen=True, slots=True)
class Handover:
    """One way to hand one file over, and what the card needs to say about it."""

    way: Way
    size: int
    limit: int
    link: Link | None = None
    refused: bool = False  #: Discord did not take it, although it should fit
    small: SmallCopy | None = None


def limit(guild: discord.Guild | None, upload: int) -> int:
    """Return the bytes that a file may have here. discord.py's own number is out of date."""
    tier = guild.premium_tier if guild else 0
    return max(upload, BOOSTED.get(tier, 0)) * MIB


def ways(bot: Bot, style: Style, most: int, small: SmallCopy | None) -> list[Handover]:
    """List the ways a style's file can go, the best first."""
    fits = style.bytes <= most
    link = bot.web.link(style)
    other = Handover(Way.LINK if link else Way.HAND, style.bytes, most, link, refused=fits)
    if fits:
        return [Handover(Way.FILE, style.bytes, most), other]
    if small and not link and small.bytes <= most:
        return [Handover(Way.SMALL, style.bytes, most, small=small), other]
    return [other]


async def post(
    channel: discord.abc.Messageable,
    ladder: list[Handover],
    draw: Callable[[Handover], Card],
    told: discord.AllowedMentions,
) -> discord.Message:
    """Post a card with the file, one rung down whenever Discord finds it too large."""
    for handover in ladder[:-1]:
        card = draw(handover)
        try:
            return await channel.send(view=card, files=card.files(), allowed_mentions=told)
        except discord.HTTPException as refused:
            if not large(refused):
                raise
    card = draw(ladder[-1])
    return await channel.send(view=card, files=card.files(), allowed_mentions=told)


def large(refused: discord.HTTPException) -> bool:
    """Return whether Discord refused because of the size."""
    return refused.status == 413 or refused.code in LARGE
