"""The cards of /help and /privacy."""

from __future__ import annotations

from typing import Any

from discord import ui

from bot import wording
from bot.card import Card
from bot.cards.components import row, text
from bot.settings import BotSettings
from bot.wording import format_count, say
from storage.folders import ASIDE_DAYS
from storage.photos.sandbox import MAX_KEPT_SIDE
from storage.tables.retention import notice_days


def help_card() -> Card:
    """Return a card of the first steps."""
    return Card(text(wording.guide.HELP), ui.Separator(), text(wording.guide.HELP_TIPS))


def privacy_card(settings: BotSettings) -> Card:
    """Return a card of what is stored, who sees it and how it is deleted."""
    collect = wording.guide.PRIVACY_COLLECT if settings.collect_messages else ""
    days = settings.unused_days
    notice = format_count(notice_days(days), "day")
    unused = say(wording.guide.PRIVACY_UNUSED, days=days, notice=notice) if days else ""
    sealed = wording.guide.PRIVACY_ENCRYPTED if settings.photo_keys else ""
    said = say(wording.guide.PRIVACY, days=ASIDE_DAYS, side=MAX_KEPT_SIDE)
    card = Card(text(said, sealed, unused, collect))
    if settings.privacy_url is None:
        return card
    link: ui.Button[Any] = ui.Button(label=wording.guide.PRIVACY_LINK, url=settings.privacy_url)
    return card.add(row(link))
