"""`safelight node`: the token of a cluster, and the machines that join it."""

from __future__ import annotations

import re
import sys
from argparse import Namespace
from collections.abc import Sequence

from storage.errors import UserError
from storage.flags import FlagParser
from storage.folders import Home
from training.scheduler.ray import security
from training.settings import HEAD_PATTERN, TrainingSettings

COMMANDS = {
    "token": "print the path of the token, which is to be copied to every machine; make one first",
    "join": "let the main machine, whose SAFELIGHT_HEAD is ADDRESS, run jobs here, until Ctrl+C",
    "leave": "end the join of this data folder",
    "status": "on the main machine: list the workers of the machines that have joined",
}
LEAVING = "safelight node join is leaving, and says when it has left."
NOBODY = "No machine has joined yet."
OTHERS = "gets no jobs, because the versions here and there differ: {wrong}"


def run_node(given: Sequence[str], settings: TrainingSettings) -> int:
    """Run `safelight node` with its arguments; return the exit code."""
    if given[:1] == ["driver"]:  # which the scheduler starts
        security.require_token()
        from training.scheduler.ray.driver import run_driver  # noqa: PLC0415 - it imports Ray

        return run_driver(*given[1:])
    if given[:1] == ["check"]:  # which `join` starts
        security.require_token()
        from training.scheduler.ray.node import check_head  # noqa: PLC0415 - the same

        return check_head(*given[1:])
    parser = FlagParser("safelight node", description="Run trainings on a second machine.")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for name, text in COMMANDS.items():
        commands.add_parser(name, help=text, description=text)
    commands.choices["join"].add_argument("address", help="such as 192.168.1.2:6379")
    return run_command(parser.parse_args(given), settings)


def run_command(given: Namespace, settings: TrainingSettings) -> int:
    """Run one of the COMMANDS; return the exit code."""
    if given.command == "token":
        sys.stdout.write(f"{security.make_token()}\n")
        return 0
    security.require_token()
    from training.scheduler.ray import asking, node  # noqa: PLC0415 - they import Ray

    if given.command == "leave":
        node.leave(Home(settings.home))
        sys.stdout.write(f"{LEAVING}\n")
    elif given.command == "join":
        node.Join(settings, check_address(given.address)).run()
    else:
        joined = asking.list_joined(read_head(settings))
        for place, wrong in joined.items():
            sys.stdout.write(f"{place}: {OTHERS.format(wrong=wrong)}\n" if wrong else f"{place}\n")
        sys.stderr.write("" if joined else f"{NOBODY}\n")
    return 0


def fetch_base(settings: TrainingSettings, box: str, name: str) -> int:
    """Download a base on another machine, and print what is printed there."""
    security.require_token()
    from training.scheduler.ray import asking  # noqa: PLC0415 - it imports Ray

    return asking.fetch_base(read_head(settings), box, name)


def read_head(settings: TrainingSettings) -> str:
    """Return the address of this machine's head, for a command that asks it."""
    if not settings.head:
        raise UserError("head_unset")
    return settings.head


def check_address(address: str) -> str:
    """Return the address of a head; raise UserError if it is none."""
    if not re.fullmatch(HEAD_PATTERN, address):
        raise UserError("head_unknown", address=address)
    return address
