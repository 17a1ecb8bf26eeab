"""`python -m bot`: what keeps it from logging in is told in a sentence."""

from __future__ import annotations

import aiohttp
import discord
import pytest

from bot.__main__ import explaining_login
from bot.wording import explain_in_shell
from storage.errors import UserError
from storage.refusals import exit_code


@pytest.mark.parametrize(
    ("error", "code", "exit_"),
    [
        (discord.LoginFailure(), "token_refused", 2),
        (discord.PrivilegedIntentsRequired(None), "intent_refused", 2),
        (aiohttp.ServerDisconnectedError(), "discord_unreachable", 1),
        (TimeoutError(), "discord_unreachable", 1),
    ],
)
def test_login(error, code, exit_):
    """A wrong setting is final; what may pass is tried again by `safelight run`."""
    with pytest.raises(UserError, match=code) as told, explaining_login():
        raise error

    assert exit_code(told.value) == exit_
    assert explain_in_shell(told.value)


def test_bug():
    """Anything else keeps its traceback."""
    with pytest.raises(KeyError), explaining_login():
        raise KeyError
