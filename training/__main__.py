"""`python -m training`: the scheduler; with a command, a worker or one task for a shell."""

from __future__ import annotations

import signal

if __name__ == "__main__" and signal.getsignal(signal.SIGINT) is not signal.SIG_IGN:
    # Ctrl+C while the rest is imported: no traceback
    signal.signal(signal.SIGINT, signal.SIG_DFL)

import asyncio
import io
import json
import logging
import os
import sys
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from storage.disk import explaining_full_disk
from storage.errors import UserError
from storage.folders import Home
from storage.homefolder import Program, hold_home
from storage.photofiles import use_keys
from storage.refusals import exit_code, explain_refusal
from storage.settings import read_settings
from storage.signals import call_on_stop, list_heeded
from training.settings import TrainingSettings

if TYPE_CHECKING:
    from training.cli.arguments import BasesArguments
    from training.scheduler.cluster import Cluster


def main() -> int:
    """Run the scheduler, a worker or a command; return the exit code."""
    # torch's waiting threads sleep, instead of spinning on cores that the bot wants
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    logging.captureWarnings(capture=True)
    level, run = logging.INFO, find_process(sys.argv[1:])
    if run is None:
        from training.cli.commands import parse  # noqa: PLC0415 - the scheduler needs none of this

        command, given = parse(sys.argv[1:])
        level, run = logging.WARNING, partial(command.run, given)
        if getattr(given, "node", ""):
            run = partial(fetch_elsewhere, given)
        if isinstance(sys.stdout, io.TextIOWrapper):  # names of files may have any bytes
            sys.stdout.reconfigure(errors="replace")
    if list_heeded(signal.SIGINT):
        signal.signal(signal.SIGINT, signal.default_int_handler)
    logging.basicConfig(
        level=level, format="{asctime} {levelname:<7} {name}: {message}", style="{"
    )
    try:
        settings = read_settings(TrainingSettings)
        use_keys(settings.read_photo_keys())
        return run(settings)
    except UserError as error:
        sys.stderr.write(f"{explain_refusal(error)}\n")
        return exit_code(error)
    except KeyboardInterrupt:  # a command's; whoever started this process says so
        return 130


def find_process(arguments: list[str]) -> Callable[[TrainingSettings], int] | None:
    """Return the scheduler or a worker to run; None for a command of the shell."""
    match arguments:
        case []:
            return lambda settings: asyncio.run(run_scheduler(settings))
        case ["worker", name]:
            return partial(run_worker, name)
        case ["machines"]:
            return print_machines
        case ["node", *given]:
            return partial(run_node, given)
        case _:
            return None


async def run_scheduler(settings: TrainingSettings) -> int:
    """Run the scheduler until told to stop; return the exit code."""
    from storage.store import Store  # noqa: PLC0415 - a worker never opens the database
    from training.scheduler.local import LocalBackend  # noqa: PLC0415 - the same
    from training.scheduler.scheduler import Scheduler  # noqa: PLC0415 - the same

    home, stop = Home(settings.home), asyncio.Event()
    cluster = open_cluster(home, settings)
    with explaining_full_disk(), hold_home(home, Program.SCHEDULER):
        call_on_stop(stop.set)  # not before: while it waits for room, signals end it at once
        async with await Store.open(home) as store:
            await Scheduler(store, settings, LocalBackend(home), cluster).run(stop)
    return 0


def open_cluster(home: Home, settings: TrainingSettings) -> Cluster | None:
    """Return the other machines; None without SAFELIGHT_HEAD, and then nothing is loaded."""
    if not settings.head:
        return None
    from training.scheduler.ray.cluster import RayCluster  # noqa: PLC0415 - few have it

    return RayCluster(home, settings.head)


def run_node(given: list[str], settings: TrainingSettings) -> int:
    """Run `safelight node` with its arguments; return the exit code."""
    from training.scheduler.ray import command  # noqa: PLC0415 - others need none of this

    return command.run_node(given, settings)


def print_machines(settings: TrainingSettings) -> int:
    """Print, for `safelight doctor`, whether other machines can join this one."""
    from training.scheduler.ray.security import describe_head  # noqa: PLC0415 - few have it

    sys.stdout.write(json.dumps({"kind": "machines", **describe_head(settings.head)}) + "\n")
    return 0


def fetch_elsewhere(given: BasesArguments, settings: TrainingSettings) -> int:
    """Download bases on another machine; return the exit code."""
    from training.scheduler.ray.command import fetch_base  # noqa: PLC0415 - few have it

    return max(fetch_base(settings, given.node, name) for name in given.fetch)


def run_worker(name: str, settings: TrainingSettings) -> int:
    """Run the worker of that name; return the exit code."""
    from training.worker import worker  # noqa: PLC0415 - the scheduler needs none of this
    from training.worker.folder import WorkerFolder  # noqa: PLC0415 - the same

    device = settings.devices.get(name, "auto")
    if device.startswith("cuda:"):
        visible = os.environ.get("CUDA_VISIBLE_DEVICES", "").split(",")
        number = device.removeprefix("cuda:")
        os.environ["CUDA_VISIBLE_DEVICES"] = visible[int(number)] if visible[0] else number
    home = Home(settings.home)

    def open_runtime() -> worker.Runtime:
        from training.worker.runtime import Runtime  # noqa: PLC0415 - torch, once the heart beats

        return Runtime(home.bases, settings, device)

    return worker.serve(
        home, WorkerFolder(home.workers / name), open_runtime, settings.nice, settings.idle_seconds
    )


if __name__ == "__main__":
    sys.exit(main())
