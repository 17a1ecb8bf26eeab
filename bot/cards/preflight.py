"""The pre-flight card: what a training will be, before it is started."""

from __future__ import annotations

import zlib
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import discord
from discord import ui

from bot import delivery, orders, places, wording
from bot.cards.job import COLOURS
from bot.cards.parts import WORDS, Button, Card, row, show, text, touch
from bot.guards import allowed, quota
from bot.orders import Order
from bot.wording import megabytes, number, say
from storage.errors import UserError
from storage.records import Dial, Status

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from bot.cards.parts import Asked, Part
    from bot.client import Bot
    from bot.orders import Prospect
    from storage.records import Catalog

DIALS = {dial[0]: dial for dial in Dial}


async def preflight(
    interaction: Asked, order: Order, words: Iterable[str] = (), controls: Iterable[Part] = ()
) -> Card:
    """Weigh an order and lay out what comes of it; further words and controls come last."""
    bot = interaction.client
    await allowed(interaction, "train")
    await quota(interaction)
    prospect = await orders.weigh(bot, order, interaction.user.id, interaction.guild_id or 0)
    card = Card(colour=COLOURS[Status.RUNNING])
    card.put(text(title(prospect)))
    card.put(text(*facts(bot, interaction.guild, prospect)))
    if remarks := [*words, *why(prospect), *small(prospect)]:
        card.put(text(*remarks))
    return card.put(row(Start(order), *controls, Leave()))


def title(prospect: Prospect) -> str:
    """Say what is asked for."""
    plan = prospect.plan
    return say(
        wording.training.TITLE,
        name=prospect.dataset.name,
        method=wording.training.METHODS.get(plan.method, plan.method),
        base=prospect.base.title,
        dial=wording.training.DIALS[plan.dial],
    )


def facts(bot: Bot, guild: discord.Guild | None, prospect: Prospect) -> Iterator[str]:
    """Say photos, steps, time, place and file, a line each."""
    plan = prospect.plan
    yield say(wording.training.PHOTOS, photos=number(len(prospect.photos), "photo"))
    warned = sum(bool(photo.warnings) for photo in prospect.photos)
    if warned:
        yield say(wording.training.WARNED, photos=number(warned, "photo"))
    if plan.seconds:
        took = wording.duration(plan.seconds)
        yield say(wording.training.STEPS, steps=plan.steps, time=took, device=prospect.device)
    else:
        yield say(wording.training.STEPS_FIRST, steps=plan.steps)
    if plan.prior:
        yield say(wording.training.CLASS, pictures=plan.prior, word=prospect.order.word)
    yield (
        say(wording.training.PLACE, place=prospect.place)
        if prospect.place
        else wording.training.NOW
    )
    yield file(plan.bytes, delivery.limit(guild, bot.settings.upload), link=bot.web.public)
    if not plan.rank and bot.settings.days:
        yield say(wording.training.KEPT, days=bot.settings.days)


def file(size: int, most: int, *, link: str | None) -> str:
    """Say how large the file will be, and how it will be handed over."""
    template = wording.training.FILE_LINK if link else wording.training.FILE_HAND
    if size <= most:
        template = wording.training.FILE
    return template.format(size=megabytes(size), limit=megabytes(most))


def why(prospect: Prospect) -> Iterator[str]:
    """Say why the numbers are as they are."""
    plan = prospect.plan
    codes = [code for reason in plan.reasons for code in reason.rsplit("_", 1)]
    reasons = [
        wording.training.REASONS[code] for code in codes if code in wording.training.REASONS
    ]
    if plan.method != "embedding" and "chosen" not in plan.reasons:
        reasons.append(wording.training.REASONS["more"])
    if reasons:
        yield wording.training.WHY.format(reasons="; ".join(reasons))


def small(prospect: Prospect) -> Iterator[str]:
    """Say what is special about it."""
    base = prospect.base
    if prospect.order.private:
        yield wording.training.PRIVATE
    if base.small:
        yield say(wording.training.SMALL, base=base.title, side=base.resolution)


class Start(Button, verb="plan:start", tail=WORDS):
    """Put the training into the queue; the whole order stands in the button."""

    style = discord.ButtonStyle.success
    order: Order
    code: int  #: of the base's name

    def __init__(self, order: Order) -> None:
        button: ui.Button[Any] = ui.Button(
            label=wording.training.START, style=self.style, custom_id=written(order)
        )
        ui.DynamicItem.__init__(self, button)
        self.order = order

    def recall(self, written: str) -> None:
        """Read the order from the button."""
        self.order, self.code = read(written)

    async def press(self, interaction: Asked) -> None:
        """Look at everything once more, then queue it and post its card."""
        await touch(interaction)
        bot, guild = interaction.client, interaction.guild_id or 0
        await allowed(interaction, "train")
        await quota(interaction)
        order = based(self.order, self.code, await bot.store.catalog.read())
        prospect = await orders.weigh(bot, order, interaction.user.id, guild)
        channel = await places.training(interaction, private=order.private)
        job = await orders.queue(bot, prospect, guild, channel)
        await bot.follow.show(job.id)
        posted = await bot.store.jobs.get(job.id)
        said = say(wording.training.STARTED, name=prospect.dataset.name, job=job.id)
        where = say(wording.training.WHERE, channel=posted.channel)
        await show(interaction, Card(text(said, where)))


class Leave(Button, verb="plan:leave"):
    """Start nothing."""

    label = wording.training.NOT_NOW

    async def press(self, interaction: Asked) -> None:
        """Say that nothing was started."""
        await touch(interaction)
        await show(interaction, Card(text(wording.training.LEFT)))


def written(order: Order) -> str:
    """Write an order into a custom id, at most 100 characters."""
    parts = (
        order.dataset,
        order.method,
        order.dial[0],
        order.steps,
        order.rank,
        f"{order.rate:g}",
        int(order.private),
        order.word,
        coded(order.base),
    )
    return "plan:start:" + ":".join(map(str, parts))


def read(written: str) -> tuple[Order, int]:
    """Read an order, and the code of its base, from a custom id."""
    try:
        dataset, method, dial, steps, rank, rate, private, word, code = written.split(":")
        order = Order(
            int(dataset),
            method,
            "",
            DIALS[dial],
            int(steps),
            int(rank),
            float(rate),
            word,
            private=private == "1",
        )
        return order, int(code)
    except (ValueError, KeyError) as old:
        raise UserError("card_old") from old


def coded(base: str) -> int:
    """Write a base's name as a number: names may be long."""
    return zlib.crc32(base.encode())


def based(order: Order, code: int, catalog: Catalog) -> Order:
    """Find the base again that a number means."""
    for base in catalog.bases:
        if coded(base.name) == code:
            return replace(order, base=base.name)
    raise UserError("base_unknown", base="…")
