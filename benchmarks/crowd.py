"""People on the offline Discord who do not wait for each other, and when each was answered."""

from __future__ import annotations

import asyncio
import io
import random
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from PIL import Image

if TYPE_CHECKING:
    from bot.demo.discordish import World

SIDES = (4000, 3000)  #: of a photo with 12 megapixels


class Ears(list[Any]):
    """The offline Discord's list of requests, which also notes when each answer came."""

    def __init__(self, known: list[Any]) -> None:
        super().__init__(known)
        self.asked: dict[int, tuple[str, float]] = {}
        self.heard: dict[int, float] = {}

    def append(self, entry: Any, /) -> None:
        """Hear a request; the first callback of an interaction is its acknowledgement."""
        parts = entry.path.strip("/").split("/")
        if parts[0] == "interactions" and parts[-1] == "callback":
            self.heard.setdefault(int(parts[1]), time.perf_counter())
        super().append(entry)

    def ask(self, record: Any) -> None:
        """Note what is asked, just before the bot hears of it."""
        self.asked[record.id] = (record.command_name or "form or button", time.perf_counter())

    def waits(self) -> dict[str, list[float]]:
        """Give the seconds until each answer, by command; one that never came is infinite."""
        found: dict[str, list[float]] = {}
        for number, (name, asked) in self.asked.items():
            found.setdefault(name, []).append(self.heard.get(number, float("inf")) - asked)
        return found


@contextmanager
def crowd(world: World) -> Iterator[Ears]:
    """Let commands be sent while others are still at work, as on the real Discord.

    simcord waits after each command until the bot is at rest; inside the block it does not.
    """
    env: Any = world.env
    ears = Ears(env.backend.http_requests)
    before, env.backend.http_requests = env.backend.http_requests, ears
    env._dispatch_observers.append(ears.ask)  # noqa: SLF001  # simcord has no other way
    env._settle_internal = at_once  # noqa: SLF001
    try:
        yield ears
    finally:
        del env._settle_internal  # noqa: SLF001
        env._dispatch_observers.remove(ears.ask)  # noqa: SLF001
        env.backend.http_requests = before


async def at_once(**_: Any) -> None:
    """Wait for nothing."""
    await asyncio.sleep(0)


def photo(seed: int) -> bytes:
    """Take a photo of 12 megapixels: a grainy blur of colours, some three megabytes as JPEG."""
    draws = random.Random(seed)  # noqa: S311  # a picture
    blur = Image.effect_noise((40, 30), 90).resize(SIDES, Image.Resampling.BICUBIC)
    grain = Image.effect_noise((SIDES[0] // 2, SIDES[1] // 2), 24).resize(SIDES)
    tint = Image.new("L", SIDES, draws.randrange(256))
    out = io.BytesIO()
    Image.merge("RGB", (blur, Image.blend(blur, grain, 0.5), tint)).save(out, "JPEG", quality=90)
    return out.getvalue()
