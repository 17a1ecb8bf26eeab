"""Delivery of a finished file: on Discord where it fits, else by a link, else by the operator."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import discord

from bot.bot import Bot
from bot.web import Link
from storage.events import SmallCopy
from storage.records import Style

MIB = 1 << 20
BOOSTED_MIB = {2: 50, 3: 100}  #: MiB that Discord takes by a server's boosts; below, the setting


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
