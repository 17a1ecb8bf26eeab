"""Sweeps on Discord: the order of several settings, and which of them was the best."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import partial

import discord

from bot import wording
from bot.actions.order import TrainingOrder, load_draft
from bot.actions.permissions import check_role
from bot.actions.sweeping import SweepOrder, SweepPreview, name_variant, preview_sweep, start_sweep
from bot.bot import Interaction
from bot.card import Card
from bot.cards.components import Button, Select, defer_update, edit, parse_id, row, text
from bot.cards.job import COLOURS
from bot.cards.starting import CheckedOrder, Leave, StartOrder
from bot.wording import fill, format_duration, join_words, say
from storage.planning.sweep import MIN_RECIPES, end_of_round, list_rounds, plan_shares
from storage.records import Status
from storage.tables.comparisons import Entry


async def sweep_card(interaction: Interaction, order: SweepOrder) -> Card:
    """Return the card of a sweep before it starts: its recipes, rounds and cost."""
    bot, owner = interaction.client, interaction.user.id
    await check_role(interaction, "train")
    preview = await preview_sweep(bot, order, owner, interaction.guild_id or 0)
    usual = preview.usual
    title = say(
        wording.sweep.TITLE,
        name=usual.datasets[0].name,
        method=usual.method.title,
        base=usual.base.title,
        dial=wording.training.DIALS[usual.plan.dial],
    )
    card = Card(text(title), colour=COLOURS[Status.RUNNING])
    private = [wording.training.PRIVATE] * usual.order.private
    card.add(text(*round_lines(preview), wording.sweep.BEST_STAYS, *private))
    draft = await bot.store.drafts.add(owner, order.to_json())
    card.add(row(Recipes(draft, options=list_options(preview))))
    return card.add(row(Start(draft), Leave()))


def round_lines(preview: SweepPreview) -> Iterator[str]:
    """Yield how far how many recipes go, and what all of that costs."""
    count, steps = len(preview.chosen), preview.usual.plan.steps
    rounds = zip(list_rounds(count), plan_shares(count), strict=True)
    told = [
        fill(wording.sweep.ROUND, count=alive, steps=end_of_round(steps, share) or steps)
        for alive, share in rounds
    ]
    yield fill(wording.sweep.ROUNDS, rounds=join_words(told))
    times = f"{preview.steps / steps:.1f}"
    if preview.seconds:
        took, device = format_duration(preview.seconds), preview.usual.device
        yield say(wording.sweep.COST, times=times, time=took, device=device)
    else:
        yield fill(wording.sweep.COST_UNKNOWN, times=times)
    yield fill(wording.comparison.QUOTA, count=count)


def list_options(preview: SweepPreview) -> list[discord.SelectOption]:
    """Return an option for each recipe that is proposed."""
    return [
        discord.SelectOption(
            label=name_variant(each, preview.proposed[0]),
            value=str(at),
            default=at in preview.chosen,
        )
        for at, each in enumerate(preview.proposed)
    ]


def name_winner(trained: Sequence[tuple[Entry, int]]) -> Iterator[str]:
    """Yield which recipe was the best, and where the others ended; nothing without one.

    `trained` are the recipes with the steps that they took.
    """
    graded = [(entry, entry.grades, steps) for entry, steps in trained if entry.grades]
    for entry, grades, steps in graded:
        if entry.out is None:
            score, spread = (f"{100 * each:.0f}" for each in (grades.score, grades.spread))
            template = wording.sweep.WINNER
            yield say(template, best=entry.label, score=score, spread=spread, steps=steps)
            shorter = [other for other, better, _ in graded if entry.number in better.beats]
            if shorter:
                labels = [other.label for other in shorter]
                yield say(wording.sweep.SHORTER_BETTER, others=join_words(labels))
    others = [
        fill(wording.sweep.OTHER, label=entry.label, steps=steps)
        for entry, _, steps in graded
        if entry.out is not None
    ]
    if others and len(others) < len(graded):
        yield say(wording.sweep.OTHERS, others=join_words(others))


class Sweep(Button, verb="plan:sweep"):
    """Show the card of a sweep over settings around those of a training's card."""

    label = wording.sweep.SWEEP

    async def press(self, interaction: Interaction) -> None:
        await defer_update(interaction)
        order = SweepOrder(await load_draft(interaction, TrainingOrder, self.number(0)))
        await edit(interaction, await sweep_card(interaction, order))


class Recipes(Select, verb="sweep:recipes"):
    """Choose the recipes."""

    placeholder = wording.sweep.PICK

    def __init__(self, *numbers: int, options: list[discord.SelectOption]) -> None:
        super().__init__(*numbers, options=options)
        self.item.min_values, self.item.max_values = MIN_RECIPES, len(options)

    async def press(self, interaction: Interaction) -> None:
        await defer_update(interaction)
        order = await load_draft(interaction, SweepOrder, self.number(0))
        chosen = tuple(sorted(parse_id(each) for each in self.item.values))
        await edit(interaction, await sweep_card(interaction, replace(order, chosen=chosen)))


class Start(StartOrder, verb="sweep:start"):
    """Start a sweep."""

    started = wording.sweep.STARTED

    async def check(self, interaction: Interaction) -> CheckedOrder:
        bot, guild = interaction.client, interaction.guild_id or 0
        order = await load_draft(interaction, SweepOrder, self.number(0))
        preview = await preview_sweep(bot, order, interaction.user.id, guild)
        return CheckedOrder(preview.usual, partial(start_sweep, bot, preview, guild))


class Attest(Start, verb="sweep:attest"):
    """Attest that the people in the photos agree, and start."""

    label, style, attests = wording.training.ATTEST, discord.ButtonStyle.primary, True


Start.attest = Attest
