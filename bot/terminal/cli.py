"""`safelight`: the one command. What trains runs in a child; nothing here imports torch."""

from __future__ import annotations

import argparse
import asyncio
import logging
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from bot import wording
from bot.settings import BotSettings
from bot.terminal import progress
from storage.errors import UserError
from storage.settings import read_settings

if TYPE_CHECKING:
    from collections.abc import Sequence

#: Commands of `python -m training`, which knows their options.
TRAINING = (
    "train", "advise", "sample", "caption", "bases", "inspect", "shrink", "export", "promote",
)  # fmt: skip


def parser() -> argparse.ArgumentParser:
    """Say which commands there are."""
    whole = argparse.ArgumentParser("safelight", description=wording.shell.PROGRAM)
    commands = whole.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for name, told in wording.shell.COMMANDS.items():
        commands.add_parser(name, help=told, description=told, add_help=name not in TRAINING)
    demo = commands.choices["demo"]
    demo.add_argument("--port", type=int, default=0, help=wording.shell.PORT)
    demo.add_argument("--no-browser", action="store_true", help=wording.shell.NO_BROWSER)
    demo.add_argument("--autoplay", type=Path, metavar="OUT", help=wording.shell.AUTOPLAY)
    return whole


def run() -> int:
    """Run the bot and the trainer, if there is a token to be a bot with."""
    from bot.terminal.supervisor import PROCESSES, supervise  # noqa: PLC0415 (each command loads its own)

    if read_settings(BotSettings).token is None:
        raise UserError("token_missing")
    return asyncio.run(supervise(PROCESSES))


def doctor() -> int:
    """Look after everything."""
    from bot.terminal.doctor import visit  # noqa: PLC0415 (each command loads its own)

    return asyncio.run(visit())


def demo(chosen: argparse.Namespace) -> int:
    """Show the demo, or let it play itself."""
    if chosen.autoplay is not None:
        from bot.demo.autoplay import play  # noqa: PLC0415 (each command loads its own)

        return play(chosen.autoplay)
    from bot.demo.live import show  # noqa: PLC0415 (each command loads its own)

    return asyncio.run(show(chosen.port, browser=not chosen.no_browser))


def obey(arguments: Sequence[str]) -> int:
    """Do what the arguments say and return the exit code."""
    command = next(iter(arguments), "-")
    if not command.startswith("-") and command not in wording.shell.COMMANDS:
        raise UserError("command_unknown", command=command, choices=list(wording.shell.COMMANDS))
    whole = parser()
    chosen, rest = whole.parse_known_args(arguments)
    if chosen.command in TRAINING:
        return progress.work([chosen.command, *rest])
    if rest:
        whole.error(f"unrecognized arguments: {' '.join(rest)}")
    if chosen.command == "demo":
        return demo(chosen)
    return {"run": run, "doctor": doctor}[chosen.command]()


def main(arguments: Sequence[str] | None = None) -> int:
    """Obey; a foreseen end is a sentence and exit code 2."""
    logging.basicConfig(level=logging.WARNING, format="%(message)s")
    logging.getLogger("discord").setLevel(logging.ERROR)  # it warns that it cannot speak
    try:
        return obey(sys.argv[1:] if arguments is None else arguments)
    except UserError as error:
        sys.stderr.write(wording.explain_in_shell(error) + "\n")
        return 2
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(main())
