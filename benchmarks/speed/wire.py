"""A wire to another machine, as fast as it is told, that loses messages at random."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from typing import Any

from training.scheduler.ferry.remote import LostConnection


class Wire:
    """Loses a share of the messages: on their way, or with the answer after they were obeyed."""

    def __init__(self, cut_share: float = 0.0, seed: int = 0, bytes_a_second: float = 0.0) -> None:
        self.cut_share, self.bytes_a_second = cut_share, bytes_a_second  #: 0 is as fast as it goes
        self.chance = random.Random(seed)  # noqa: S311 - to be repeated
        self.unplugged = False
        self.cut_at = 0  #: the number of a message whose answer is lost; 0 is none
        self.messages = self.sent_bytes = 0

    def carry(self, call: Callable[..., Any], *values: Any) -> Any:
        """Return what a call answers; raise LostConnection if the wire is cut."""
        self.messages += 1
        sent = sum(len(each) for each in values if isinstance(each, bytes))
        self.sent_bytes += sent
        if self.unplugged or self.chance.random() < self.cut_share / 2:
            raise LostConnection("cut before")
        answer = call(*values)
        if self.bytes_a_second:
            back = len(answer) if isinstance(answer, bytes) else 0
            time.sleep((sent + back) / self.bytes_a_second)
        if self.chance.random() < self.cut_share / 2 or self.messages == self.cut_at:
            raise LostConnection("cut after")
        return answer


class Wired:
    """An object whose methods are called over a wire."""

    def __init__(self, target: object, wire: Wire) -> None:
        self._target, self._wire = target, wire

    def __getattr__(self, name: str) -> Callable[..., Any]:
        call = getattr(self._target, name)
        return lambda *values: self._wire.carry(call, *values)
