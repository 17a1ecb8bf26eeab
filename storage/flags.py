"""A parser of the command line that refuses an unknown flag with those there are."""

from __future__ import annotations

from argparse import SUPPRESS, ArgumentParser
from collections.abc import Sequence
from typing import Any

from storage.errors import UserError


class FlagParser(ArgumentParser):
    """A parser that raises UserError "flag_unknown" before anything else is found wrong."""

    def parse_known_args(self, args: Sequence[str] | None = None, namespace: Any = None) -> Any:  # type: ignore[override]
        """Parse the arguments; raise UserError with the flags there are for an unknown one."""
        actions = self._option_string_actions
        for word in args or ():
            flag = word.partition("=")[0]
            if word == "--" or (self._subparsers and not word.startswith("-")):
                break  # values follow, or the arguments of a command
            if word.startswith("--") and not any(each.startswith(flag) for each in actions):
                shown = [
                    each for each, action in actions.items()
                    if action.help != SUPPRESS and each not in {"-h", "--help"}
                ]  # fmt: skip
                raise UserError("flag_unknown", flag=flag, command=self.prog, choices=shown)
        return super().parse_known_args(args, namespace)
