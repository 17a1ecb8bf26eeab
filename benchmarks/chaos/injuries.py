"""What is done to the processes of a house, one injury at a time."""

from __future__ import annotations

import asyncio
import os
import random
import signal
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.chaos.crashpoints import CALLS, CrashPoint
from benchmarks.chaos.house import ROLES, House
from storage.records import Status

FIRE_SECONDS = 2.0  #: for an armed process to reach its point; then it is killed where it is
BEYOND_LEASE_SECONDS = 35.0  #: longer than a lease and than a worker may be silent
MAX_LOST_BYTES = 4096  #: of a log's tail that a power cut may take


@dataclass
class Injuries:
    """Chooses injuries by a seed, and counts them."""

    house: House
    draw: random.Random
    done: dict[str, int] = field(default_factory=dict)
    kills_left: int = 0
    armed_post: str = ""
    last_at: float = field(default_factory=time.monotonic)

    def __post_init__(self) -> None:
        self.house.twin.on_post = self.cut_off

    async def injure(self) -> None:
        """Do one injury."""
        ways: dict[str, tuple[float, Callable[[], Awaitable[str]]]] = {
            "kill": (10, self.kill),
            "term": (2, self.terminate),
            "crash point": (6, self.crash_at_a_point),
            "post": (6, self.crash_at_a_post),
            "all at once": (1, self.kill_all),
            "power cut": (1, self.cut_power),
            "freeze": (0.5, self.freeze_shortly),
            "freeze beyond the lease": (0.1, self.freeze_long),
        }
        weights = [weight for weight, _ in ways.values()]
        (chosen,) = self.draw.choices(list(ways), weights)
        what = await ways[chosen][1]()
        if what:
            self.count(what)

    def count(self, what: str) -> None:
        """Count an injury."""
        self.house.note(what)
        self.done[what] = self.done.get(what, 0) + 1
        self.kills_left -= 1
        self.last_at = time.monotonic()

    async def kill(self) -> str:
        """Kill one process."""
        role = self.draw.choice(ROLES)
        return f"SIGKILL {role}" if self.house.send(role, signal.SIGKILL) else ""

    async def terminate(self) -> str:
        """Ask one process to end."""
        role = self.draw.choice(ROLES)
        return f"SIGTERM {role}" if self.house.send(role, signal.SIGTERM) else ""

    async def crash_at_a_point(self) -> str:
        """Have one process die around a rename, link or fsync."""
        role = self.draw.choice(ROLES)
        point = CrashPoint(
            self.draw.choice(CALLS), self.draw.randrange(1, 4), self.draw.random() < 0.5
        )
        points = self.house.crash_points(role)
        points.arm(point)
        deadline = time.monotonic() + FIRE_SECONDS
        while points.file.exists() and time.monotonic() < deadline:
            await asyncio.sleep(0.02)
        if not points.disarm():
            return f"{'after' if point.after else 'before'} {point.call} {role}"
        return f"SIGKILL {role}" if self.house.send(role, signal.SIGKILL) else ""

    async def crash_at_a_post(self) -> str:
        """Have the bot die just before or just after Discord takes a post."""
        self.armed_post = self.draw.choice(("before", "after"))
        deadline = time.monotonic() + FIRE_SECONDS
        while self.armed_post and time.monotonic() < deadline:
            await asyncio.sleep(0.02)
        self.armed_post = ""
        return ""  # `cut_off` counted it

    def cut_off(self, when: str) -> bool:
        """Kill the bot if it is to die now; return whether it was."""
        if self.armed_post != when:
            return False
        self.armed_post = ""
        self.house.send("bot", signal.SIGKILL)
        self.count(f"{when} a post")
        return True

    async def kill_all(self) -> str:
        """Kill everything in one moment."""
        for role in ROLES:
            self.house.send(role, signal.SIGKILL)
        return "SIGKILL all"

    async def cut_power(self) -> str:
        """Kill everything, and lose the end of what was written without fsync."""
        self.house.powered = False
        while any(map(self.house.find, ROLES)):  # the last act of one may start another
            await self.kill_all()
            await asyncio.sleep(0.01)
        for job in await self.house.store.jobs.list_open():
            if job.status is Status.RUNNING:
                self.lose_tail(self.house.home.job_folder(job.folder).events_file)
        self.house.powered = True
        return "power cut"

    def lose_tail(self, log: Path) -> None:
        """Cut off the end of a job's events, unless they were flushed with its ending."""
        if not log.exists():
            return
        content = log.read_bytes()
        last = content[: content.rfind(b"\n") + 1].splitlines()[-1:]
        if not last or b'"fence"' not in last[0]:
            os.truncate(log, max(0, len(content) - self.draw.randrange(MAX_LOST_BYTES)))

    async def freeze_shortly(self) -> str:
        """Stop a process for some seconds."""
        role = self.draw.choice(ROLES)
        return await self.freeze([role], self.draw.uniform(0.5, 6))

    async def freeze_long(self) -> str:
        """Stop a process, or all, beyond the lease."""
        roles = self.draw.choice((["scheduler"], ["bot"], list(ROLES)))
        return await self.freeze(roles, BEYOND_LEASE_SECONDS)

    async def freeze(self, roles: list[str], seconds: float) -> str:
        """Stop processes for a while."""
        stopped = [role for role in roles if self.house.send(role, signal.SIGSTOP)]
        if not stopped:
            return ""
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            self.last_at = time.monotonic()
            await asyncio.sleep(0.1)
        for role in stopped:
            self.house.send(role, signal.SIGCONT)
        names = "all" if len(stopped) > 1 else stopped[0]
        return f"SIGSTOP {names} {'long' if seconds >= BEYOND_LEASE_SECONDS else 'shortly'}"
