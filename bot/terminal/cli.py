"""The `safelight` command. Trainings run in a child process, so nothing here imports torch."""

from __future__ import annotations

import argparse
import asyncio
import io
import logging
import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

from bot import wording
from bot.settings import BotSettings
from bot.terminal import backup, encryption, progress
from bot.terminal.progress import STOPPED_EXIT_CODE
from storage.backup.folder import check_mounted
from storage.errors import UserError
from storage.flags import FlagParser
from storage.folders import Home
from storage.records import Dial
from storage.refusals import exit_code
from storage.settings import read_settings
from storage.signals import list_heeded

#: Commands that `python -m training` runs; it knows their options.
TRAINING_COMMANDS = (
    "train", "advise", "sample", "grid", "caption", "check", "evaluate", "compare", "sweep",
    "pack", "bases", "inspect", "shrink", "export", "promote",
)  # fmt: skip
CLOSED_EXIT_CODE = 141  #: that shells give for SIGPIPE: nobody reads any more


def make_parser() -> argparse.ArgumentParser:
    """Return the parser of the commands; those of the training are parsed in its own process."""
    parser = FlagParser(
        "safelight", description=wording.shell.PROGRAM, epilog=wording.shell.EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )  # fmt: skip
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for name, text in wording.shell.COMMANDS.items():
        commands.add_parser(name, help=text, description=text)
    demo = commands.choices["demo"]
    demo.add_argument("--port", type=int, default=0, help=wording.shell.PORT)
    demo.add_argument("--no-browser", action="store_true", help=wording.shell.NO_BROWSER)
    demo.add_argument("--autoplay", type=Path, metavar="OUT", help=wording.shell.AUTOPLAY)
    demo.add_argument(
        "--dial", choices=[*Dial], default=Dial.BALANCED, help=wording.shell.AUTOPLAY_DIAL
    )
    encryption.add_arguments(commands.choices["encrypt"])
    backup.add_arguments(commands.choices["backup"], commands.choices["restore"])
    return parser


def run_bot() -> int:
    """Run the bot and the scheduler; raise UserError without a token."""
    from bot.terminal import supervisor  # noqa: PLC0415 (each command loads its own)

    settings = read_settings(BotSettings)
    if settings.token is None:
        raise UserError("token_missing")
    check_mounted(Home(settings.home), settings.backup)
    with supervisor.holding(Home(settings.home)):
        return asyncio.run(run_processes(settings))


async def run_processes(settings: BotSettings) -> int:
    """Run bot and scheduler, with a backup every night."""
    from bot.terminal.nightly import nightly_backups  # noqa: PLC0415 (each command loads its own)
    from bot.terminal.supervisor import PROCESSES, supervise  # noqa: PLC0415 (each command loads its own)

    async with nightly_backups(settings):
        return await supervise(PROCESSES)


def run_doctor() -> int:
    """Check the setup and print what is found."""
    from bot.terminal.doctor import run_checks  # noqa: PLC0415 (each command loads its own)

    return asyncio.run(run_checks())


def run_demo(given: argparse.Namespace) -> int:
    """Serve the demo, or play it through."""
    if given.autoplay is not None:
        from bot.demo.autoplay import autoplay  # noqa: PLC0415 (each command loads its own)

        return autoplay(given.autoplay, Dial(given.dial))
    from bot.demo.live import serve_demo  # noqa: PLC0415 (each command loads its own)

    return asyncio.run(serve_demo(given.port, browser=not given.no_browser))


def run_command(arguments: Sequence[str]) -> int:
    """Run the command that the arguments name and return its exit code."""
    command = next(iter(arguments), "-")
    if not command.startswith("-") and command not in wording.shell.COMMANDS:
        raise UserError("command_unknown", command=command, choices=list(wording.shell.COMMANDS))
    if command in TRAINING_COMMANDS:
        return progress.run_training_command(arguments)
    if command == "node":  # it runs until it is stopped, and prints no events
        os.execv(sys.executable, [sys.executable, "-m", "training", *arguments])  # noqa: S606
    given = make_parser().parse_args(arguments)
    runs = {
        "demo": run_demo,
        "backup": backup.run_backup,
        "restore": backup.run_restore,
        "encrypt": encryption.run_encrypt,
    }
    if given.command in runs:
        return runs[given.command](given)
    return {"run": run_bot, "doctor": run_doctor}[given.command]()


def run_and_flush(arguments: Sequence[str]) -> int:
    """Run a command; raise BrokenPipeError if nobody reads to the end what it prints."""
    try:
        return run_command(arguments)
    finally:
        sys.stdout.flush()


def make_output_lenient() -> None:
    """Print a question mark where a file's name has bytes that are no letters."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; print a UserError as a sentence; return the exit code."""
    logging.basicConfig(level=logging.WARNING, format="%(message)s")
    logging.getLogger("discord").setLevel(logging.ERROR)  # it warns that it cannot speak
    if list_heeded(signal.SIGINT):
        signal.signal(signal.SIGINT, signal.default_int_handler)
    make_output_lenient()
    try:
        return run_and_flush(sys.argv[1:] if arguments is None else arguments)
    except BrokenPipeError:  # of `safelight inspect FILE | head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return CLOSED_EXIT_CODE
    except UserError as error:
        sys.stderr.write(wording.explain_in_shell(error) + "\n")
        return exit_code(error)
    except KeyboardInterrupt:
        return STOPPED_EXIT_CODE


if __name__ == "__main__":
    sys.exit(main())
