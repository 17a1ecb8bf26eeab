"""The result card: before and after, how to prompt, and the file."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import discord
from discord import ui

from bot import wording
from bot.actions.delivery import Way
from bot.actions.jobstate import base as last
from bot.cards import style as styles
from bot.cards.components import Card, row, text
from bot.cards.job import COLOURS, Scene, reason
from bot.cards.report import Report
from bot.cards.upscaled import Wall
from bot.wording import escape, fill, format_size, say
from storage.records import Status

if TYPE_CHECKING:
    from pathlib import Path

    from bot.actions.delivery import Handover
    from bot.actions.jobstate import JobState
    from storage.events import PreviewsDrawn, SmallCopy
    from storage.folders import Home, JobFolder
    from storage.records import Base, Style

PAIRS = 2  #: prompts shown before and after


@dataclass(frozen=True, slots=True)
class Result:
    """A style, and what its first card needs beside it."""

    scene: Scene
    style: Style
    base: Base | None
    told: list[int]  #: who is pinged


def result_card(home: Home, result: Result, handover: Handover) -> Card:
    """Lay a finished style out."""
    style, scene = result.style, result.scene
    job, story = scene.job, scene.story
    card = Wall(colour=COLOURS[Status.DONE])
    facts = say(
        wording.result.FACTS,
        method=styles.method(style),
        base=scene.base,
        steps=story.done.steps,
        time=wording.format_duration(story.done.timings.seconds),
    )
    pinged = " ".join(f"<@{member}>" for member in result.told)
    card.put(text(say(wording.result.TITLE, name=style.name), facts, pinged))
    pictures(card, home.job_folder(job.id), story)
    prompt = wording.result.example(style.trigger, style.concept, small=small(result))
    card.put(text(wording.result.PROMPT, escape(prompt)))
    if programs := story.done.readable_by:
        card.put(text(say(wording.result.LOADS, programs=", ".join(programs))))
    if handover.small is not None:
        hand_over_copy(card, result, handover, handover.small, home)
    else:
        hand_over(card, result, handover, home.style_file(style.id, style.name))
    card.put(row(styles.Try(style.id), styles.Share(style.id), styles.Fetch(style.id)))
    return card.put(row(styles.Delete(style.id), Report(job.id)))


def small(result: Result) -> bool:
    """Return whether the base draws emoji."""
    return result.base is not None and result.base.small


def pictures(card: Card, folder: JobFolder, story: JobState) -> None:
    """Show what the base drew, and below it what the style draws now."""
    if story.previews is None or not story.previews.step:
        return
    before = shown(folder, story.before) if story.before else []
    if before:
        card.put(text(wording.result.BEFORE))
        card.gallery((path, fill(wording.result.BEFORE_ALT, prompt=said)) for path, said in before)
        card.put(text(wording.result.NOW))
    now = shown(folder, story.previews)
    card.gallery((path, fill(wording.result.NOW_ALT, prompt=said)) for path, said in now)


def shown(folder: JobFolder, previews: PreviewsDrawn) -> list[tuple[Path, str]]:
    """List the first previews that are still there, with their prompts."""
    files, prompts = previews.files, previews.prompts
    found = []
    for at, file in enumerate(files[:PAIRS]):
        path = folder.samples / last(file)
        if path.is_file():
            found.append((path, prompts[at] if at < len(prompts) else ""))
    return found


def hand_over(card: Card, result: Result, handover: Handover, path: Path) -> None:
    """Put the file on the card, or a link, or a sentence."""
    size, most = format_size(handover.size), format_size(handover.limit)
    if handover.way is Way.FILE:
        styles.file(card, path)
    elif handover.link is not None:
        template = wording.result.LINK_REFUSED if handover.refused else wording.result.LINK
        card.put(text(fill(template, size=size, limit=most, until=handover.link.until)))
        card.put(row(ui.Button(label=wording.result.LINK_BUTTON, url=handover.link.url)))
    else:
        template = wording.result.HAND_REFUSED if handover.refused else wording.result.HAND
        where = f"styles/{result.style.id}/{path.name}"
        card.put(text(fill(template, size=size, limit=most, file=where)))


def hand_over_copy(
    card: Card, result: Result, handover: Handover, small: SmallCopy, home: Home
) -> None:
    """Put the copy that fits on the card, and say what it costs and where the whole file is."""
    style = result.style
    styles.file(card, home.job_folder(result.scene.job.id).result / last(small.file))
    card.put(
        text(
            fill(
                wording.result.SMALL,
                size=format_size(handover.size),
                limit=format_size(handover.limit),
                rank=small.rank,
                error=small.error,
                file=f"styles/{style.id}/{home.style_file(style.id, style.name).name}",
            )
        )
    )


def step_card(home: Home, scene: Scene, previews: PreviewsDrawn) -> Card:
    """Lay out what a training draws on the way."""
    step, prompts = previews.step, previews.prompts
    title = say(wording.result.STEP_TITLE, step=step, steps=scene.steps, loss=scene.story.loss)
    line = title if step else wording.result.STEP_ZERO
    card = Wall(text(line), colour=COLOURS[Status.RUNNING])
    folder = home.job_folder(scene.job.id).samples
    files = [(at, folder / last(file)) for at, file in enumerate(previews.files[:4])]
    card.gallery(
        (path, prompts[at] if at < len(prompts) else "") for at, path in files if path.is_file()
    )
    return card.put(row(Report(scene.job.id)))


def ending_card(scene: Scene, told: list[int]) -> Card:
    """Lay out that a training ended without a result, for those who wait for it."""
    pinged = " ".join(f"<@{member}>" for member in told)
    failed = scene.job.status is Status.FAILED
    said = say(
        wording.job.ENDED_FAILED if failed else wording.job.ENDED_CANCELLED, name=scene.name
    )
    why = reason(scene.job) if failed else ""
    return Card(text(said, why, pinged), colour=COLOURS[scene.job.status])


def mentions(told: list[int]) -> discord.AllowedMentions:
    """Let these members be pinged, and nobody else."""
    members = [discord.Object(member) for member in told[:100]]
    return discord.AllowedMentions(everyone=False, roles=False, users=members, replied_user=False)
