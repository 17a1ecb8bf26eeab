"""Sweeps: one order with several settings around its usual ones, of which the best goes on."""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from bot import wording
from bot.actions.comparing import check_quota
from bot.actions.order import DraftBody, TrainingOrder
from bot.actions.training import Preview, count_style_bytes, make_request, preview_training
from bot.bot import Bot
from bot.wording import fill
from storage import disk
from storage.errors import UserError
from storage.planning.comparison import count_pictures
from storage.planning.sweep import (
    LEFT_OUT,
    MIN_RECIPES,
    USUAL_COUNT,
    Variant,
    count_steps,
    list_gradings,
    plan_shares,
    propose_variants,
)
from storage.records import Optimizer
from storage.tables.comparisons import Comparison, ComparisonKind, NewComparison, NewEntry


@dataclass(frozen=True, slots=True)
class SweepOrder(DraftBody):
    """A sweep before it is started."""

    training: TrainingOrder
    chosen: tuple[int, ...] = ()  #: places of the recipes among those proposed; none: the usual

    @staticmethod
    def read_fields(body: Mapping[str, Any]) -> dict[str, Any]:
        """Return the fields in a draft's body with their own types."""
        training = TrainingOrder.from_json(body["training"])
        return {"training": training, "chosen": tuple(body["chosen"])}


@dataclass(frozen=True, slots=True)
class SweepPreview:
    """What a sweep will be, for its card."""

    order: SweepOrder
    usual: Preview  #: the training with its usual settings
    proposed: Sequence[Variant]
    previews: Sequence[Preview]  #: of the recipes that are chosen
    chosen: Sequence[int]  #: their places among those proposed

    @property
    def steps(self) -> int:
        """How many steps all of them take together, at most."""
        return count_steps(len(self.chosen), self.usual.plan.steps)

    @property
    def seconds(self) -> float:
        """How long all take, with the pictures that they are graded by; 0 is unknown."""
        plan = self.usual.plan
        graded = sum(count_pictures(each) for each in list_gradings(len(self.chosen)))
        return plan.seconds * self.steps / plan.steps + plan.picture_seconds * graded


async def preview_sweep(bot: Bot, order: SweepOrder, owner: int, guild: int) -> SweepPreview:
    """Return what an order comes to; raise UserError if any part of it cannot be trained."""
    options = order.training.options
    options = {name: value for name, value in options.items() if name not in LEFT_OUT}
    training = replace(order.training, options=options)
    usual = await preview_training(bot, training, owner, guild)
    if not can_sweep(usual):
        raise UserError("sweep_single")
    proposed = propose(usual)
    known = [at for at in order.chosen if at < len(proposed)]
    chosen = known if len(known) >= MIN_RECIPES else [*range(len(proposed))][:USUAL_COUNT]
    orders = [vary(training, proposed[0], proposed[at]) for at in chosen]
    previews = [await preview_training(bot, each, owner, guild) for each in orders]
    bytes_ = sum(each.plan.file_bytes for each in previews)
    disk.check_member_quota(bot.settings, await count_style_bytes(bot, owner), bytes_)
    await check_quota(bot, len(previews), owner, guild)
    return SweepPreview(order, usual, proposed, previews, chosen)


def can_sweep(preview: Preview) -> bool:
    """Return whether other settings of a training can be tried; whole models cannot go on."""
    order = preview.order
    single = preview.plan.rank and not (order.other_datasets or order.class_dataset)
    return bool(single) and len(propose(preview)) >= MIN_RECIPES


def propose(preview: Preview) -> list[Variant]:
    """Return the recipes around a training, its own first."""
    usual = Variant(preview.plan.learning_rate, preview.plan.rank)
    prodigy = preview.order.optimizer is Optimizer.PRODIGY
    return propose_variants(usual, preview.method.ranks, keeps_rate=prodigy)


def vary(order: TrainingOrder, usual: Variant, to: Variant) -> TrainingOrder:
    """Return an order with the numbers of a recipe, where these are not the usual ones."""
    rate = order.learning_rate if to.learning_rate == usual.learning_rate else to.learning_rate
    return replace(
        order, learning_rate=rate, rank=order.rank if to.rank == usual.rank else to.rank
    )


def name_variant(variant: Variant, usual: Variant) -> str:
    """Return what tells a recipe from the others."""
    template = wording.sweep.USUAL if variant == usual else wording.sweep.RECIPE
    return fill(template, rate=f"{variant.learning_rate:.2g}", rank=variant.rank)


async def start_sweep(bot: Bot, preview: SweepPreview, guild: int, channel: int) -> Comparison:
    """Store a sweep; the scheduler trains its rounds, and its card follows.

    All its styles have the dataset's name: only the best one stays.
    """
    dataset, seed = preview.usual.datasets[0], secrets.randbelow(1 << 31)
    entries = [
        NewEntry(
            name_variant(preview.proposed[at], preview.proposed[0]),
            asdict(replace(make_request(bot, each, guild), seed=seed)),
        )
        for at, each in zip(preview.chosen, preview.previews, strict=True)
    ]
    place = dataset.owner, guild, channel, dataset.id, dataset.name
    shares = plan_shares(len(entries))
    return await bot.store.comparisons.add(
        NewComparison(ComparisonKind.SWEEP, *place, entries, shares)
    )
