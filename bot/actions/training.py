"""What a member wants trained: weighed for the pre-flight card, then put into the queue."""

from __future__ import annotations

import asyncio
import secrets
from dataclasses import asdict, dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

from bot.actions.delivery import limit
from bot.actions.photos import LEAST
from storage import disk, names
from storage.errors import UserError
from storage.planning.plan import plan, rate, together
from storage.records import Dial, Kind, NewJob, Optimizer, Status
from storage.requests import Further, TrainRequest
from storage.tables.durations import Gait, foretold

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bot.bot import Bot
    from storage.records import Base, Catalog, Dataset, Job, Method, Photo, Plan

STEPS = (1, 20_000)
RATE = (1e-7, 0.1)
FACTOR = (0.01, 10)  #: of the rate that Prodigy finds
DROPOUT = (0, 0.9)
PRIOR = (1, 1000)
OFFSET, SILENCE = (
    0.05,
    0.1,
)  #: of noise, as SDXL was taught; of captions, as Ho and Salimans have it
MORE = 2  #: further datasets: their numbers travel in a button, too
#: of the bytes of a whole model's file, what its training takes on the disk: two checkpoints of
#: fp32 weights with two moments and an average, and the file
ROOM = 17
WORD = 20  #: letters of a class word: it travels in a button


@dataclass(frozen=True, slots=True)
class Order:
    """What was asked for; zero and nothing mean: as the dial says."""

    dataset: int
    method: str
    base: str
    dial: Dial = Dial.BALANCED
    steps: int = 0
    rank: int = 0
    rate: float = 0.0
    word: str = ""
    private: bool = False
    also: tuple[int, ...] = ()  #: further datasets, each a concept of its own
    optimizer: Optimizer = Optimizer.ADAMW
    shuffle: bool = False
    masked: bool = False
    dropout: float = 0.0
    offset: bool = False  #: noise offset
    silence: bool = False  #: captions that are dropped
    prior: int = -1  #: class pictures; less than none: as the dial says


@dataclass(frozen=True, slots=True)
class Prospect:
    """What a training will be."""

    order: Order
    dataset: Dataset
    photos: Sequence[Photo]
    others: Sequence[Dataset]  #: further concepts
    plan: Plan
    base: Base
    device: str
    place: int  #: in the queue; 0 starts at once
    memory: int = 0  #: MiB of the GPU; 0 without one


async def weigh(bot: Bot, order: Order, owner: int, guild: int) -> Prospect:
    """Work out what an order means, or say why it cannot be."""
    store = bot.store
    dataset = await store.datasets.get(order.dataset, owner)
    photos = await store.photos.of(dataset.id, owner)
    enough(dataset, len(photos))
    catalog = await store.catalog.read()
    weighed = partial(
        plan, catalog, method=order.method, base=order.base, dial=order.dial, rank=order.rank
    )
    first = weighed(concept=dataset.concept, photos=len(photos))
    sensible(order, method(catalog, order.method))
    beside = await further(bot, order, owner)
    others = [other for other, _ in beside]
    more = [weighed(concept=other.concept, photos=len(theirs)) for other, theirs in beside]
    photos += [photo for _, theirs in beside for photo in theirs]
    if order.masked and not await asyncio.to_thread(store.photos.shaped, photos):
        raise UserError("mask_missing")
    planned = chosen(together(first, more), order, method(catalog, order.method))
    apart((dataset, *others), planned.prior)
    if planned.prior and not order.word:
        raise UserError("word_missing")
    found = base(catalog, order.base)
    gait = Gait.of(catalog.device, found, planned, dataset.concept, order)
    planned = foretold(await store.paces.all(), gait, planned, concepts=1 + len(others))
    server = await store.servers.get(guild)
    if server.minutes and planned.seconds > server.minutes * 60 and not planned.like:
        minutes = round(planned.seconds / 60)
        raise UserError("minutes_over", minutes=minutes, most=server.minutes)
    disk.roomy(bot.settings, 0 if planned.rank else ROOM * planned.bytes // disk.MIB)
    disk.fair(bot.settings, await taken(bot, owner), planned.bytes)
    place = await waiting(bot)
    return Prospect(
        order, dataset, photos, others, planned, found, catalog.device, place, catalog.memory
    )


async def further(bot: Bot, order: Order, owner: int) -> list[tuple[Dataset, list[Photo]]]:
    """Find the further datasets of an order, with their photos."""
    found = []
    for number in order.also:
        dataset = await bot.store.datasets.get(number, owner)
        photos = await bot.store.photos.of(number, owner)
        enough(dataset, len(photos))
        found.append((dataset, photos))
    return found


async def queue(bot: Bot, prospect: Prospect, guild: int, channel: int) -> Job:
    """Put a training into the queue; `channel` is where its card will be."""
    order, dataset, planned = prospect.order, prospect.dataset, prospect.plan
    request = TrainRequest(
        method=order.method,
        base=order.base,
        name=dataset.name,
        trigger=dataset.trigger,
        concept=dataset.concept,
        dial=order.dial,
        steps=planned.steps,
        rank=planned.rank,
        rate=planned.rate,
        batch=planned.batch,
        seed=secrets.randbelow(1 << 31),
        word=order.word,
        prior=planned.prior,
        optimizer=order.optimizer,
        shuffle=order.shuffle,
        masked=order.masked,
        dropout=order.dropout,
        offset=OFFSET * order.offset,
        silence=SILENCE * order.silence,
        further=tuple(Further(each.id, each.trigger, each.concept) for each in prospect.others),
        most=0 if bot.web.public else limit(bot.get_guild(guild), bot.settings.upload),
        bytes=planned.bytes,
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


def enough(dataset: Dataset, photos: int) -> None:
    """Refuse to train on next to nothing."""
    if not photos:
        raise UserError("no_photos")
    if photos < LEAST:
        raise UserError("few_photos", name=dataset.name, photos=photos, least=LEAST)


def method(catalog: Catalog, name: str) -> Method:
    """Return a method that there is a plan for."""
    return next(found for found in catalog.methods if found.name == name)


def sensible(order: Order, taking: Method) -> None:
    """Refuse options that the method does not take."""
    within("dropout", order.dropout, DROPOUT)
    if order.dropout and not taking.dropout:
        raise UserError("dropout_method", method=order.method)
    if order.also and taking.word:
        raise UserError("concepts_method", method=order.method)
    if order.rank and not any(taking.ranks):
        raise UserError("rank_method", method=order.method)
    if order.optimizer is Optimizer.PRODIGY and taking.paces:
        raise UserError("optimizer_paces", optimizer=order.optimizer, method=order.method)


def apart(datasets: Sequence[Dataset], prior: int) -> None:
    """Refuse concepts that cannot be told apart, or that class pictures cannot all be of."""
    if len({each.trigger.lower() for each in datasets}) < len(datasets):
        raise UserError("trigger_twice")
    if prior and len(datasets) > 1:
        raise UserError("prior_concepts")


def chosen(planned: Plan, order: Order, taking: Method) -> Plan:
    """Put the member's own numbers in the place of the dial's."""
    within("steps", order.steps, STEPS)
    within("rank", order.rank, taking.ranks)
    within("rate", order.rate, FACTOR if order.optimizer is Optimizer.PRODIGY else RATE)
    within("prior", max(order.prior, 0), PRIOR)
    if order.word and len(names.word(order.word)) > WORD:
        raise UserError("trigger_bad", most=WORD)
    own = order.steps or order.rank or order.rate
    return replace(
        planned,
        steps=order.steps or planned.steps,
        rate=order.rate or rate(planned.rate, order.optimizer),
        prior=planned.prior if order.prior < 0 else order.prior,
        reasons=(*planned.reasons, "chosen") if own else planned.reasons,
    )


def within(what: str, value: float, limits: tuple[float, float]) -> None:
    """Refuse a number outside its limits; zero is the dial's own."""
    least, most = limits
    if value and not least <= value <= most:
        raise UserError(f"{what}_range", value=value, least=least, most=most)


def base(catalog: Catalog, name: str) -> Base:
    """Return a base that is here."""
    for found in catalog.bases:
        if found.name == name:
            if found.lack:
                raise UserError(found.lack, **found.facts)
            return found
    raise UserError("base_unknown", base=name)


async def taken(bot: Bot, owner: int) -> int:
    """Sum up the bytes of a member's styles, those that are still to be trained included."""
    return await bot.store.styles.room(owner) + await bot.store.jobs.planned(owner)


async def waiting(bot: Bot) -> int:
    """Return the place a new training would get; 0 when nothing is before it."""
    jobs = [job for job in await bot.store.jobs.open() if job.kind is Kind.TRAIN]
    queued = sum(job.status is Status.QUEUED for job in jobs)
    running = any(job.status is Status.RUNNING for job in jobs)
    return queued + 1 if queued or running else 0
