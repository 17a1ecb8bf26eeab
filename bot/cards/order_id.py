"""An order written into the custom id of a button, so that it outlives every process."""

from __future__ import annotations

import zlib
from dataclasses import replace
from typing import TYPE_CHECKING

from bot.actions.training import Order
from storage.errors import UserError
from storage.records import Dial, Optimizer

if TYPE_CHECKING:
    from storage.records import Catalog

DIALS = {dial[0]: dial for dial in Dial}
OPTIMIZERS = list(Optimizer)
DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"
FLAGS = ("private", "shuffle", "masked", "silence", "offset")


def written(order: Order) -> str:
    """Write an order, at most 80 characters for all ids that a server will ever have."""
    flags = sum(getattr(order, flag) << bit for bit, flag in enumerate(FLAGS))
    parts = (
        short(order.dataset),
        order.method,
        order.dial[0],
        order.steps,
        order.rank,
        f"{order.rate:g}",
        flags,
        order.word,
        short(coded(order.base)),
        OPTIMIZERS.index(order.optimizer),
        round(order.dropout * 100),
        "" if order.prior < 0 else order.prior,
        ".".join(map(short, order.also)),
    )
    return ":".join(map(str, parts))


def read(written: str) -> tuple[Order, int]:
    """Read an order, and the code of its base."""
    try:
        dataset, method, dial, steps, rank, rate, flags, word, code, *options = written.split(":")
        optimizer, dropout, prior, also = options
        order = Order(
            int(dataset, 36),
            method,
            "",
            DIALS[dial],
            int(steps),
            int(rank),
            float(rate),
            word,
            **{flag: bool(int(flags) >> bit & 1) for bit, flag in enumerate(FLAGS)},
            optimizer=OPTIMIZERS[int(optimizer)],
            dropout=int(dropout) / 100,
            prior=int(prior) if prior else -1,
            also=tuple(int(number, 36) for number in also.split(".") if number),
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


def based(order: Order, code: int, catalog: Catalog) -> Order:
    """Find the base again that a number means."""
    for base in catalog.bases:
        if coded(base.name) == code:
            return replace(order, base=base.name)
    raise UserError("base_unknown", base="…")
