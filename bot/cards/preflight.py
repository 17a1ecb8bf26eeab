"""The pre-flight card: what a training will be, before it is started."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import ClassVar

import discord

from bot import wording
from bot.actions import channels, delivery
from bot.actions.framing import Crops
from bot.actions.order import TrainingOrder, load_draft
from bot.actions.permissions import check_daily_quota, check_role, refusing_duplicates
from bot.actions.sweeping import can_sweep
from bot.actions.training import Preview, list_unattested, preview_training, queue_training
from bot.bot import Bot, Interaction
from bot.card import Card, Item
from bot.cards.captions import cut_line
from bot.cards.components import Button, Select, defer_update, edit, open_modal, row, text
from bot.cards.dataset_text import show_trigger
from bot.cards.job import COLOURS
from bot.cards.seen import SeenCard
from bot.cards.sweep import Sweep
from bot.cards.training_options import (
    OptionsForm,
    StepsForm,
    base_options,
    describe_option,
    dial_options,
)
from bot.wording import fill, format_count, format_size, join_words, say
from storage.crops import MUCH_CUT
from storage.errors import UserError
from storage.options import MIN_TO_HOLD_OUT, options_table
from storage.planning.verdicts import count_different
from storage.records import Dataset, Dial, Optimizer, Photo, Status

FIND_RATE, HOLD_OUT = "find_learning_rate", "folds"  #: the options
FOLDS = 3  #: parts of the photos
MAX_REASONS = 3  #: on a card, for method, base and numbers together


async def preflight_card(
    interaction: Interaction,
    order: TrainingOrder,
    words: Iterable[str] = (),
    controls: Iterable[Item] = (),
) -> Card:
    """Return the card of an order: what it comes to, further lines, and further buttons."""
    bot, owner = interaction.client, interaction.user.id
    await check_role(interaction, "train")
    await check_daily_quota(interaction)
    preview = await preview_training(bot, order, owner, interaction.guild_id or 0)
    card = SeenCard(colour=COLOURS[Status.RUNNING])
    card.add(text(title_line(preview)))
    card.add(text(*fact_lines(bot, interaction.guild, preview)))
    await card.add_seen(bot, preview)
    await card.add_variations(bot, preview)
    cut = await cut_line(preview.base, show_triggers(preview))
    told = [*words]
    if len(told) < MAX_REASONS:  # else the advisor gives his
        told += reason_lines(preview)
    if remarks := [cut] * bool(cut) + [*told, *option_lines(preview)]:
        card.add(text(*remarks))
    draft = await bot.store.drafts.add(owner, order.to_json())
    card.add(row(DialSelect(draft, options=dial_options(order))))
    if len(preview.bases) > 1:
        card.add(row(BaseSelect(draft, options=base_options(order, preview.bases))))
    card.add(row(Start(draft), Adjust(draft), More(draft), *controls, Leave()))
    if tries := [*list_tries(order, draft, preview)]:
        card.add(row(*tries))
    return card


def list_tries(order: TrainingOrder, draft: int, preview: Preview) -> Iterator[Item]:
    """Yield the buttons of what a thorough training may try before it begins."""
    if order.dial is not Dial.THOROUGH:
        return
    if order.optimizer is not Optimizer.PRODIGY:
        yield FindRate(draft, using=bool(order.options.get(FIND_RATE)))
    few = FOLDS <= len(preview.photos) < MIN_TO_HOLD_OUT and len(preview.datasets) == 1
    if few and preview.plan.rank:
        yield HoldOut(draft, using=bool(order.options.get(HOLD_OUT)))
    if can_sweep(preview):
        yield Sweep(draft)


def show_triggers(preview: Preview) -> list[Photo]:
    """Return the photos with their captions as the training reads them."""
    datasets = {dataset.id: dataset for dataset in preview.datasets}
    return [show_trigger(photo, datasets[photo.dataset]) for photo in preview.photos]


def title_line(preview: Preview) -> str:
    """Return the datasets, method, base and dial."""
    plan = preview.plan
    return say(
        wording.training.TITLE,
        name=" + ".join(each.name for each in preview.datasets),
        method=preview.method.title,
        base=preview.base.title,
        dial=wording.training.DIALS[plan.dial],
    )


def fact_lines(bot: Bot, guild: discord.Guild | None, preview: Preview) -> Iterator[str]:
    """Yield photos, steps, time, memory, place and file, a line each."""
    plan = preview.plan
    yield from photo_lines(preview)
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
    yield from class_lines(preview)
    place = say(wording.training.PLACE, place=preview.place)
    yield place if preview.place else wording.training.STARTS_NOW
    yield file_line(
        plan.file_bytes,
        delivery.max_file_bytes(guild, bot.settings.upload_mib),
        link=bot.web.public,
        small_copy=preview.method.small_copy,
    )
    if not plan.rank and bot.settings.full_model_days:
        yield say(wording.training.MODEL_DAYS, days=bot.settings.full_model_days)


def photo_lines(preview: Preview) -> Iterator[str]:
    """Yield how many photos there are, and what is to be said of some."""
    yield say(wording.training.PHOTOS, photos=format_count(len(preview.photos), "photo"))
    if same := len(preview.photos) - count_different(preview.photos):
        yield say(wording.dataset.SAME_SHOTS, same=format_count(same, "photo"))
    warned = sum(bool(photo.warnings) and not photo.accepted for photo in preview.photos)
    if warned:
        yield say(wording.training.PHOTOS_WITH_WARNINGS, photos=format_count(warned, "photo"))
    cut = sum(Crops(preview.base).box(photo).cut > MUCH_CUT for photo in preview.photos)
    if cut:
        yield say(wording.training.PHOTOS_CUT, photos=format_count(cut, "photo"))


def class_lines(preview: Preview) -> Iterator[str]:
    """Yield what is there for prior preservation."""
    plan = preview.plan
    if plan.num_class_images:
        yield say(
            wording.training.CLASS, pictures=plan.num_class_images, word=preview.order.class_word
        )
    if preview.class_set:
        yield say(
            wording.training.CLASS_PHOTOS,
            photos=format_count(len(preview.class_set.photos), "photo"),
            word=preview.order.class_word,
            name=preview.class_set.dataset.name,
        )


def file_line(size: int, most: int, *, link: str | None, small_copy: bool) -> str:
    """Return the file's size, and how it will be delivered."""
    said = wording.training
    without_link = said.FILE_SMALL if small_copy else said.FILE_HAND
    template = said.FILE if size <= most else said.FILE_LINK if link else without_link
    return fill(template, size=format_size(size), limit=format_size(most))


def reason_lines(preview: Preview) -> Iterator[str]:
    """Yield why the dial chose these numbers, and who measured or published them."""
    plan = preview.plan
    if "chosen" in plan.reasons:
        yield wording.training.OWN_NUMBERS
        return
    for code in plan.reasons:
        yield fill(
            wording.training.REASONS[code],
            steps=f"{plan.steps:,}",
            photos=format_count(plan.counted, "photo"),
            dial=wording.training.DIALS[plan.dial],
        )
    if plan.source:
        yield say(wording.training.SOURCE, source=plan.source)


def option_lines(preview: Preview) -> Iterator[str]:
    """Yield the options used, and what is special about the training."""
    used = [
        describe_option(option, preview.order.options[option.name])
        for option in options_table()
        if option.name in preview.order.options
    ]
    if used:
        yield fill(wording.training.WITH_OPTIONS, options="; ".join(used))
    if own := preview.order.sample_prompts:
        yield say(wording.training.OWN_PROMPTS, prompts=[f"“{each}”" for each in own])
    if preview.order.private:
        yield wording.training.PRIVATE


class Start(Button, verb="plan:start"):
    """Put the training into the queue."""

    label, style = wording.training.START, discord.ButtonStyle.success

    async def press(self, interaction: Interaction) -> None:
        """Check everything once more, then queue the training and post its card, once."""
        await defer_update(interaction)
        with refusing_duplicates(interaction, "train"):
            await self.start(interaction)

    async def start(self, interaction: Interaction) -> None:
        """Check everything, and queue the training unless people have to be asked about."""
        bot, guild = interaction.client, interaction.guild_id or 0
        await check_role(interaction, "train")
        await check_daily_quota(interaction)
        order = await load_draft(interaction, TrainingOrder, self.number(0))
        preview = await preview_training(bot, order, interaction.user.id, guild)
        if unattested := list_unattested(bot, preview):
            await self.ask(interaction, unattested)
            return
        channel = await channels.find_training_channel(interaction, private=order.private)
        job = await queue_training(bot, preview, guild, channel)
        await bot.jobs.show(job.id)
        posted = await bot.store.jobs.get(job.id)
        said = say(wording.training.STARTED, name=preview.datasets[0].name, job=job.id)
        where = say(wording.training.WHERE, channel=posted.channel)
        await edit(interaction, Card(text(said, where)))

    async def ask(self, interaction: Interaction, datasets: list[Dataset]) -> None:
        """Ask whether the people in photos agree."""
        names = join_words([each.name for each in datasets])
        asked = text(say(wording.training.ATTEST_ASK, names=names))
        await edit(interaction, Card(asked, row(Attest(self.number(0)), Leave())))


class Attest(Start, verb="plan:attest"):
    """Attest that the people in the photos agree, and put the training into the queue."""

    label, style = wording.training.ATTEST, discord.ButtonStyle.primary

    async def press(self, interaction: Interaction) -> None:
        order = await load_draft(interaction, TrainingOrder, self.number(0))
        for number in (order.dataset, *order.other_datasets):
            await interaction.client.store.datasets.attest(number, interaction.user.id)
        await super().press(interaction)


class More(Button, verb="plan:more"):
    """Open the form of more options."""

    label = wording.training.MORE

    async def press(self, interaction: Interaction) -> None:
        order = await load_draft(interaction, TrainingOrder, self.number(0))
        store = interaction.client.store
        datasets = await store.datasets.list_for(interaction.user.id)
        base = (await store.catalog.read()).get_base(order.base)
        small = base is not None and base.small
        await open_modal(interaction, MoreForm(order, datasets, small=small))


class MoreForm(OptionsForm):
    """The form of more options; once filled in, the card is made anew."""

    async def submit(self, interaction: Interaction) -> None:
        await defer_update(interaction)
        await edit(interaction, await preflight_card(interaction, self.read_order()))


class Change(Button, verb="plan:change"):
    """Show an order's own card, on which dial, base, steps and prompts can be changed."""

    label = wording.training.CHANGE

    async def press(self, interaction: Interaction) -> None:
        await defer_update(interaction)
        order = await load_draft(interaction, TrainingOrder, self.number(0))
        await edit(interaction, await preflight_card(interaction, order))


class DialSelect(Select, verb="plan:dial"):
    """Choose how long to train; own steps give way to the dial's."""

    placeholder = wording.training.DIAL_HINT

    async def press(self, interaction: Interaction) -> None:
        await defer_update(interaction)
        order = await load_draft(interaction, TrainingOrder, self.number(0))
        if self.value not in [*Dial]:
            raise UserError("card_old")
        changed = replace(order, dial=Dial(self.value), steps=0)
        await edit(interaction, await preflight_card(interaction, changed))


class BaseSelect(Select, verb="plan:base"):
    """Choose what to start from; own numbers were for the other base."""

    placeholder = wording.training.BASE_HINT

    async def press(self, interaction: Interaction) -> None:
        await defer_update(interaction)
        order = await load_draft(interaction, TrainingOrder, self.number(0))
        changed = replace(order, base=self.value, steps=0, learning_rate=0.0)
        await edit(interaction, await preflight_card(interaction, changed))


class Adjust(Button, verb="plan:adjust"):
    """Open the form of steps and sample prompts."""

    label = wording.training.ADJUST

    async def press(self, interaction: Interaction) -> None:
        await open_modal(
            interaction, AdjustForm(await load_draft(interaction, TrainingOrder, self.number(0)))
        )


class Try(Button):
    """Try something before the training, or leave it out again."""

    option: ClassVar[str]
    value: ClassVar[object] = True
    undo: ClassVar[str]  #: its label while it is used

    def __init__(self, *numbers: int, using: bool) -> None:
        super().__init__(*numbers, label=self.undo if using else "")

    async def press(self, interaction: Interaction) -> None:
        await defer_update(interaction)
        order = await load_draft(interaction, TrainingOrder, self.number(0))
        options = {name: value for name, value in order.options.items() if name != self.option}
        if self.option not in order.options:
            options[self.option] = self.value
        await edit(interaction, await preflight_card(interaction, replace(order, options=options)))


class FindRate(Try, verb="plan:rate"):
    """Look for the learning rate first, or take the usual one again."""

    label, undo, option = wording.training.FIND_RATE, wording.training.USUAL_RATE, FIND_RATE


class HoldOut(Try, verb="plan:folds"):
    """Hold a part of the photos out in turn first, or train on all of them alone again."""

    label, undo, option = wording.training.FOLDS, wording.training.NO_FOLDS, HOLD_OUT
    value = FOLDS


class AdjustForm(StepsForm):
    """The form of steps and sample prompts; once filled in, the card is made anew."""

    async def submit(self, interaction: Interaction) -> None:
        await defer_update(interaction)
        await edit(interaction, await preflight_card(interaction, self.read_order()))


class Leave(Button, verb="plan:leave"):
    """Start nothing, and confirm it."""

    label = wording.training.NOT_NOW

    async def press(self, interaction: Interaction) -> None:
        await defer_update(interaction)
        await edit(interaction, Card(text(wording.training.NOT_STARTED)))
