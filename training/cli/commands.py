"""`python -m training train`, `bases`, `inspect`, ...: the commands of the shell.

Each prints its events as lines of JSON on stdout; the last one is terminal, and by then the
results lie in `--out`. No database is opened.
"""

from __future__ import annotations

import time
from argparse import ArgumentParser
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from functools import partial
from typing import Any, NamedTuple

from storage.errors import UserError
from storage.events import Failed, LogEntry
from storage.flags import FlagParser
from storage.options import options_table
from training.cli import arguments, bases, styles
from training.cli.compare import compare
from training.cli.local import LocalJob
from training.cli.output import attempt, print_line
from training.cli.stop import Stop
from training.cli.sweep import sweep
from training.settings import TrainingSettings

FAILED_EXIT_CODE = 1
WRONG_EXIT_CODE = 2  #: of arguments and settings
STOPPED_EXIT_CODE = 130  #: as a shell's for SIGINT
END_CODES = {
    "done": 0,
    "advised": 0,
    "checked": 0,
    "compared": 0,
    "evaluated": 0,
    "packed": 0,
    "swept": 0,
    "paused": STOPPED_EXIT_CODE,
    "cancelled": STOPPED_EXIT_CODE,
}


class Command(NamedTuple):
    """One command."""

    help: str
    arguments: type[Any]  #: the dataclass that the flags fill
    run: Callable[[Any, TrainingSettings], int]  #: returns the exit code
    more_help: Callable[[ArgumentParser], None] | None = None  #: adds what is no flag


def parse(given: Sequence[str]) -> tuple[Command, Any]:
    """Return the command that was given on the shell and its arguments; exit if it is wrong."""
    try:
        values = vars(build_parser().parse_args(given))
    except UserError as wrong:
        print_line(LogEntry(Failed(wrong.code, dict(wrong.facts)), time.time()).to_line())
        raise SystemExit(WRONG_EXIT_CODE) from wrong
    command: Command = values.pop("command")
    if issubclass(command.arguments, arguments.TrainArguments):
        options = {each.name: values.pop(each.name) for each in options_table()}
        values["options"] = {name: v for name, v in options.items() if v is not None}
    return command, command.arguments(**values)


def build_parser() -> ArgumentParser:
    """Return a parser of all commands."""
    parser = FlagParser(
        "training", description="Without a command, the scheduler runs.",
        epilog="worker NAME is started by the scheduler: the worker of one device.",
    )  # fmt: skip
    subparsers = parser.add_subparsers(metavar="COMMAND", required=True)
    for name, command in COMMANDS.items():
        each = subparsers.add_parser(
            name, prog=f"safelight {name}", help=command.help, description=command.help
        )
        arguments.add_flags(each, command.arguments)
        if command.more_help:
            command.more_help(each)
        each.set_defaults(command=command)
    return parser


def run_job(
    task: Callable[[LocalJob, Any], dict[str, Any]], given: Any, settings: TrainingSettings
) -> int:
    """Run a task to its end, or until Ctrl+C; return the exit code."""
    stop = Stop()
    with stop.listening(), ExitStack() as stack:
        job = LocalJob(settings, stop, stack)
        end = attempt(partial(task, job, given))
    print_line(end)
    code = END_CODES.get(end["kind"], FAILED_EXIT_CODE)
    return code or (FAILED_EXIT_CODE if job.left_out else code)


def run_on_file(
    task: Callable[[Any, TrainingSettings], dict[str, Any]], given: Any, settings: TrainingSettings
) -> int:
    """Run a task on one file, whose name the last line has."""
    with Stop().listening():
        line = attempt(partial(task, given, settings))
    print_line({"file": given.file.name} | line)
    return int(line["kind"] == "failed")


def run_bases(given: arguments.BasesArguments, settings: TrainingSettings) -> int:
    """List the bases, or fetch some; one that cannot be fetched does not stop the others."""
    if not given.fetch:
        listing = bases.list_installed(settings)
        print_line({"kind": "bases"} | listing)
        return int(bool(listing["wrong"]))
    code = 0
    for name in given.fetch:
        try:
            with Stop().listening():
                end = attempt(partial(bases.fetch, settings, name, print_line))
        except KeyboardInterrupt:  # what has come is kept; who started this process says so
            return STOPPED_EXIT_CODE
        print_line(end)
        code |= end["kind"] == "failed"
    return code


def run_device(_: arguments.DeviceArguments, settings: TrainingSettings) -> int:
    """Print what torch and the device are."""
    from training.cli.device import describe_device  # noqa: PLC0415 - torch: seconds

    print_line({"kind": "device"} | describe_device(settings))
    return 0


COMMANDS = {
    "train": Command(
        "Train a style on a folder of pictures.",
        arguments.TrainArguments, partial(run_job, LocalJob.train), arguments.describe_methods,
    ),
    "advise": Command(
        "Suggest a method, a base and a dial for a folder of pictures, with reasons.",
        arguments.AdviseArguments, partial(run_job, LocalJob.advise),
    ),
    "sample": Command(
        "Draw pictures, with or without a style.",
        arguments.SampleArguments, partial(run_job, LocalJob.sample),
    ),
    "grid": Command(
        "Draw one picture of many: styles by strengths, or prompts by styles.",
        arguments.GridArguments, partial(run_job, LocalJob.grid),
    ),
    "caption": Command(
        "Write captions for a folder of pictures.",
        arguments.CaptionArguments,
        partial(run_job, LocalJob.caption),
    ),
    "pack": Command(
        "Pack photos and their captions into a zip that other programs can train on.",
        arguments.PackArguments, partial(run_job, LocalJob.pack),
    ),
    "check": Command(
        "Say what is wrong with each photo of a folder, and which are the same shot.",
        arguments.CheckArguments, partial(run_job, LocalJob.check),
    ),
    "evaluate": Command(
        "Grade a style beside its photos, and write a report card.",
        arguments.EvaluateArguments, partial(run_job, LocalJob.evaluate),
    ),
    "compare": Command(
        "Train the same pictures on several bases, or with several methods, and say which is "
        "better.",
        arguments.CompareArguments, partial(run_job, compare), arguments.describe_methods,
    ),
    "sweep": Command(
        "Try several learning rates and ranks on the same pictures, and keep the best style.",
        arguments.SweepArguments, partial(run_job, sweep), arguments.describe_methods,
    ),
    "bases": Command(
        "List the bases to start from, or fetch some.",
        arguments.BasesArguments, run_bases, arguments.add_fetch,
    ),
    "device": Command(
        "Describe torch and the device.",
        arguments.DeviceArguments, run_device,
    ),
    "inspect": Command(
        "Show what a style's file is, and which programs it works in.",
        arguments.InspectArguments,
        partial(run_on_file, styles.inspect),
    ),
    "shrink": Command(
        "Make a smaller copy of a LoRA, and show what is lost.",
        arguments.ShrinkArguments,
        partial(run_on_file, styles.shrink),
    ),
    "export": Command(
        "Convert a hypernetwork (to .pt), a LoRA's word (to an embedding) or a whole model (to a "
        "diffusers folder) for other programs.",
        arguments.ExportArguments,
        partial(run_on_file, styles.export),
    ),
    "promote": Command(
        "Turn a whole model into a base on this machine.",
        arguments.PromoteArguments,
        partial(run_on_file, styles.promote),
    ),
}  # fmt: skip
