"""Measure the memory of the bot, the scheduler and a worker after they have started."""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import psutil

from benchmarks import machine, table
from benchmarks.speed.service import running_service

BOT, SCHEDULER = 150.0, 80.0  #: MiB
SETTLED = 5.0  #: seconds after the start
MIB = 2**20
#: A bot with the offline Discord in its process; it runs until its stdin ends.
CHILD = """
import asyncio, sys
from pathlib import Path
from bot.__main__ import make_bot
from bot.demo.world import run_world
from bot.settings import BotSettings

async def main():
    bot = make_bot(BotSettings(_env_file=None, home=Path(sys.argv[1]), token=None, min_free_mib=0))
    async with run_world(bot):
        print("ready", flush=True)
        await asyncio.to_thread(sys.stdin.read)
    await bot.close_features()

asyncio.run(main())
"""


def read_resident(process: psutil.Process) -> float:
    """Return a process's resident memory in MiB, without its children's."""
    size: float = process.memory_info().rss / MIB
    return size


async def measure_bot(place: Path) -> float:
    """Start a bot and return its memory in MiB."""
    child = await asyncio.create_subprocess_exec(
        sys.executable, "-c", CHILD, str(place),
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    if child.stdin is None or child.stdout is None:
        raise RuntimeError("the bot has no pipes")
    if (await child.stdout.readline()).strip() != b"ready":
        raise RuntimeError("the bot did not start")
    await asyncio.sleep(SETTLED)
    size = read_resident(psutil.Process(child.pid))
    child.stdin.close()
    await child.wait()
    return size


async def measure_training(place: Path) -> tuple[float, float]:
    """Start a scheduler with its worker and return the memory of both in MiB."""
    async with running_service(place) as running:
        await asyncio.sleep(SETTLED)
        (scheduler,) = [
            child
            for child in psutil.Process().children()
            if child.cmdline()[1:] == ["-m", "training"]
        ]
        files = list(running.store.home.workers.glob("*/handle.json"))
        workers = [measure_worker(file) for file in files]
        return read_resident(scheduler), max(workers)


def measure_worker(process_file: Path) -> float:
    """Return the memory of a worker, in MiB."""
    return read_resident(psutil.Process(json.loads(process_file.read_text("utf-8"))["pid"]))


async def measure(place: Path) -> list[table.Row]:
    """Measure every process."""
    for name in ("bot", "training"):
        (place / name).mkdir()
    bot_size = await measure_bot(place / "bot")
    scheduler_size, worker_size = await measure_training(place / "training")
    return [
        table.at_most("bot, with the offline Discord in its process", bot_size, BOT, "MiB"),
        table.at_most("scheduler", scheduler_size, SCHEDULER, "MiB"),
        table.figure("worker, torch loaded, no base yet", worker_size, "MiB"),
    ]


def main() -> int:
    """Print the table."""
    machine.parse_arguments(__doc__ or "")
    with TemporaryDirectory() as place:
        return table.print_table(asyncio.run(measure(Path(place))))


if __name__ == "__main__":
    sys.exit(main())
