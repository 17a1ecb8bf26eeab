"""What a member wants trained: weighed for the pre-flight card, then put into the queue."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING, Any

from bot.actions.delivery import max_file_bytes
from bot.actions.photos import MIN_PHOTOS
from storage import disk, limits, names, options
from storage.errors import UserError
from storage.limits import check_range
from storage.planning.durations import TimingKey, estimate_duration
from storage.planning.plan import combine_plans, optimizer_learning_rate, plan_training
from storage.records import Dial, Kind, NewJob, Optimizer, Status
from storage.requests import OtherDataset, TrainRequest

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bot.bot import Bot
    from storage.records import Base, Catalog, Dataset, Job, Method, Photo, Plan

MORE = 2  #: further datasets: their numbers travel in a button, too
#: of the bytes of a whole model's file, what its training takes on the disk: two checkpoints of
#: fp32 weights with two moments and an average, and the file
FULL_TRAINING_FACTOR = 17
WORD = 20  #: letters of a class word: it travels in a button


@dataclass(frozen=True, slots=True)
class TrainingOrder:
    """What was asked for; zero and nothing mean: as the dial says."""

    dataset: int
    method: str
    base: str
    dial: Dial = Dial.BALANCED
    steps: int = 0
    rank: int = 0
    learning_rate: float = 0.0
    class_word: str = ""
    private: bool = False
    other_datasets: tuple[int, ...] = ()  #: further datasets, each a concept of its own
    options: Mapping[str, Any] = field(default_factory=dict)  #: `TrainingOptions` that were chosen
    num_class_images: int = -1  #: less than 0: as the dial says

    @property
    def optimizer(self) -> Optimizer:
        """The optimizer that was chosen, or the usual one."""
        return Optimizer(self.options.get("optimizer", Optimizer.ADAMW))


@dataclass(frozen=True, slots=True)
class Preview:
    """What a training will be."""

    order: TrainingOrder
    dataset: Dataset
    photos: Sequence[Photo]
    others: Sequence[Dataset]  #: further concepts
    plan: Plan
    method: str  #: its title
    timed_like: str  #: the title of the method whose runs tell the time
    base: Base
    device: str
    place: int  #: in the queue; 0 starts at once
    memory: int = 0  #: MiB of the GPU; 0 without one


async def preview(bot: Bot, order: TrainingOrder, owner: int, guild: int) -> Preview:
    """Work out what an order means, or say why it cannot be."""
    store = bot.store
    dataset = await store.datasets.get(order.dataset, owner)
    photos = await store.photos.list_for(dataset.id, owner)
    check_photo_count(dataset, len(photos))
    catalog = await store.catalog.read()
    weighed = partial(
        plan_training,
        catalog,
        method=order.method,
        base=order.base,
        dial=order.dial,
        rank=order.rank,
    )
    first = weighed(concept=dataset.concept, photos=len(photos))
    check_options(order, find_method(catalog, order.method))
    beside = await find_other_datasets(bot, order, owner)
    others = [other for other, _ in beside]
    more = [weighed(concept=other.concept, photos=len(theirs)) for other, theirs in beside]
    photos += [photo for _, theirs in beside for photo in theirs]
    if order.options.get("masked_loss") and not await asyncio.to_thread(
        store.photos.any_transparent, photos
    ):
        raise UserError("mask_missing")
    planned = apply_overrides(
        combine_plans(first, more), order, find_method(catalog, order.method)
    )
    check_triggers_differ((dataset, *others), planned.num_class_images)
    if planned.num_class_images and not order.class_word:
        raise UserError("word_missing")
    found = find_base(catalog, order.base)
    gait = TimingKey.from_training(catalog.device, found, planned, dataset.concept, order.options)
    planned = estimate_duration(
        await store.durations.read_all(), gait, planned, concepts=1 + len(others)
    )
    server = await store.servers.get(guild)
    if server.minutes and planned.seconds > server.minutes * 60 and not planned.timed_like:
        minutes = round(planned.seconds / 60)
        raise UserError("minutes_over", minutes=minutes, most=server.minutes)
    disk.check_disk_space(
        bot.settings, 0 if planned.rank else FULL_TRAINING_FACTOR * planned.file_bytes // disk.MIB
    )
    disk.check_member_quota(bot.settings, await count_style_bytes(bot, owner), planned.file_bytes)
    place = await place_in_queue(bot)
    return Preview(
        order,
        dataset,
        photos,
        others,
        planned,
        catalog.method_title(planned.method),
        catalog.method_title(planned.timed_like),
        found,
        catalog.device,
        place,
        catalog.memory_mib,
    )


async def find_other_datasets(
    bot: Bot, order: TrainingOrder, owner: int
) -> list[tuple[Dataset, list[Photo]]]:
    """Find the further datasets of an order, with their photos."""
    found = []
    for number in order.other_datasets:
        dataset = await bot.store.datasets.get(number, owner)
        photos = await bot.store.photos.list_for(number, owner)
        check_photo_count(dataset, len(photos))
        found.append((dataset, photos))
    return found


async def queue_training(bot: Bot, preview: Preview, guild: int, channel: int) -> Job:
    """Put a training into the queue; `channel` is where its card will be."""
    order, dataset, planned = preview.order, preview.dataset, preview.plan
    request = TrainRequest(
        method=order.method,
        base=order.base,
        name=dataset.name,
        trigger=dataset.trigger,
        concept=dataset.concept,
        dial=order.dial,
        steps=planned.steps,
        rank=planned.rank,
        learning_rate=planned.learning_rate,
        batch_size=planned.batch_size,
        seed=secrets.randbelow(1 << 31),
        class_word=order.class_word,
        num_class_images=planned.num_class_images,
        options=dict(order.options),
        other_datasets=tuple(
            OtherDataset(each.id, each.trigger, each.concept) for each in preview.others
        ),
        max_file_bytes=0
        if bot.web.public
        else max_file_bytes(bot.get_guild(guild), bot.settings.upload),
        file_bytes=planned.file_bytes,
    )
    return await bot.store.jobs.queue(
        NewJob(
            Kind.TRAIN,
            dataset.owner,
            guild,
            channel,
            asdict(request),
            order.base,
            dataset=dataset.id,
            private=order.private,
        )
    )


def check_photo_count(dataset: Dataset, photos: int) -> None:
    """Refuse to train on next to nothing."""
    if not photos:
        raise UserError("no_photos")
    if photos < MIN_PHOTOS:
        raise UserError("few_photos", name=dataset.name, photos=photos, least=MIN_PHOTOS)


def find_method(catalog: Catalog, name: str) -> Method:
    """Return a method that there is a plan for."""
    return next(found for found in catalog.methods if found.name == name)


def check_options(order: TrainingOrder, taking: Method) -> None:
    """Refuse options that the method does not take."""
    options.check_options(order.options, UserError)
    if order.options.get("dropout") and not taking.dropout:
        raise UserError("dropout_method", method=order.method)
    if order.other_datasets and taking.learns_word:
        raise UserError("concepts_method", method=order.method)
    if order.rank and not any(taking.ranks):
        raise UserError("rank_method", method=order.method)
    if order.optimizer is Optimizer.PRODIGY and taking.own_rates:
        raise UserError("optimizer_paces", optimizer=order.optimizer, method=order.method)


def check_triggers_differ(datasets: Sequence[Dataset], prior: int) -> None:
    """Refuse concepts that cannot be told apart, or that class pictures cannot all be of."""
    if len({each.trigger.lower() for each in datasets}) < len(datasets):
        raise UserError("trigger_twice")
    if prior and len(datasets) > 1:
        raise UserError("prior_concepts")


def apply_overrides(planned: Plan, order: TrainingOrder, taking: Method) -> Plan:
    """Put the member's own numbers in the place of the dial's."""
    prodigy = order.optimizer is Optimizer.PRODIGY
    rates = limits.PRODIGY_FACTOR if prodigy else limits.LEARNING_RATE
    for name, between in (
        ("steps", limits.STEPS),
        ("rank", taking.ranks),
        ("learning_rate", rates),
    ):
        if getattr(order, name):
            check_range(name, getattr(order, name), between, UserError)
    check_range("class images", max(order.num_class_images, 0), limits.CLASS_IMAGES, UserError)
    if order.class_word and len(names.clean_trigger(order.class_word)) > WORD:
        raise UserError("trigger_bad", most=WORD)
    own = order.steps or order.rank or order.learning_rate
    return replace(
        planned,
        steps=order.steps or planned.steps,
        learning_rate=order.learning_rate
        or optimizer_learning_rate(planned.learning_rate, order.optimizer),
        num_class_images=planned.num_class_images
        if order.num_class_images < 0
        else order.num_class_images,
        reasons=(*planned.reasons, "chosen") if own else planned.reasons,
    )


def find_base(catalog: Catalog, name: str) -> Base:
    """Return a base that is here."""
    found = catalog.find_base(name)
    if found.missing_code:
        raise UserError(found.missing_code, **found.missing_facts)
    return found


async def count_style_bytes(bot: Bot, owner: int) -> int:
    """Sum up the bytes of a member's styles, those that are still to be trained included."""
    return await bot.store.styles.sum_bytes(owner) + await bot.store.jobs.sum_planned_bytes(owner)


async def place_in_queue(bot: Bot) -> int:
    """Return the place a new training would get; 0 when nothing is before it."""
    jobs = [job for job in await bot.store.jobs.list_open() if job.kind is Kind.TRAIN]
    queued = sum(job.status is Status.QUEUED for job in jobs)
    running = any(job.status is Status.RUNNING for job in jobs)
    return queued + 1 if queued or running else 0
