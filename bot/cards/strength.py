"""What a style draws at several strengths, on its result's card."""

from __future__ import annotations

import discord
from discord import ui

from bot import wording
from bot.actions.jobstate import JobState
from bot.card import Card
from bot.cards.components import text
from bot.wording import fill, say
from storage.events import StrengthScored
from storage.folders import JobFolder
from storage.photos.filmstrip import Frame, draw_filmstrip

STRIP_FILE = "strengths.png"
FULL = 1.0  #: the strength that a style is trained at


def add_strength(card: Card, folder: JobFolder, state: JobState) -> None:
    """Add a strip of the strengths that were tried, and the one to recommend."""
    if (tried := state.strength) is None:
        return
    pictures = {each: folder.strength_picture(each) for each in tried.strengths}
    pictures[FULL] = folder.preview(state.best_step)
    frames = [
        Frame(path, f"{strength:.1f}", strength == tried.best)
        for strength, path in pictures.items()
        if path.is_file()
    ]
    card.add(text(explain_strength(tried)))
    if frames:
        url = card.attach_content(draw_filmstrip(frames), STRIP_FILE)
        alt = fill(wording.result.STRENGTH_ALT, strengths=", ".join(each.label for each in frames))
        card.add(ui.MediaGallery(discord.MediaGalleryItem(url, description=alt)))


def explain_strength(tried: StrengthScored) -> str:
    """Return which strength to use, and why."""
    least, most = (f"{each:.1f}" for each in (min(tried.strengths), max(tried.strengths)))
    if tried.best == FULL:
        return say(wording.result.STRENGTH_FULL, least=least, most=most)
    scores = dict(zip(tried.strengths, tried.scores, strict=True))
    best, full = (f"{100 * scores[each]:.0f}" for each in (tried.best, FULL))
    template = wording.result.STRENGTH_BEST
    return say(template, strength=f"{tried.best:.1f}", score=best, full_score=full)
