"""People on the offline Discord who do not wait for each other, and when each was answered."""

# ruff: noqa: SLF001

from __future__ import annotations

import asyncio
import io
import math
import random
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from PIL import Image
from simcord import _settlement

if TYPE_CHECKING:
    from bot.demo.world import World

SIDES = (4000, 3000)  #: of a photo with 12 megapixels


class AnswerTimes(list[Any]):
    """The offline Discord's list of requests, which also notes when each answer came."""

    def __init__(self, known: list[Any]) -> None:
        super().__init__(known)
        self.commands: dict[int, tuple[str, float]] = {}
        self.answers: dict[int, float] = {}
        self.due = 0.0  #: when the next command was meant to be sent: a late one has waited

    def append(self, entry: Any, /) -> None:
        """Hear a request; the first callback of an interaction is its acknowledgement."""
        parts = entry.path.strip("/").split("/")
        if parts[0] == "interactions" and parts[-1] == "callback":
            self.answers.setdefault(int(parts[1]), time.perf_counter())
        super().append(entry)

    def note_command(self, record: Any) -> None:
        """Note what is asked, just before the bot hears of it."""
        self.commands[record.id] = (record.command_name or "form or button", self.due)

    def list_waits(self) -> dict[str, list[float]]:
        """Give the seconds until each answer, by command; one that never came is infinite."""
        found: dict[str, list[float]] = {}
        for number, (name, asked) in self.commands.items():
            found.setdefault(name, []).append(self.answers.get(number, float("inf")) - asked)
        return found


@contextmanager
def sending_concurrently(world: World) -> Iterator[AnswerTimes]:
    """Let commands be sent while others are still at work, as on the real Discord.

    simcord waits after each command until the bot is at rest; inside the block it only wakes
    what is due. It has no way of its own to do this, so its insides are reached into here.
    """
    env: Any = world.env

    async def wake(**_: Any) -> None:
        _settlement._run_due_virtual_callbacks(env._settlement_state(), math.inf)
        await asyncio.sleep(0)

    ears = AnswerTimes(env.backend.http_requests)
    before, env.backend.http_requests = env.backend.http_requests, ears
    env._dispatch_observers.append(ears.note_command)
    env._settle_internal = wake
    try:
        yield ears
    finally:
        del env._settle_internal
        env._dispatch_observers.remove(ears.note_command)
        env.backend.http_requests = before


def make_photo(seed: int) -> bytes:
    """Take a photo of 12 megapixels: a grainy blur of colours, some three megabytes as JPEG."""
    draws = random.Random(seed)  # noqa: S311  # a picture
    blur = Image.effect_noise((40, 30), 90).resize(SIDES, Image.Resampling.BICUBIC)
    grain = Image.effect_noise((SIDES[0] // 2, SIDES[1] // 2), 24).resize(SIDES)
    tint = Image.new("L", SIDES, draws.randrange(256))
    out = io.BytesIO()
    Image.merge("RGB", (blur, Image.blend(blur, grain, 0.5), tint)).save(out, "JPEG", quality=90)
    return out.getvalue()
