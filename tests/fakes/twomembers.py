"""The demo, in which two members train at once; prints what came, as JSON.

    python -m tests.fakes.twomembers FOLDER WORKERS

It begins once so many workers are here, such as the two of SAFELIGHT_DEVICE=cpu,cpu.
"""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bot import wording
from bot.demo.journey import count_tensors
from bot.demo.messages import message_text
from bot.demo.player import JOB_SECONDS, Player
from bot.demo.stage import open_stage
from bot.demo.world import FRIEND, OWNER
from storage.records import Dial, Job, Kind, Status

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from bot.bot import Bot
    from bot.demo.world import World

STEPS = 16


class Play:
    """Two members, and what is seen of their trainings."""

    def __init__(self, bot: Bot, world: World) -> None:
        self.bot, self.world = bot, world
        self.at_once: list[str] = []  #: the workers that were seen training at the same time

    async def wait(self, ready: Callable[[], Awaitable[bool]]) -> None:
        """Let the world's time pass until a condition holds."""
        async with asyncio.timeout(JOB_SECONDS):
            while not await ready():
                await self.world.wait_until(lambda: False, 0.3)

    async def list_trainings(self) -> dict[str, Job]:
        """Return each member's training."""
        found = {}
        for name, member in self.world.people.items():
            for job in await self.bot.store.jobs.list_for(member.id, limit=9):
                if job.kind is Kind.TRAIN:
                    found[name] = job
        return found

    async def have_ended(self) -> bool:
        """Note who trains now; return whether all are done and their files have come."""
        jobs = await self.list_trainings()
        running = [job.worker for job in jobs.values() if job.status is Status.RUNNING]
        if len(running) > len(self.at_once):
            self.at_once = sorted(map(str, running))
        return len(await self.read_files()) == len(self.world.people)

    async def read_files(self) -> dict[str, int]:
        """Return how many tensors the file has that each member got, by a card that pings them."""
        found = {}
        for message in self.world.messages_for(OWNER):
            for file in message.attachments:
                if file.filename.endswith(".safetensors"):
                    said = message_text(message)
                    (who,) = (n for n, m in self.world.people.items() if f"<@{m.id}>" in said)
                    found[who] = count_tensors(await file.read())
        return found


async def play(home: Path, workers: int) -> dict[str, Any]:
    """Let both press the demo's button; return where each trained, and what files came."""
    async with open_stage(home, STEPS) as (bot, world):
        play = Play(bot, world)

        async def all_here() -> bool:
            return sum(node.here for node in await bot.store.nodes.list()) >= workers

        await play.wait(all_here)
        player = Player(bot, world, home, Dial.QUICK)
        welcome = world.messages_for(OWNER)[0]
        for person in (OWNER, FRIEND):
            await player.press(person, welcome, wording.demo.TRAIN_MASCOT)
        card = (await player.slash(OWNER, "operator nodes")).message
        await play.wait(play.have_ended)
        jobs = await play.list_trainings()
        return {
            "card": message_text(card) if card else "",
            "at_once": play.at_once,
            "ended_on": {who: job.worker for who, job in jobs.items()},
            "tensors": await play.read_files(),
            "faults": [repr(fault) for fault in world.faults],
        }


def main(home: Path, workers: int) -> None:
    """Play on a data folder."""
    home.mkdir(parents=True, exist_ok=True)
    sys.stdout.write(json.dumps(asyncio.run(play(home, workers))) + "\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
