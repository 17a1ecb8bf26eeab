"""The checkpoints of a style on its result's card: a strip of pictures, and the choice of one."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from pathlib import Path

import discord
from discord import ui

from bot import wording
from bot.actions.continuing import plan_more
from bot.actions.jobstate import JobState
from bot.actions.permissions import check_may_train_again, refusing_duplicates
from bot.bot import Interaction
from bot.card import Card
from bot.cards.components import Button, Select, defer_update, row, text
from bot.wording import fill, say
from storage.errors import UserError
from storage.photos.filmstrip import Frame, draw_filmstrip
from storage.records import Job, Style
from storage.tables.checkpoints import StyleCheckpoint

DAY_SECONDS = 24 * 3600
MAX_SHOWN = 25  #: options of a select, which Discord takes at most
STRIP_FILE = "checkpoints.png"


def keep_until(job: Job, days: int) -> int:
    """Return until when the checkpoints of an ended job are kept; 0 is as long as the style."""
    return round((job.ended or 0) + days * DAY_SECONDS) if days else 0


def add_checkpoints(
    card: Card, style: Style, kept: Sequence[StyleCheckpoint], state: JobState, until: int
) -> None:
    """Add the strip of checkpoints and the choice, where there are several."""
    if len(kept) < 2:
        if state.done and state.done.full_model:
            card.add(text(say(wording.result.IN_USE_WHOLE, step=state.best_step)))
        return
    best = state.best_step
    used = style.checkpoint or best
    shown = choose_shown(kept, {used, best})
    pictures = [(each, find_picture(each)) for each in shown]
    frames = [
        Frame(path, str(each.step), each.step == used)
        for each, path in pictures
        if path is not None
    ]
    lines = [explain_choice(used, state)]
    if until:
        lines.append(fill(wording.result.CHECKPOINTS_UNTIL, until=until))
    if frames:
        url = card.attach_content(draw_filmstrip(frames), STRIP_FILE)
        alt = fill(wording.result.STRIP_ALT, steps=", ".join(frame.label for frame in frames))
        card.add(text(wording.result.STRIP))
        card.add(ui.MediaGallery(discord.MediaGalleryItem(url, description=alt)))
    card.add(text(*lines))
    card.add(row(UseCheckpoint(style.id, options=list_options(shown, used, best))))


def choose_shown(
    kept: Sequence[StyleCheckpoint], wanted: Collection[int]
) -> list[StyleCheckpoint]:
    """Return as many as a select takes, by their steps: those of wanted steps and the last."""
    first = sorted(kept, key=lambda each: (each.step in wanted, each.step))[-MAX_SHOWN:]
    return sorted(first, key=lambda each: each.step)


def explain_choice(used: int, state: JobState) -> str:
    """Return which checkpoint is in use, and why."""
    choice, best = state.choice, state.best_step
    if used != best:
        return say(wording.result.IN_USE_CHOSEN, step=used, best=best)
    if choice is None:
        return say(wording.result.IN_USE, step=used)
    if choice.step == choice.last:
        return say(wording.result.IN_USE_SAME, step=used)
    scores = dict(zip(choice.steps, zip(choice.scores, choice.spreads, strict=True), strict=True))
    ours, last = (format_score(*scores[step]) for step in (choice.step, choice.last))
    template = wording.result.IN_USE_BEST
    return say(template, step=used, score=ours, last=choice.last, last_score=last)


def format_score(mean: float, spread: float) -> str:
    """Return a score out of 100, with how far it may be off."""
    return f"{mean * 100:.0f} ± {spread * 100:.0f}"


def find_picture(checkpoint: StyleCheckpoint) -> Path | None:
    """Return the picture of a checkpoint: the end has that of the same seed, or none better."""
    folder, step = checkpoint.folder, checkpoint.step
    paths = folder.preview(step), folder.samples / f"step-{step:06d}-end-0.png"
    return next((path for path in paths if path.is_file()), None)


def list_options(
    kept: Sequence[StyleCheckpoint], used: int, best: int
) -> list[discord.SelectOption]:
    """Return an option for each checkpoint; that in use is selected."""
    return [
        discord.SelectOption(
            label=fill(wording.result.CHECKPOINT_LABEL, step=each.step),
            value=str(each.step),
            description=wording.result.CHECKPOINT_BEST if each.step == best else None,
            default=each.step == used,
        )
        for each in kept
    ]


async def find_own_style(interaction: Interaction, number: int) -> Style:
    """Return a style of the member's own; raise UserError("style_not_own") for another's."""
    own = await interaction.client.store.styles.list_for(interaction.user.id)
    if (style := next((each for each in own if each.id == number), None)) is None:
        raise UserError("style_not_own")
    return style


class TrainMore(Button, verb="style:more"):
    """Go on with a finished training, for some more steps."""

    label = wording.result.TRAIN_MORE

    async def press(self, interaction: Interaction) -> None:
        await defer_update(interaction)
        bot = interaction.client
        style = await find_own_style(interaction, self.number(0))
        with refusing_duplicates(interaction, "train"):
            new = await plan_more(bot, style)
            await check_may_train_again(interaction, new.guild)
            job = await bot.store.jobs.queue(new)
        await bot.jobs.show(job.id)


class UseCheckpoint(Select, verb="style:checkpoint"):
    """Make another checkpoint the style's file, and show the result with it."""

    placeholder = wording.result.CHECKPOINT_PICK

    async def press(self, interaction: Interaction) -> None:
        """Choose a checkpoint as the style's owner."""
        await defer_update(interaction)
        bot, member, step = interaction.client, interaction.user.id, self.chosen_number
        style = await find_own_style(interaction, self.number(0))
        kept = {each.step: each for each in await bot.store.checkpoints.list_for(style)}
        if step not in kept:
            raise UserError("checkpoint_gone", step=step)
        await bot.store.checkpoints.choose(style, member, kept[step])
        await bot.jobs.show_result(interaction, style.job or 0)
