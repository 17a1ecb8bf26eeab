"""Send commands on the offline Discord concurrently, and time each answer."""

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

SIDES = (4000, 3000)  #: width and height of a photo with 12 megapixels


class AnswerTimes(list[Any]):
    """The offline Discord's list of requests, which also records when each answer came."""

    def __init__(self, known: list[Any]) -> None:
        super().__init__(known)
        self.commands: dict[int, tuple[str, float]] = {}
        self.answers: dict[int, float] = {}
        self.due = 0.0  #: when the next command should have been sent; any delay counts as waiting

    def append(self, entry: Any, /) -> None:
        """Record a request; an interaction's first callback is its acknowledgement."""
        parts = entry.path.strip("/").split("/")
        if parts[0] == "interactions" and parts[-1] == "callback":
            self.answers.setdefault(int(parts[1]), time.perf_counter())
        super().append(entry)

    def note_command(self, record: Any) -> None:
        """Record a command just before the bot receives it."""
        self.commands[record.id] = (record.command_name or "form or button", self.due)

    def list_waits(self) -> dict[str, list[float]]:
        """Return the seconds until each answer, by command; infinite if it never came."""
        waits: dict[str, list[float]] = {}
        for number, (name, due) in self.commands.items():
            waits.setdefault(name, []).append(self.answers.get(number, float("inf")) - due)
        return waits


@contextmanager
def sending_concurrently(world: World) -> Iterator[AnswerTimes]:
    """Let commands be sent while others are still running, as on the real Discord.

    simcord waits after each command until the bot is idle; inside the block it only runs callbacks
    that are due. It has no public setting for this, so its internals are replaced here.
    """
    env: Any = world.env

    async def wake(**_: Any) -> None:
        _settlement._run_due_virtual_callbacks(env._settlement_state(), math.inf)
        await asyncio.sleep(0)

    answer_times = AnswerTimes(env.backend.http_requests)
    original, env.backend.http_requests = env.backend.http_requests, answer_times
    env._dispatch_observers.append(answer_times.note_command)
    env._settle_internal = wake
    try:
        yield answer_times
    finally:
        del env._settle_internal
        env._dispatch_observers.remove(answer_times.note_command)
        env.backend.http_requests = original


def make_photo(seed: int) -> bytes:
    """Return a grainy, blurred photo of 12 megapixels, about three megabytes of JPEG."""
    generator = random.Random(seed)  # noqa: S311  # a picture
    blur = Image.effect_noise((40, 30), 90).resize(SIDES, Image.Resampling.BICUBIC)
    grain = Image.effect_noise((SIDES[0] // 2, SIDES[1] // 2), 24).resize(SIDES)
    tint = Image.new("L", SIDES, generator.randrange(256))
    out = io.BytesIO()
    Image.merge("RGB", (blur, Image.blend(blur, grain, 0.5), tint)).save(out, "JPEG", quality=90)
    return out.getvalue()
