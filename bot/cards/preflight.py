"""The pre-flight card: what a training will be, before it is started."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import discord
from discord import ui

from bot import wording
from bot.actions import channels, delivery, training
from bot.actions.permissions import check_daily_quota, check_role
from bot.actions.training import TrainingOrder
from bot.card import Card
from bot.cards.components import WORDS, Button, defer_update, edit, open_modal, row, text
from bot.cards.job import COLOURS
from bot.cards.order_id import based, read, written
from bot.cards.training_options import SWITCHES, OptionsForm
from bot.wording import fill, format_count, format_size, say
from storage.records import Optimizer, Status

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from bot.actions.training import Preview
    from bot.bot import Bot, Interaction
    from bot.card import Item


async def preflight_card(
    interaction: Interaction,
    order: TrainingOrder,
    words: Iterable[str] = (),
    controls: Iterable[Item] = (),
) -> Card:
    """Weigh an order and lay out what comes of it; further words and controls come last."""
    bot = interaction.client
    await check_role(interaction, "train")
    await check_daily_quota(interaction)
    preview = await training.preview(bot, order, interaction.user.id, interaction.guild_id or 0)
    card = Card(colour=COLOURS[Status.RUNNING])
    card.add(text(title_line(preview)))
    card.add(text(*fact_lines(bot, interaction.guild, preview)))
    if remarks := [*words, *reason_lines(preview), *option_lines(preview)]:
        card.add(text(*remarks))
    return card.add(row(Start(order), More(order), *controls, Leave()))


def title_line(preview: Preview) -> str:
    """Say what is asked for."""
    plan = preview.plan
    return say(
        wording.training.TITLE,
        name=" + ".join(each.name for each in (preview.dataset, *preview.others)),
        method=preview.method,
        base=preview.base.title,
        dial=wording.training.DIALS[plan.dial],
    )


def fact_lines(bot: Bot, guild: discord.Guild | None, preview: Preview) -> Iterator[str]:
    """Say photos, steps, time, place and file, a line each."""
    plan = preview.plan
    yield say(wording.training.PHOTOS, photos=format_count(len(preview.photos), "photo"))
    warned = sum(bool(photo.warnings) for photo in preview.photos)
    if warned:
        yield say(wording.training.WARNED, photos=format_count(warned, "photo"))
    if plan.seconds:
        template = wording.training.STEPS_LIKE if plan.timed_like else wording.training.STEPS
        took = wording.format_duration(plan.seconds)
        yield say(
            template, steps=plan.steps, time=took, device=preview.device, like=preview.timed_like
        )
    else:
        yield say(wording.training.STEPS_FIRST, steps=plan.steps)
    if plan.memory_mib and preview.memory:
        fits = plan.memory_mib <= preview.memory
        template = wording.training.MEMORY if fits else wording.training.MEMORY_TIGHT
        sizes = {"need": plan.memory_mib / 1024, "whole": preview.memory / 1024}
        yield fill(template, **sizes)
    if plan.num_class_images:
        yield say(
            wording.training.CLASS, pictures=plan.num_class_images, word=preview.order.class_word
        )
    yield (
        say(wording.training.PLACE, place=preview.place) if preview.place else wording.training.NOW
    )
    yield file_line(
        plan.file_bytes, delivery.max_file_bytes(guild, bot.settings.upload), link=bot.web.public
    )
    if not plan.rank and bot.settings.full_model_days:
        yield say(wording.training.KEPT, days=bot.settings.full_model_days)


def file_line(size: int, most: int, *, link: str | None) -> str:
    """Say how large the file will be, and how it will be handed over."""
    template = wording.training.FILE_LINK if link else wording.training.FILE_HAND
    if size <= most:
        template = wording.training.FILE
    return fill(template, size=format_size(size), limit=format_size(most))


def reason_lines(preview: Preview) -> Iterator[str]:
    """Say why the numbers are as they are."""
    if "chosen" in preview.plan.reasons:
        yield wording.training.CHOSEN


def option_lines(preview: Preview) -> Iterator[str]:
    """Say what is special about it."""
    base = preview.base
    options = preview.order.options
    used = [each.label for name, each in SWITCHES.items() if name in options]
    if preview.order.optimizer is not Optimizer.ADAMW:
        used.append(wording.training.OPTIMIZERS[preview.order.optimizer])
    if options.get("dropout"):
        used.append(fill(wording.training.DROPPED, part=options["dropout"]))
    if used:
        yield fill(wording.training.USED, options="; ".join(used))
    if preview.order.private:
        yield wording.training.PRIVATE
    if base.small:
        yield say(wording.training.SMALL, base=base.title, side=base.resolution)


class OrderButton(Button):
    """A button in which a whole order stands."""

    order: TrainingOrder
    code: int  #: of the base's name

    def __init__(self, order: TrainingOrder) -> None:
        button: ui.Button[Any] = ui.Button(
            label=self.label, style=self.style, custom_id=f"{self.verb}:{written(order)}"
        )
        ui.DynamicItem.__init__(self, button)
        self.order = order

    def recall(self, written: str) -> None:
        """Read the order from the button."""
        self.order, self.code = read(written)


class Start(OrderButton, verb="plan:start", tail=WORDS):
    """Put the training into the queue."""

    label, style = wording.training.START, discord.ButtonStyle.success

    async def press(self, interaction: Interaction) -> None:
        """Look at everything once more, then queue it and post its card."""
        await defer_update(interaction)
        bot, guild = interaction.client, interaction.guild_id or 0
        await check_role(interaction, "train")
        await check_daily_quota(interaction)
        order = based(self.order, self.code, await bot.store.catalog.read())
        preview = await training.preview(bot, order, interaction.user.id, guild)
        channel = await channels.find_training_channel(interaction, private=order.private)
        job = await training.queue_training(bot, preview, guild, channel)
        await bot.jobs.show(job.id)
        posted = await bot.store.jobs.get(job.id)
        said = say(wording.training.STARTED, name=preview.dataset.name, job=job.id)
        where = say(wording.training.WHERE, channel=posted.channel)
        await edit(interaction, Card(text(said, where)))


class More(OrderButton, verb="plan:more", tail=WORDS):
    """Open the form for what else a training may do."""

    label = wording.training.MORE

    async def press(self, interaction: Interaction) -> None:
        """Open the form."""
        store = interaction.client.store
        order = based(self.order, self.code, await store.catalog.read())
        await open_modal(
            interaction, MoreForm(order, await store.datasets.list_for(interaction.user.id))
        )


class MoreForm(OptionsForm):
    """The form; filled in, the card is weighed anew."""

    async def submit(self, interaction: Interaction) -> None:
        """Show what the training would be now."""
        await defer_update(interaction)
        await edit(interaction, await preflight_card(interaction, self.chosen()))


class Leave(Button, verb="plan:leave"):
    """Start nothing."""

    label = wording.training.NOT_NOW

    async def press(self, interaction: Interaction) -> None:
        """Say that nothing was started."""
        await defer_update(interaction)
        await edit(interaction, Card(text(wording.training.LEFT)))
