"""Comparisons on Discord: the order, the card while it runs, and what it shows in the end."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

import discord

from bot import wording
from bot.actions.comparing import (
    ComparisonOrder,
    ComparisonPreview,
    count_faces,
    looks_medical,
    preview_comparison,
    start_comparison,
)
from bot.actions.order import load_draft
from bot.actions.permissions import check_role
from bot.bot import Interaction
from bot.card import Card
from bot.cards.components import row, text
from bot.cards.job import COLOURS
from bot.cards.starting import CheckedOrder, Leave, StartOrder
from bot.wording import fill, format_count, format_duration, format_size, join_words, say
from storage.records import Status


async def order_card(interaction: Interaction, order: ComparisonOrder) -> Card:
    """Return the card of a comparison before it starts: what it costs, measures and cannot."""
    bot, owner = interaction.client, interaction.user.id
    await check_role(interaction, "train")
    preview = await preview_comparison(bot, order, owner, interaction.guild_id or 0)
    title = say(
        wording.comparison.TITLE,
        labels=join_words([*preview.labels]),
        name=preview.previews[0].datasets[0].name,
        same=preview.same,
        dial=wording.training.DIALS[order.dial],
    )
    card = Card(text(title), colour=COLOURS[Status.RUNNING])
    card.add(text(*entry_lines(preview), *cost_lines(preview)))
    private = [wording.training.PRIVATE] * order.private
    card.add(text(wording.comparison.MEASURED, *caution_lines(preview), *private))
    draft = await bot.store.drafts.add(owner, order.to_json())
    return card.add(row(Start(draft), Leave()))


def entry_lines(preview: ComparisonPreview) -> Iterator[str]:
    """Yield what each training comes to."""
    for label, each in zip(preview.labels, preview.previews, strict=True):
        plan = each.plan
        template = wording.comparison.ENTRY_TIME
        if plan.timed_like:
            template = wording.comparison.ENTRY_TIME_LIKE
        took = fill(template, time=format_duration(plan.seconds))
        if not plan.seconds:
            took = wording.comparison.ENTRY_TIME_UNKNOWN
        yield say(
            wording.comparison.ENTRY,
            label=label,
            steps=plan.steps,
            time=took,
            size=format_size(plan.file_bytes),
        )


def cost_lines(preview: ComparisonPreview) -> Iterator[str]:
    """Yield what all of them come to."""
    size = format_size(preview.bytes)
    if preview.seconds:
        took, device = format_duration(preview.seconds), preview.previews[0].device
        yield say(wording.comparison.WHOLE, time=took, device=device, size=size)
    else:
        yield fill(wording.comparison.WHOLE_UNKNOWN, size=size)
    yield fill(wording.comparison.QUOTA, count=len(preview.previews))


def caution_lines(preview: ComparisonPreview) -> Iterator[str]:
    """Yield what the scores do not tell of these photos and bases."""
    order, first = preview.order, preview.previews[0]
    bases = [each.base for each in preview.previews]
    if len(order.bases) > 1 and len({base.family for base in bases}) < len(bases):
        yield wording.comparison.CROSSED
    if faces := count_faces(first.photos):
        yield say(wording.comparison.FACES, photos=format_count(faces, "photo"))
    captions = [photo.caption for photo in first.photos]
    if looks_medical([first.datasets[0].name, order.class_word, *captions]):
        yield wording.comparison.MEDICAL
    if len(order.bases) > 1:
        yield say(
            wording.comparison.BIAS, word=order.class_word or wording.comparison.NO_CLASS_WORD
        )


class Start(StartOrder, verb="compare:start"):
    """Start a comparison."""

    started = wording.comparison.STARTED

    async def check(self, interaction: Interaction) -> CheckedOrder:
        bot, guild = interaction.client, interaction.guild_id or 0
        order = await load_draft(interaction, ComparisonOrder, self.number(0))
        preview = await preview_comparison(bot, order, interaction.user.id, guild)
        return CheckedOrder(preview.previews[0], partial(start_comparison, bot, preview, guild))


class Attest(Start, verb="compare:attest"):
    """Attest that the people in the photos agree, and start."""

    label, style, attests = wording.training.ATTEST, discord.ButtonStyle.primary, True


Start.attest = Attest
