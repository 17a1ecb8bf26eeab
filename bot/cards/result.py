"""The result card: before and after, how to prompt, and the file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, repeat
from pathlib import Path
from typing import Any

import discord
from discord import ui

from bot import wording
from bot.actions.delivery import DeliveryKind, Handover
from bot.actions.jobstate import file_name
from bot.card import Card
from bot.cards import style as styles
from bot.cards.checkpoints import TrainMore, add_checkpoints
from bot.cards.components import row, text
from bot.cards.grades import Grade
from bot.cards.job import COLOURS, JobView, failure_sentence
from bot.cards.jobpictures import Animate, list_frames
from bot.cards.report import AddReport
from bot.cards.stop import add_stop
from bot.cards.strength import add_strength
from bot.cards.upscaled import PictureCard
from bot.wording import fill, flatten, format_size, say
from storage.events import PreviewsDrawn, RateFound, ResultDrawn, SmallCopy
from storage.folders import Home, JobFolder
from storage.records import Base, Status, Style
from storage.tables.checkpoints import StyleCheckpoint

MAX_PICTURES = 4  #: on one card


@dataclass(frozen=True, slots=True)
class Result:
    """A style with what its first card shows beside it."""

    view: JobView
    style: Style
    base: Base | None
    pinged: list[int]  #: who is pinged
    checkpoints: Sequence[StyleCheckpoint] = ()  #: those that are kept, by their steps
    has_state: bool = False  #: whether its training can go on
    until: int = 0  #: unix seconds until when; 0 is as long as the style

    @property
    def chosen(self) -> StyleCheckpoint | None:
        """The checkpoint that its owner chose instead of Safelight's."""
        step, best = self.style.checkpoint, self.view.state.best_step
        kept = (each for each in self.checkpoints if each.step == step != best)
        return next(kept, None)


def result_card(home: Home, result: Result, handover: Handover) -> Card:
    """Return the card of a finished style."""
    style, view = result.style, result.view
    job, state = view.job, view.state
    card = PictureCard(colour=COLOURS[Status.DONE])
    facts = say(
        wording.result.FACTS,
        method=view.method,
        base=view.base,
        steps=state.done.steps,
        time=wording.format_duration(state.done.timings.seconds),
    )
    pinged = " ".join(f"<@{member}>" for member in result.pinged)
    card.add(text(say(wording.result.TITLE, name=style.name), facts, pinged))
    add_pictures(card, home.job_folder(job.folder), result)
    add_stop(card, home.job_folder(job.folder), state, result.chosen)
    add_checkpoints(card, style, result.checkpoints, state, result.until)
    if not result.chosen:
        add_strength(card, home.job_folder(job.folder), state)
    card.add(text(say(wording.result.PROMPT, trigger=style.trigger)))
    card.add(row(*styles.draw_buttons(style, result.base)))
    if programs := state.done.readable_by:
        card.add(text(say(wording.result.LOADS, programs=", ".join(programs))))
    for need, readers in group_by_need(state.done.readable_with).items():
        card.add(text(say(wording.result.LOADS_WITH, programs=", ".join(readers), need=need)))
    if handover.small is not None:
        add_smaller_file(card, result, handover, handover.small, home)
    else:
        add_file(card, result, handover, home.style_file(style.folder, style.name))
    more = [TrainMore(style.id)] if result.has_state else []
    card.add(row(styles.Try(style.id), styles.Share(style.id), styles.Fetch(style.id), *more))
    drawn = list(list_frames(home, job, state, 0))
    film = [Animate(job.id)] if len(drawn) > 1 else []
    return card.add(row(*film, Grade(style.id), styles.Delete(style.id), AddReport(job.id)))


def group_by_need(needs: Mapping[str, str]) -> dict[str, list[str]]:
    """List the programs that need the same thing beside the file, by what that is."""
    found: dict[str, list[str]] = {}
    for program, need in needs.items():
        found.setdefault(need, []).append(program)
    return found


def add_pictures(card: PictureCard, folder: JobFolder, result: Result) -> None:
    """Add what the style draws, on a small base also as emoji, and what the base drew before."""
    state = result.view.state
    if state.previews is None or not state.previews.step:
        return
    now = list_pictures(folder, state.previews)
    if result.chosen:
        prompts = enumerate(state.previews.prompts)
        drawn = ((result.chosen.folder.preview(result.chosen.step, at), p) for at, p in prompts)
        now = [(path, prompt) for path, prompt in drawn if path.is_file()]
    card.add_gallery((path, fill(wording.result.NOW_ALT, prompt=said)) for path, said in now)
    several = getattr(state.previews, "candidates", 1)
    if several > 1 and not result.chosen:
        card.add(text(say(wording.result.BEST, candidates=several)))
    if now and result.base and result.base.small:
        light, dark = (path for path, _ in (now[0], now[min(1, len(now) - 1)]))
        card.add(text(wording.result.EMOJI)).add_chat(dark, light, wording.result.EMOJI_ALT)
    for path, said in list_pictures(folder, state.before)[:1] if state.before else []:
        alt = flatten(fill(wording.result.BEFORE_ALT, prompt=said), 1000)
        shown: ui.Thumbnail[Any] = ui.Thumbnail(card.attach(path), description=alt)
        card.add(ui.Section(text(say(wording.result.BEFORE, prompt=said)), accessory=shown))


def list_pictures(folder: JobFolder, drawn: PreviewsDrawn | ResultDrawn) -> list[tuple[Path, str]]:
    """Return the first pictures that still exist, with their prompts."""
    paths = [folder.samples / file_name(file) for file in drawn.files[:MAX_PICTURES]]
    pairs = zip(paths, chain(drawn.prompts, repeat("")), strict=False)
    return [(path, prompt) for path, prompt in pairs if path.is_file()]


def add_file(card: Card, result: Result, handover: Handover, path: Path) -> None:
    """Add the file, a link to it, or where the operator finds it."""
    size, most = format_size(handover.size), format_size(handover.limit)
    if handover.kind is DeliveryKind.FILE:
        styles.add_file(card, path)
    elif handover.link is not None:
        template = wording.result.LINK_REFUSED if handover.refused else wording.result.LINK
        card.add(text(fill(template, size=size, limit=most, until=handover.link.until)))
        card.add(row(ui.Button(label=wording.result.LINK_BUTTON, url=handover.link.url)))
    else:
        template = wording.result.HAND_REFUSED if handover.refused else wording.result.HAND
        where = f"styles/{result.style.folder}/{path.name}"
        card.add(text(fill(template, size=size, limit=most, file=where)))


def add_smaller_file(
    card: Card, result: Result, handover: Handover, small: SmallCopy, home: Home
) -> None:
    """Add the smaller copy, with its loss of quality and where the whole file is."""
    style = result.style
    styles.add_file(card, home.job_folder(result.view.job.folder).result / file_name(small.file))
    where = f"styles/{style.folder}/{home.style_file(style.folder, style.name).name}"
    size, most, rank = format_size(handover.size), format_size(handover.limit), str(small.rank)
    said = fill(
        wording.result.SMALL, size=size, limit=most, rank=rank, error=small.error, file=where
    )
    card.add(text(said))


def step_card(home: Home, view: JobView, previews: PreviewsDrawn) -> Card:
    """Return a card of previews."""
    step, prompts = previews.step, previews.prompts
    line = say(wording.result.STEP_ZERO, prompts=[f"“{prompt}”" for prompt in prompts])
    if step:
        line = say(wording.result.STEP_TITLE, step=step, steps=view.steps)
    card = PictureCard(text(line), colour=COLOURS[Status.RUNNING])
    card.add_gallery(list_pictures(home.job_folder(view.job.folder), previews))
    return card.add(row(AddReport(view.job.id)))


def rate_card(home: Home, view: JobView, found: RateFound) -> Card:
    """Return the card of a sweep over learning rates."""
    rates = {"rate": f"{found.learning_rate:.2g}", "usual": f"{found.usual:.2g}"}
    same = found.learning_rate == found.usual
    said = fill(wording.result.RATE_USUAL if same else wording.result.RATE_FOUND, **rates)
    card = PictureCard(text(said), colour=COLOURS[Status.RUNNING])
    curve = home.job_folder(view.job.folder).samples / file_name(found.curve)
    card.add_gallery((path, wording.result.RATE_ALT) for path in [curve] if path.is_file())
    return card


def ending_card(view: JobView, members: list[int]) -> Card:
    """Return a card that a training ended without a result, for those who wait for it."""
    pinged = " ".join(f"<@{member}>" for member in members)
    failed = view.job.status is Status.FAILED
    said = say(
        wording.job.NOTIFY_FAILED if failed else wording.job.NOTIFY_CANCELLED, name=view.name
    )
    why = failure_sentence(view.job) if failed else ""
    return Card(text(said, why, pinged), colour=COLOURS[view.job.status])


def allow_mentions(members: list[int]) -> discord.AllowedMentions:
    """Return mentions that ping these members and nobody else."""
    users = [discord.Object(member) for member in members[:100]]  # Discord's limit
    return discord.AllowedMentions(everyone=False, roles=False, users=users, replied_user=False)
