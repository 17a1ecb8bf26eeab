"""The best checkpoint beside that where the training ended, on its result's card."""

from __future__ import annotations

from collections.abc import Iterator

import discord
from discord import ui

from bot import wording
from bot.actions.jobstate import JobState
from bot.card import Card
from bot.cards.components import text
from bot.wording import fill, say
from storage.events import CheckpointChosen, FoldsTried
from storage.folders import JobFolder
from storage.photos.filmstrip import Frame, draw_filmstrip
from storage.tables.checkpoints import StyleCheckpoint

PAIR_FILE = "best-and-last.png"


def add_stop(
    card: Card, folder: JobFolder, state: JobState, chosen: StyleCheckpoint | None
) -> None:
    """Add when the training was best and why it ended, with a picture of both.

    Where its end was the best, or no worse, and it did not stop early, there is nothing to add.
    The pictures are of one prompt and seed. The checkpoint that the owner has `chosen` is marked.
    """
    card.add(*map(text, explain_folds(state.folds)))
    choice = state.choice
    if choice is None or not (choice.stopped or choice.step != choice.last):
        return
    template = wording.result.STOPPED if choice.stopped else wording.result.BEST_EARLIER
    card.add(text(say(template, last=choice.last, best=choice.best)))
    frames = [frame for frame in list_frames(choice, folder, chosen) if frame.path.is_file()]
    if len(frames) > 1:
        url = card.attach_content(draw_filmstrip(frames), PAIR_FILE)
        alt = fill(wording.result.PAIR_ALT, labels=", ".join(frame.label for frame in frames))
        card.add(ui.MediaGallery(discord.MediaGalleryItem(url, description=alt)))


def explain_folds(tried: FoldsTried | None) -> Iterator[str]:
    """Yield how well short runs did on photos that were held out, if there were any."""
    if tried is None:
        return
    best = tried.held_out.index(max(tried.held_out))
    held_out, trained = (f"{100 * each[best]:.0f}" for each in (tried.held_out, tried.trained))
    said = say(wording.result.FOLDS, held_out=held_out, trained=trained)
    ended = say(wording.result.FOLDS_ENDED, last=tried.last) if tried.last else ""
    yield f"{said} {ended}".strip()


def list_frames(
    choice: CheckpointChosen, folder: JobFolder, chosen: StyleCheckpoint | None
) -> Iterator[Frame]:
    """Yield the best checkpoint, that of the end, and the owner's own if it is another one."""
    used = chosen.step if chosen else choice.step
    label = fill(wording.result.PAIR_BEST, step=choice.best)
    yield Frame(folder.preview(choice.best), label, marked=choice.best == used)
    template = wording.result.PAIR_STOPPED if choice.stopped else wording.result.PAIR_LAST
    label = fill(template, step=choice.last)
    yield Frame(folder.preview(choice.last), label, marked=choice.last == used)
    if chosen and used not in (choice.best, choice.last):
        label = fill(wording.result.PAIR_OWN, step=used)
        yield Frame(chosen.folder.preview(used), label, marked=True)
