"""The card of a comparison that runs, and the card of what it shows."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TypeAlias

import discord
from discord import ui

from bot import wording
from bot.actions.comparing import looks_medical
from bot.actions.jobstate import JobState, file_name
from bot.actions.permissions import is_moderator
from bot.bot import Bot, Interaction
from bot.card import Card
from bot.cards.components import Button, Select, defer, defer_update, edit, row, text
from bot.cards.job import COLOURS, failure_sentence
from bot.cards.jobpictures import NO_PICTURE
from bot.cards.report import AddReport
from bot.cards.sweep import name_winner
from bot.wording import fill, flatten, format_duration, format_size, join_words, say
from storage.errors import JobError, UserError
from storage.events import Progress
from storage.photos.filmstrip import Frame, draw_filmstrip
from storage.planning.comparison import SEEDS, Cost, Grading, reach_verdict
from storage.records import Catalog, Job, Status
from storage.tables.comparisons import Comparison, ComparisonKind, ComparisonState, Entry
from storage.tables.posts import PostKind

PERCENT = 100
MIB_A_GB = 1024
PICTURES = "newest.png"
GRID, SQUARE = "0.png", "1.png"  #: as `training.compare` writes them
#: how its card looks
STATE_COLOURS = {
    ComparisonState.TRAINING: COLOURS[Status.RUNNING],
    ComparisonState.JUDGING: COLOURS[Status.RUNNING],
    ComparisonState.DONE: COLOURS[Status.DONE],
    ComparisonState.FAILED: COLOURS[Status.FAILED],
    ComparisonState.CANCELLED: COLOURS[Status.CANCELLED],
}


#: returns what a job has told so far
ReadState: TypeAlias = Callable[[int], Awaitable[JobState]]


@dataclass(frozen=True, slots=True)
class EntryView:
    """An entry with what cards show of its training."""

    entry: Entry
    job: Job | None
    state: JobState
    place: int  #: in the queue
    memory_mib: int = 0  #: the most that the training took
    newest: Path | None = None  #: its newest picture


async def view_entries(bot: Bot, comparison: Comparison, read: ReadState) -> list[EntryView]:
    """Return a comparison's entries with what their trainings have told."""
    entries = await bot.store.comparisons.list_entries(comparison.id)
    return [await view_entry(bot, entry, read) for entry in entries]


async def view_entry(bot: Bot, entry: Entry, read: ReadState) -> EntryView:
    """Return an entry with what its training has told."""
    store = bot.store
    try:
        job = await store.jobs.get(entry.job or 0)
    except UserError:
        return EntryView(entry, None, JobState(), 0)
    state = await read(job.id)
    told = await store.events.list_kind(job.id, Progress) if job.status is Status.DONE else ()
    memory = max((each.event.memory_mib for each in told), default=0)
    newest = None
    if state.previews and state.previews.files:
        folder = store.home.job_folder(job.folder).samples
        newest = folder / file_name(state.previews.files[0])
    place = await store.jobs.queue_position(job.id)
    shown = newest if newest and newest.is_file() else None
    return EntryView(entry, job, state, place, memory, shown)


def running_card(comparison: Comparison, views: Sequence[EntryView]) -> Card:
    """Return the card of a comparison: where each entry is, and its newest picture."""
    labels = join_words([view.entry.label for view in views])
    title = say(
        wording.comparison.CARD_TITLE, labels=labels, name=comparison.name, owner=comparison.owner
    )
    if comparison.kind is ComparisonKind.SWEEP:
        title = say(
            wording.comparison.CARD_TITLE_SWEEP, name=comparison.name, owner=comparison.owner
        )
    card = Card(text(title), colour=STATE_COLOURS[comparison.state])
    if not comparison.state.ended or comparison.state is ComparisonState.CANCELLED:
        add_newest(card, views)
    card.add(text(*(entry_line(comparison, view) for view in views), *state_lines(comparison)))
    return card if comparison.state.ended else card.add(row(CancelAll(comparison.id)))


def add_newest(card: Card, views: Sequence[EntryView]) -> None:
    """Add the newest picture of each entry, side by side."""
    frames = tuple(Frame(view.newest or NO_PICTURE, view.entry.label) for view in views)
    if any(view.newest for view in views):
        url = card.attach_content(draw_newest(frames), PICTURES)
        alt = fill(wording.comparison.PICTURE_ALT, labels=join_words([f.label for f in frames]))
        card.add(ui.MediaGallery(discord.MediaGalleryItem(url, description=flatten(alt, 1000))))


@lru_cache(maxsize=8)
def draw_newest(frames: tuple[Frame, ...]) -> bytes:
    """Draw the pictures once; the card is edited more often than a new one comes."""
    return draw_filmstrip(frames)


def entry_line(comparison: Comparison, view: EntryView) -> str:
    """Return where an entry is."""
    entry, job, label = view.entry, view.job, view.entry.label
    if entry.out is not None and entry.grades:
        (score, spread), steps = show_score(entry.grades), view.state.done.steps
        return say(wording.comparison.OUT, label=label, score=score, spread=spread, steps=steps)
    if entry.round < 0 or (entry.round < comparison.round and not comparison.state.ended):
        return say(wording.comparison.WAITING, label=label)
    if job is None or job.status is Status.CANCELLED:
        return say(wording.comparison.CANCELLED, label=label)
    return job_line(view, job)


def job_line(view: EntryView, job: Job) -> str:
    """Return where an entry's training is."""
    label, progress, step = view.entry.label, view.state.progress, view.state.step
    match job.status:
        case Status.FAILED:
            why = failure_sentence(job)
            return fill(wording.comparison.FAILED, label=wording.escape(label), why=why)
        case Status.DONE:
            took = format_duration(view.state.done.timings.seconds)
            return say(wording.comparison.TRAINED, label=label, time=took)
        case Status.QUEUED:
            return say(wording.comparison.QUEUED, label=label, place=view.place)
        case Status.PAUSED:
            return say(wording.comparison.PAUSED, label=label, step=step)
    steps = progress.steps if progress else int(job.request["steps"])
    if progress is None or not progress.eta_seconds:
        return say(wording.comparison.RUNNING, label=label, step=step, steps=steps)
    when = int(view.state.progress_at + progress.eta_seconds)
    template = wording.comparison.RUNNING_ETA
    return say(template, label=label, step=step, steps=steps, when=max(when, int(time.time()) + 1))


def state_lines(comparison: Comparison) -> Iterator[str]:
    """Yield what is done with all entries."""
    if comparison.kind is ComparisonKind.SWEEP and not comparison.state.ended:
        at, rounds = comparison.round + 1, len(comparison.shares)
        yield fill(wording.sweep.ROUND_NOW, at=at, rounds=rounds)
    if comparison.state is ComparisonState.JUDGING:
        yield wording.comparison.JUDGING
    elif comparison.state is ComparisonState.CANCELLED:
        yield wording.comparison.ENDED_CANCELLED
    elif comparison.state is ComparisonState.FAILED:
        yield fill(wording.comparison.ENDED_FAILED, why=failure(comparison))
    elif comparison.state is ComparisonState.DONE:
        yield wording.comparison.ENDED


def failure(comparison: Comparison) -> str:
    """Return why a comparison ended without a result."""
    error = dict((comparison.result or {}).get("error") or {})
    if not error:
        return wording.comparison.WHY_UNKNOWN
    code = str(error.pop("code", "unknown"))
    return wording.explain(JobError(code, **error))


async def make_post(
    bot: Bot, comparison: Comparison, kind: PostKind, read: ReadState, *, pinged: bool
) -> Card:
    """Return what a post says of a comparison: where it is, or how it ended."""
    views = await view_entries(bot, comparison, read)
    if kind is PostKind.COMPARISON:
        return running_card(comparison, views)
    if comparison.state is ComparisonState.DONE:
        return await result_card(bot, comparison, views, pinged=pinged)
    return failed_card(comparison)


# the result -----------------------------------------------------------------------------------


def failed_card(comparison: Comparison) -> Card:
    """Return what is posted of a comparison without a result."""
    name, why = wording.escape(comparison.name), failure(comparison)
    said = fill(wording.comparison.FAILED_RESULT, name=name, why=why)
    return Card(text(said), colour=COLOURS[Status.FAILED])


async def result_card(
    bot: Bot, comparison: Comparison, views: Sequence[EntryView], *, pinged: bool
) -> Card:
    """Return the card of what a comparison shows."""
    labels = join_words([view.entry.label for view in views])
    title = say(wording.comparison.RESULT_TITLE, labels=labels, name=comparison.name)
    said = [recommend(views)]
    if comparison.kind is ComparisonKind.SWEEP:
        title = say(wording.comparison.RESULT_SWEEP, name=comparison.name)
        said = [*name_winner([(each.entry, each.state.done.steps) for each in views])] or said
    ping = f"<@{comparison.owner}>" if pinged else ""
    card = Card(text(title, *said, ping), colour=COLOURS[Status.DONE])
    folder = await find_pictures(bot, comparison)
    if folder and (folder / GRID).is_file():
        card.add_gallery([(folder / GRID, fill(wording.comparison.GRID_ALT, labels=labels))])
    card.add(text(*map(table_row, views)))
    if folder and (folder / SQUARE).is_file():
        card.add(text(wording.comparison.SQUARE))
        card.add_gallery([(folder / SQUARE, wording.comparison.SQUARE_ALT)])
    catalog = await bot.store.catalog.read()
    bases = [*base_lines(catalog, comparison, views[0].entry)]
    warned = [wording.comparison.NOT_DIAGNOSTIC] * await is_medical(bot, comparison)
    card.add(text(*bases, *warned, fill(wording.comparison.EXPLAINED, seeds=SEEDS)))
    made = [view.entry for view in views if view.entry.style]
    if made:
        card.add(row(PickStyle(comparison.id, options=[style_option(each) for each in made])))
    return card.add(row(AddReport(comparison.judging))) if comparison.judging else card


def recommend(views: Sequence[EntryView]) -> str:
    """Return which entry to take, and why."""
    graded = {view.entry.number: view for view in views if view.entry.grades}
    grades = {number: view.entry.grades for number, view in graded.items() if view.entry.grades}
    costs = {number: measure_cost(view) for number, view in graded.items()}
    verdict = reach_verdict(grades, costs)
    best, (score, spread) = graded[verdict.best].entry.label, show_score(grades[verdict.best])
    why = wording.comparison.WHY[verdict.cheaper]
    others = [name_other(graded[number].entry, grades[number]) for number in verdict.worse]
    equal = join_words([graded[number].entry.label for number in sorted(verdict.equal)])
    if len(grades) == 1:
        return say(wording.comparison.ALONE, best=best, score=score, spread=spread)
    if not verdict.equal:
        template = wording.comparison.BETTER
        told = join_words(others)
        return say(template, best=best, others=told, score=score, spread=spread)
    if others:
        template = wording.comparison.BETTER_EQUAL
        return say(template, best=best, others=join_words(others), equal=equal, why=why)
    peers = join_words([view.entry.label for view in graded.values()])
    if not why:
        return say(wording.comparison.EQUAL_ALL, equal=peers)
    return say(wording.comparison.EQUAL, equal=peers, best=best, why=why)


def show_score(grades: Grading) -> tuple[int, int]:
    """Return a score and its spread as people read them, from 0 to 100."""
    return round(PERCENT * grades.score), round(PERCENT * grades.spread)


def name_other(entry: Entry, grades: Grading) -> str:
    """Return an entry with its score."""
    score, spread = show_score(grades)
    return fill(wording.comparison.OTHER, label=entry.label, score=score, spread=spread)


def measure_cost(view: EntryView) -> Cost:
    """Return what an entry took."""
    return Cost(view.state.done.timings.seconds, view.state.done.bytes)


def table_row(view: EntryView) -> str:
    """Return the figures of an entry, or why it has none."""
    entry, grades = view.entry, view.entry.grades
    if grades is None:
        said = failure_sentence(view.job) if view.job and view.job.error else ""
        why = said or wording.job.STATES[Status.CANCELLED]
        return fill(wording.comparison.ROW_FAILED, label=wording.escape(entry.label), why=why)
    memory = ""
    if view.memory_mib:
        memory = fill(wording.comparison.MEMORY, memory=view.memory_mib / MIB_A_GB)
    cost = measure_cost(view)
    return fill(
        wording.comparison.ROW,
        label=wording.escape(entry.label),
        figures=" · ".join(list_figures(grades)),
        seconds=format_duration(cost.seconds),
        size=format_size(cost.bytes),
        memory=memory,
    )


def list_figures(grades: Grading) -> Iterator[str]:
    """Yield an entry's score and grades, from 0 to 100."""
    score, spread = show_score(grades)
    yield fill(wording.comparison.SCORE, score=score, spread=spread)
    for name in wording.comparison.GRADES:
        if (value := getattr(grades, name)) is not None:
            yield fill(wording.comparison.GRADES[name], figure=round(PERCENT * value))


def base_lines(catalog: Catalog, comparison: Comparison, entry: Entry) -> Iterator[str]:
    """Yield what each base brings by itself, where several were compared."""
    found = (comparison.result or {}).get("bases", {})
    for name, measured in found.items() if len(found) > 1 else ():
        own = measured["own_likeness"]
        yield say(
            wording.comparison.BASE,
            base=catalog.base_title(name),
            word=entry.request.get("class_word") or wording.comparison.NO_CLASS_WORD,
            likeness=round(PERCENT * measured["likeness"] / own) if own else 0,
            variety=round(PERCENT * measured["variety"]),
        )


async def is_medical(bot: Bot, comparison: Comparison) -> bool:
    """Return whether the photos look like medical ones, by their words."""
    photos = await bot.store.photos.list_for(comparison.dataset, comparison.owner)
    return looks_medical([comparison.name, *(photo.caption for photo in photos)])


async def find_pictures(bot: Bot, comparison: Comparison) -> Path | None:
    """Return the folder with a comparison's pictures, None if they are gone."""
    try:
        job = await bot.store.jobs.get(comparison.judging or 0)
    except UserError:
        return None
    return bot.store.home.job_folder(job.folder).result


def style_option(entry: Entry) -> discord.SelectOption:
    """Return the option to select an entry's style."""
    return discord.SelectOption(label=flatten(entry.label, 100), value=str(entry.number))


async def get_own_comparison(interaction: Interaction, number: int) -> Comparison:
    """Return the presser's comparison; a moderator's server's, too."""
    comparison = await interaction.client.store.comparisons.get(number)
    here = comparison.guild == interaction.guild_id and is_moderator(interaction)
    if comparison.owner != interaction.user.id and not here:
        raise UserError("comparison_not_own")
    return comparison


class CancelAll(Button, verb="compare:cancel"):
    """Ask for confirmation before a comparison is cancelled."""

    label, style = wording.comparison.CANCEL, discord.ButtonStyle.danger

    async def press(self, interaction: Interaction) -> None:
        await defer(interaction)
        comparison = await get_own_comparison(interaction, self.number(0))
        sweep = comparison.kind is ComparisonKind.SWEEP
        asked = text(wording.sweep.CANCEL_ASK if sweep else wording.comparison.CANCEL_ASK)
        await edit(interaction, Card(asked, row(CancelForGood(comparison.id))))


class CancelForGood(Button, verb="compare:cancelled"):
    """End a comparison, and what is open of it."""

    label, style = wording.comparison.CANCEL_GO, discord.ButtonStyle.danger

    async def press(self, interaction: Interaction) -> None:
        await defer_update(interaction)
        comparison = await get_own_comparison(interaction, self.number(0))
        await interaction.client.store.comparisons.cancel(comparison.id, interaction.user.id)
        await edit(interaction, Card(text(wording.comparison.CANCELLED_ALL)))


class PickStyle(Select, verb="compare:style"):
    """Show one of the styles as its own result."""

    placeholder = wording.comparison.PICK

    async def press(self, interaction: Interaction) -> None:
        await defer(interaction)
        comparison = await get_own_comparison(interaction, self.number(0))
        if comparison.owner != interaction.user.id:
            raise UserError("comparison_not_own")
        entries = await interaction.client.store.comparisons.list_entries(comparison.id)
        entry = next((each for each in entries if each.number == self.chosen_number), None)
        if entry is None or entry.job is None or entry.style is None:
            raise UserError("style_unknown")
        await interaction.client.jobs.show_result(interaction, entry.job)
