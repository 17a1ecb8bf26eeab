"""Trainings: an order is planned and checked for its card, then queued."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from typing import NamedTuple

from bot import wording
from bot.actions.delivery import max_file_bytes
from bot.actions.framing import find_missing_framings
from bot.actions.order import TrainingOrder
from bot.bot import Bot
from storage import disk, limits, names, options
from storage.crops import FramedBy
from storage.errors import UserError
from storage.limits import check_range
from storage.photos.faces import can_find_faces
from storage.places import find_place, name_for_timings, name_place
from storage.planning.durations import TimingKey, estimate_duration
from storage.planning.plan import Plan, combine_plans, optimizer_learning_rate, plan_training
from storage.planning.prompts import check_own_prompts
from storage.planning.readiness import MIN_PHOTOS
from storage.planning.verdicts import count_different, judge_photo
from storage.records import (
    Base,
    Catalog,
    Dataset,
    Job,
    Kind,
    Method,
    NewJob,
    Optimizer,
    Photo,
    Status,
)
from storage.requests import OtherDataset, TrainRequest

#: Bytes that training a whole model takes on the disk for each byte of its file: two checkpoints
#: of fp32 weights with two moments and an average, and the file.
FULL_TRAINING_FACTOR = 17


class ClassSet(NamedTuple):
    """A dataset whose photos show others of the same kind, for prior preservation."""

    dataset: Dataset
    photos: Sequence[Photo]


@dataclass(frozen=True, slots=True)
class Preview:
    """What a training will be, for its card."""

    order: TrainingOrder
    datasets: Sequence[Dataset]  #: a concept each; the style is named after the first
    photos: Sequence[Photo]  #: of all datasets
    plan: Plan
    method: Method
    timed_like: str  #: the title of the method whose runs tell the time
    base: Base
    device: str
    place: int  #: in the queue; 0 starts at once
    memory: int = 0  #: MiB of the GPU; 0 without one
    class_set: ClassSet | None = None
    bases: Sequence[Base] = ()  #: that it can be trained on


async def preview_training(bot: Bot, order: TrainingOrder, owner: int, guild: int) -> Preview:
    """Return what an order comes to; raise UserError if it cannot be trained."""
    concepts = await find_concepts(bot, order, owner)
    datasets = [dataset for dataset, _ in concepts]
    photos = [photo for _, photos in concepts for photo in photos]
    catalog = await read_catalog(bot, owner, guild, (order.dataset, *order.other_datasets))
    await check_here(bot, catalog, order.base)
    plan = plan_by_dial(catalog, order, concepts)
    method = find_method(catalog, order.method)
    check_options(order, method)
    check_numbers(order, method)
    check_own_prompts(order.sample_prompts, UserError)
    await check_masks(bot, order, photos)
    class_set = await find_class_set(bot, order, owner)
    plan = apply_overrides(plan, order)
    check_concepts(datasets, order, prior=bool(class_set or plan.num_class_images))
    base = find_base(catalog, order.base)
    runs_on = find_place(catalog, base.name)
    device = name_for_timings(catalog, runs_on.device)
    key = TimingKey.from_training(device, base, plan, datasets[0].concept, order.options)
    durations = await bot.store.durations.read_all()
    plan = estimate_duration(durations, key, plan, concepts=len(concepts))
    await check_limits(bot, plan, owner, guild)
    place = await place_in_queue(bot)
    like = catalog.method_title(plan.timed_like)
    device, memory = name_place(catalog, runs_on), runs_on.memory_mib
    bases = list_bases(catalog, order.method)
    return Preview(
        order, datasets, photos, plan, method, like, base, device, place, memory, class_set, bases
    )


async def read_catalog(bot: Bot, owner: int, guild: int, datasets: Sequence[int]) -> Catalog:
    """Return what can be trained where the photos of datasets may go."""
    stays = await bot.store.staying.would_stay(owner, guild, datasets)
    here = await bot.store.catalog.read(home=True) if stays else Catalog()
    return here if here.places else await bot.store.catalog.read()


async def find_concepts(
    bot: Bot, order: TrainingOrder, owner: int
) -> list[tuple[Dataset, list[Photo]]]:
    """Return the datasets of an order with their photos; all must be the member's own."""
    found = []
    for number in (order.dataset, *order.other_datasets):
        dataset = await bot.store.datasets.get(number, owner)
        photos = await bot.store.photos.list_for(number, owner)
        check_photo_count(dataset, len(photos))
        if not bot.settings.allow_explicit:
            check_explicit(dataset, photos)
        found.append((dataset, await find_missing_framings(bot, photos)))
    return found


async def find_class_set(bot: Bot, order: TrainingOrder, owner: int) -> ClassSet | None:
    """Return the dataset of class photos of an order, which teaches nothing itself."""
    if not order.class_dataset:
        return None
    dataset = await bot.store.datasets.get(order.class_dataset, owner)
    if dataset.id in {order.dataset, *order.other_datasets}:
        raise UserError("class_photos_same", name=dataset.name)
    photos = await bot.store.photos.list_for(dataset.id, owner)
    if not photos:
        raise UserError("class_photos_none", name=dataset.name)
    return ClassSet(dataset, await find_missing_framings(bot, photos))


def plan_by_dial(
    catalog: Catalog, order: TrainingOrder, concepts: Sequence[tuple[Dataset, Sequence[Photo]]]
) -> Plan:
    """Return the plan that the dial makes, with the steps of all concepts."""
    first, *others = [
        plan_training(
            catalog,
            method=order.method,
            base=order.base,
            dial=order.dial,
            rank=order.rank,
            concept=dataset.concept,
            photos=len(photos),
            different=count_different(photos),
        )
        for dataset, photos in concepts
    ]
    return combine_plans(first, others)


async def check_masks(bot: Bot, order: TrainingOrder, photos: Sequence[Photo]) -> None:
    """Raise UserError if transparency shall be ignored or filled, and no photo has any."""
    masked, filled = (order.options.get(name) for name in ("masked_loss", "random_backgrounds"))
    if not (masked or filled) or await asyncio.to_thread(bot.store.photos.any_transparent, photos):
        return
    if filled:
        raise UserError("transparent_missing")
    if not any(photo.masked for photo in photos):
        raise UserError("mask_missing")


async def check_limits(bot: Bot, plan: Plan, owner: int, guild: int) -> None:
    """Raise UserError if a training takes more time or space than the server or operator allows.

    A time that was estimated from another kind of training refuses nothing.
    """
    server = await bot.store.servers.get(guild)
    if server.minutes and plan.seconds > server.minutes * 60 and not plan.timed_like:
        minutes = round(plan.seconds / 60)
        raise UserError("minutes_over", minutes=minutes, most=server.minutes)
    needed = 0 if plan.rank else FULL_TRAINING_FACTOR * plan.file_bytes // disk.MIB
    disk.check_disk_space(bot.settings, needed)
    disk.check_member_quota(bot.settings, await count_style_bytes(bot, owner), plan.file_bytes)


async def queue_training(bot: Bot, preview: Preview, guild: int, channel: int) -> Job:
    """Queue a training and return the job; `channel` is where its card will be posted."""
    request, dataset = make_request(bot, preview, guild), preview.datasets[0]
    place = dataset.owner, guild, channel
    new = NewJob(Kind.TRAIN, *place, asdict(request), request.base, dataset.id)
    return await bot.store.jobs.queue(replace(new, private=preview.order.private))


def make_request(bot: Bot, preview: Preview, guild: int) -> TrainRequest:
    """Return the request of a training with a random seed."""
    order, plan, (dataset, *others) = preview.order, preview.plan, preview.datasets
    upload_limit = max_file_bytes(bot.get_guild(guild), bot.settings.upload_mib)
    return TrainRequest(
        method=order.method,
        base=order.base,
        name=dataset.name,
        trigger=dataset.trigger,
        concept=dataset.concept,
        dial=order.dial,
        steps=plan.steps,
        rank=plan.rank,
        learning_rate=plan.learning_rate,
        batch_size=plan.batch_size,
        seed=secrets.randbelow(1 << 31),
        class_word=order.class_word,
        num_class_images=plan.num_class_images,
        options=dict(order.options),
        other_datasets=tuple(list_others(others, preview.class_set)),
        max_file_bytes=0 if bot.web.public else upload_limit,
        file_bytes=plan.file_bytes,
        sample_prompts=order.sample_prompts,
    )


def list_others(concepts: Sequence[Dataset], class_set: ClassSet | None) -> Iterator[OtherDataset]:
    """Yield the further datasets of a request: concepts, and class photos."""
    for each in concepts:
        yield OtherDataset(each.id, each.trigger, each.concept)
    if class_set:
        dataset = class_set.dataset
        yield OtherDataset(dataset.id, dataset.trigger, dataset.concept, class_photos=True)


def check_explicit(dataset: Dataset, photos: Sequence[Photo]) -> None:
    """Raise UserError if any photo looks explicit; a person may know better, the operator."""
    names = wording.verdicts.name_photos(len(photos))
    refused = [n for n, photo in zip(names, photos, strict=True) if judge_photo(photo).refused]
    if refused:
        raise UserError("photos_explicit", name=dataset.name, photos=refused)


def list_unattested(bot: Bot, preview: Preview) -> list[Dataset]:
    """Return the datasets that may show people whose consent has yet to be attested.

    That is only asked with the operator's switch, where faces were found or cannot be looked for,
    and again for photos that came later.
    """
    if not bot.settings.attest_people:
        return []
    shown = [
        (photo.dataset, photo.created)
        for photo in preview.photos
        if not can_find_faces() or photo.found_framing.by is FramedBy.FACE
    ]
    return [
        dataset
        for dataset in preview.datasets
        if any(number == dataset.id and created > (dataset.attested or 0)
               for number, created in shown)
    ]  # fmt: skip


def check_photo_count(dataset: Dataset, photos: int) -> None:
    """Raise UserError if a dataset has fewer than MIN_PHOTOS photos."""
    if not photos:
        raise UserError("no_photos")
    if photos < MIN_PHOTOS:
        raise UserError("few_photos", name=dataset.name, photos=photos, least=MIN_PHOTOS)


def find_method(catalog: Catalog, name: str) -> Method:
    """Return a method of the catalog; there is a plan for it already."""
    return next(found for found in catalog.methods if found.name == name)


def check_options(order: TrainingOrder, taking: Method) -> None:
    """Raise UserError for options that the method does not take."""
    options.check_options(order.options, UserError)
    if order.options.get("dropout") and not taking.dropout:
        raise UserError("dropout_method", method=order.method)
    if order.other_datasets and taking.learns_word:
        raise UserError("concepts_method", method=order.method)
    if order.rank and not any(taking.ranks):
        raise UserError("rank_method", method=order.method)
    if order.optimizer is Optimizer.PRODIGY and order.options.get("find_learning_rate"):
        raise UserError("rate_prodigy")
    if order.optimizer is Optimizer.PRODIGY and taking.own_rates:
        raise UserError("optimizer_paces", optimizer=order.optimizer, method=order.method)


def check_numbers(order: TrainingOrder, method: Method) -> None:
    """Raise UserError for a number or class word of the member's that is not allowed."""
    prodigy = order.optimizer is Optimizer.PRODIGY
    for name, between in (
        ("steps", limits.STEPS),
        ("rank", method.ranks),
        ("learning_rate", limits.PRODIGY_FACTOR if prodigy else limits.LEARNING_RATE),
    ):
        if getattr(order, name):
            check_range(name, getattr(order, name), between, UserError)
    check_range("class images", max(order.num_class_images, 0), limits.CLASS_IMAGES, UserError)
    if order.class_word:
        names.clean_trigger(order.class_word)


def check_concepts(datasets: Sequence[Dataset], order: TrainingOrder, *, prior: bool) -> None:
    """Raise UserError for concepts that cannot be told apart or share no class."""
    if len(datasets) > limits.MAX_CONCEPTS:
        raise UserError("concepts_many", count=len(datasets), most=limits.MAX_CONCEPTS)
    if len({each.trigger.lower() for each in datasets}) < len(datasets):
        raise UserError("trigger_twice")
    if prior and len(datasets) > 1:
        raise UserError("prior_concepts")
    if prior and not order.class_word:
        raise UserError("word_missing")


def apply_overrides(plan: Plan, order: TrainingOrder) -> Plan:
    """Return a plan with the numbers that the member chose in place of the dial's."""
    chosen, images = order.steps or order.rank or order.learning_rate, order.num_class_images
    if order.class_dataset:  # its photos are there in place of drawn ones
        images = max(images, 0)
    learning_rate = optimizer_learning_rate(plan.learning_rate, order.optimizer)
    return replace(
        plan,
        steps=order.steps or plan.steps,
        learning_rate=order.learning_rate or learning_rate,
        num_class_images=images if images >= 0 else plan.num_class_images,
        reasons=(*plan.reasons, "chosen") if chosen else plan.reasons,
    )


def list_bases(catalog: Catalog, method: str) -> list[Base]:
    """List the installed bases that a method can train."""
    trained = {rule.base for rule in catalog.rules if rule.method == method}
    return [each for each in catalog.bases if each.name in trained and not each.missing_code]


def find_base(catalog: Catalog, name: str) -> Base:
    """Return a base that is installed; raise UserError for another."""
    found = catalog.find_base(name)
    if found.missing_code:
        raise UserError(found.missing_code, **found.missing_facts)
    return found


async def check_here(bot: Bot, catalog: Catalog, name: str) -> None:
    """Raise UserError if only a machine that photos may not go to has a base."""
    found = catalog.get_base(name)
    if found is None or not found.present:
        elsewhere = (await bot.store.catalog.read()).get_base(name)
        if elsewhere is not None and elsewhere.present:
            raise UserError("base_elsewhere", base=elsewhere.title)


async def count_style_bytes(bot: Bot, owner: int) -> int:
    """Return the bytes of a member's styles with their checkpoints, and of open trainings'."""
    store = bot.store
    kept = await store.checkpoints.sum_bytes(owner)
    return await store.styles.sum_bytes(owner) + await store.jobs.sum_planned_bytes(owner) + kept


async def place_in_queue(bot: Bot) -> int:
    """Return the place that a new training would get in the queue; 0 starts at once."""
    jobs = [job for job in await bot.store.jobs.list_open() if job.kind is Kind.TRAIN]
    queued = sum(job.status is Status.QUEUED for job in jobs)
    running = any(job.status is Status.RUNNING for job in jobs)
    return queued + 1 if queued or running else 0
