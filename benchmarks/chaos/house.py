"""A data folder with its bot and scheduler, which are started again whenever they end."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

from aiohttp import web

from benchmarks.chaos.crashpoints import CrashPoints
from benchmarks.chaos.discord_twin import DiscordTwin
from benchmarks.chaos.nursery import EXITS, SOCKET, ask_for
from storage.folders import Home
from storage.process import Process, read_birth
from storage.store import Store
from training.worker.folder import WorkerFolder

WORKER = "worker-cpu"
ROLES = ("bot", "scheduler", WORKER)
RESTART_SECONDS = 0.3  #: as a service manager waits
MAX_START_SECONDS = 300.0


class House:
    """The processes of one data folder; the worker is the scheduler's to start."""

    def __init__(self, folder: Path, store: Store, twin: DiscordTwin, nursery: Path) -> None:
        self.folder, self.store, self.twin, self.nursery = folder, store, twin, nursery
        self.home = store.home
        self.environment = {"SAFELIGHT_HOME": str(self.home.path)}
        self.processes: dict[str, Process] = {}
        self.started_at: dict[str, float] = {}
        self.frozen: set[str] = set()
        self.bot_wanted = False
        self.powered = True

    def find(self, role: str) -> Process | None:
        """Return the living process of a role."""
        process = self.processes.get(role)
        if role == WORKER:
            process = WorkerFolder(self.home.workers / "cpu").read_process()
        if process is None or read_birth(process["pid"]) != process["born"]:
            return None
        return process

    def keep(self) -> None:
        """Start what has ended, while there is power."""
        if not self.powered:
            return
        for role in ("scheduler", "bot") if self.bot_wanted else ("scheduler",):
            since = time.monotonic() - self.started_at.get(role, -1e9)
            if self.find(role) is None and since > RESTART_SECONDS:
                known = self.environment
                self.processes[role] = ask_for(self.nursery, self.folder, role, known)
                self.started_at[role] = time.monotonic()

    def send(self, role: str, number: signal.Signals) -> bool:
        """Send a signal to a role; return whether it lived."""
        process = self.find(role)
        if process is None:
            return False
        with suppress(ProcessLookupError):
            os.kill(process["pid"], number)
        return True

    def note(self, what: str) -> None:
        """Write down what was done, with the time, for whoever looks for a cause."""
        with (self.folder / "injuries.log").open("a") as log:
            log.write(f"{time.strftime('%H:%M:%S')} {what}\n")

    def crash_points(self, role: str) -> CrashPoints:
        """Return the file that arms a role."""
        return CrashPoints(self.folder, role)

    def read_exits(self) -> list[tuple[str, int]]:
        """Return the roles that ended by themselves, with their exit codes."""
        path = self.folder / EXITS
        lines = path.read_text().splitlines() if path.exists() else []
        return [(role, int(code)) for role, _, code in map(str.split, lines)]

    def list_processes(self) -> list[int]:
        """Return the processes that work in this folder."""
        found, folder = [], self.folder.resolve()
        for place in Path("/proc").iterdir():
            if place.name.isdigit() and int(place.name) != os.getpid():
                with suppress(OSError):
                    if (place / "cwd").readlink() == folder:
                        found.append(int(place.name))
        return found

    async def stop(self) -> None:
        """Let all end as a service manager would, then kill what is left."""
        for role in ("bot", "scheduler"):
            self.send(role, signal.SIGTERM)
        deadline = time.monotonic() + 30
        while any(map(self.find, ROLES)) and time.monotonic() < deadline:
            await asyncio.sleep(0.1)


@asynccontextmanager
async def open_house(folder: Path, nursery: Path) -> AsyncIterator[House]:
    """Open a data folder in a folder, with a Discord; its processes come from a nursery."""
    (folder / "home").mkdir(parents=True)
    twin = DiscordTwin()
    async with serving(twin) as port, await Store.open(Home(folder / "home")) as store:
        house = House(folder, store, twin, nursery)
        house.environment["CHAOS_DISCORD"] = f"127.0.0.1:{port}"
        try:
            yield house
        finally:
            while left := house.list_processes():  # a scheduler may just have asked for another
                for pid in left:
                    with suppress(ProcessLookupError):
                        os.kill(pid, signal.SIGKILL)
                await asyncio.sleep(0.05)


@asynccontextmanager
async def serving(twin: DiscordTwin) -> AsyncIterator[int]:
    """Serve a Discord on a free port, and yield it."""
    runner = web.AppRunner(twin.app())
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        yield runner.addresses[0][1]
    finally:
        await runner.cleanup()


@asynccontextmanager
async def running_nursery(folder: Path) -> AsyncIterator[Path]:
    """Run a nursery, whose environment all roles inherit; yield its socket."""
    environment = os.environ | {
        "SAFELIGHT_CAPTIONER": "embedded", "HF_HUB_OFFLINE": "1", "SAFELIGHT_DEVICE": "cpu",
        "SAFELIGHT_THREADS_CPU": "1", "SAFELIGHT_CARD_SECONDS": "1", "SAFELIGHT_WEB_PORT": "0",
        "OMP_WAIT_POLICY": "PASSIVE", "DISCORD_TOKEN": "chaos.chaos.chaos", "SAFELIGHT_NICE": "0",
        "SAFELIGHT_DISK_MB": "0", "PYTHONPATH": str(Path.cwd()),
    }  # fmt: skip
    command = [sys.executable, "-m", "benchmarks.chaos.nursery", str(folder)]
    with (folder / "nursery.log").open("wb") as log:
        nursery = await asyncio.create_subprocess_exec(
            *command, cwd=folder, env=environment, stdout=log, stderr=log
        )
    try:
        async with asyncio.timeout(MAX_START_SECONDS):
            while not (folder / SOCKET).exists():
                if nursery.returncode is not None:
                    raise RuntimeError((folder / "nursery.log").read_text())
                await asyncio.sleep(0.1)
        yield folder / SOCKET
    finally:
        with suppress(ProcessLookupError):
            nursery.kill()
        await nursery.wait()
