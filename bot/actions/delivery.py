"""Delivery of a finished file: on Discord where it fits, else by a link, else by the operator."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

import discord

from bot.bot import Bot
from bot.card import Card
from bot.web import Link
from storage.events import SmallCopy
from storage.records import Style

MIB = 1 << 20
BOOSTED_MIB = {2: 50, 3: 100}  #: MiB that Discord takes by a server's boosts; below, the setting
#: Discord's codes for "request entity" and "file too large"
TOO_LARGE_CODES = frozenset({40005, 50045})


class DeliveryKind(StrEnum):
    """How a file reaches its owner."""

    FILE = "file"
    SMALL = "small"  #: a copy of it that fits
    LINK = "link"
    HAND = "hand"


@dataclass(frozen=True, slots=True)
class Handover:
    """One way to deliver one file, with what its card says about it."""

    kind: DeliveryKind
    size: int
    limit: int
    link: Link | None = None
    refused: bool = False  #: Discord did not take it, although it should fit
    small: SmallCopy | None = None


def max_file_bytes(guild: discord.Guild | None, upload_mib: int) -> int:
    """Return the largest upload of a server in bytes; discord.py's own number is out of date."""
    tier = guild.premium_tier if guild else 0
    return max(upload_mib, BOOSTED_MIB.get(tier, 0)) * MIB


def list_handovers(
    bot: Bot, style: Style, max_bytes: int, small: SmallCopy | None
) -> list[Handover]:
    """Return the ways to deliver a style's file, the best first; the last one always works."""
    fits = style.bytes <= max_bytes
    link = bot.web.link(style)
    other = Handover(
        DeliveryKind.LINK if link else DeliveryKind.HAND,
        style.bytes,
        max_bytes,
        link,
        refused=fits,
    )
    if fits:
        return [Handover(DeliveryKind.FILE, style.bytes, max_bytes), other]
    if small and not link and small.bytes <= max_bytes:
        return [Handover(DeliveryKind.SMALL, style.bytes, max_bytes, small=small), other]
    return [other]


async def post_file(
    channel: discord.abc.Messageable,
    handovers: list[Handover],
    make_card: Callable[[Handover], Card],
    mentions: discord.AllowedMentions,
) -> discord.Message:
    """Post a card with the file, the next way whenever Discord finds the file too large."""
    for handover in handovers[:-1]:
        card = make_card(handover)
        try:
            return await channel.send(
                view=card, files=card.open_files(), allowed_mentions=mentions
            )
        except discord.HTTPException as refused:
            if not is_too_large(refused):
                raise
    card = make_card(handovers[-1])
    return await channel.send(view=card, files=card.open_files(), allowed_mentions=mentions)


def is_too_large(refused: discord.HTTPException) -> bool:
    """Return whether Discord refused a file because of its size."""
    return refused.status == 413 or refused.code in TOO_LARGE_CODES
