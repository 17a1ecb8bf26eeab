"""An order written into the custom id of a button, so that it outlives every process."""

from __future__ import annotations

import zlib
from dataclasses import replace
from typing import TYPE_CHECKING

from bot.actions.training import TrainingOrder
from storage.errors import UserError
from storage.options import options_table
from storage.records import Dial, Optimizer

if TYPE_CHECKING:
    from storage.records import Catalog

DIALS = {dial[0]: dial for dial in Dial}
OPTIMIZERS = list(Optimizer)
DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"
SWITCHES = [option for option in options_table() if option.switch is not None]


def written(order: TrainingOrder) -> str:
    """Write an order, at most 80 characters for all ids that a server will ever have."""
    switched = [order.private, *(each.name in order.options for each in SWITCHES)]
    flags = sum(on << bit for bit, on in enumerate(switched))
    parts = (
        short(order.dataset),
        order.method,
        order.dial[0],
        order.steps,
        order.rank,
        f"{order.learning_rate:g}",
        flags,
        order.class_word,
        short(coded(order.base)),
        OPTIMIZERS.index(order.optimizer),
        round(order.options.get("dropout", 0) * 100),
        "" if order.num_class_images < 0 else order.num_class_images,
        ".".join(map(short, order.other_datasets)),
    )
    return ":".join(map(str, parts))


def read(written: str) -> tuple[TrainingOrder, int]:
    """Read an order, and the code of its base."""
    try:
        dataset, method, dial, steps, rank, rate, flags, word, code, *options = written.split(":")
        optimizer, dropout, prior, also = options
        order = TrainingOrder(
            int(dataset, 36),
            method,
            "",
            DIALS[dial],
            int(steps),
            int(rank),
            float(rate),
            word,
            private=bool(int(flags) & 1),
            options={
                each.name: each.switch
                for bit, each in enumerate(SWITCHES, 1)
                if int(flags) >> bit & 1
            }
            | ({"optimizer": OPTIMIZERS[int(optimizer)]} if int(optimizer) else {})
            | ({"dropout": int(dropout) / 100} if int(dropout) else {}),
            num_class_images=int(prior) if prior else -1,
            other_datasets=tuple(int(number, 36) for number in also.split(".") if number),
        )
        return order, int(code, 36)
    except (ValueError, KeyError, IndexError) as old:
        raise UserError("card_old") from old


def short(number: int) -> str:
    """Write a number in as few letters as `int(…, 36)` reads."""
    rest, last = divmod(number, 36)
    return (short(rest) if rest else "") + DIGITS[last]


def coded(base: str) -> int:
    """Write a base's name as a number: names may be long."""
    return zlib.crc32(base.encode())


def based(order: TrainingOrder, code: int, catalog: Catalog) -> TrainingOrder:
    """Find the base again that a number means."""
    for base in catalog.bases:
        if coded(base.name) == code:
            return replace(order, base=base.name)
    raise UserError("base_unknown", base="…")
