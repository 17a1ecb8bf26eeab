"""What holds for all commands and controls."""

from __future__ import annotations

import subprocess
import sys
from collections import Counter

import discord
import pytest
from discord import app_commands

from bot import wording
from bot.cards.components import Control
from storage.errors import UserError


def walk(bot):
    """Return every command and group."""
    return list(bot.tree.walk_commands())


async def test_names(kit):
    """No two commands share a name, and all are described."""
    names = Counter(command.qualified_name for command in walk(kit.bot))

    assert [name for name, count in names.items() if count > 1] == []
    assert all(len(command.description) > 5 for command in walk(kit.bot))
    assert {"dataset new", "dataset add", "me", "help", "privacy", "server setup"} <= set(names)


async def test_options(kit):
    """Every option has a description."""
    for command in walk(kit.bot):
        if isinstance(command, app_commands.Command):
            for option in command.parameters:
                assert option.description != "…", f"/{command.qualified_name} {option.name}"


async def test_controls(kit):
    """Custom ids are unique, and labels short enough for a phone."""
    verbs = Counter(control.verb for control in kit.bot.controls)

    assert [verb for verb, count in verbs.items() if count > 1] == []
    assert all(len(getattr(control, "label", "") or "") <= 18 for control in kit.bot.controls)


async def test_all_listed(kit):
    """Every control that a card can show is registered after a restart."""
    queue, known = [Control], set(kit.bot.controls)
    while queue:
        control = queue.pop()
        queue += control.__subclasses__()
        if control.verb:
            elsewhere = {"test", "demo"} & {*control.__module__.replace("_", ".").split(".")}
            assert control in known or elsewhere, control


@pytest.mark.parametrize(
    "custom_id",
    [
        "gone:since:1",
        "plan:start:9ix:lora:b:0:0:0:0:dog:1hmzk2s:0:0::",  # an order packed into its button
        "advice:ask:7:animal:0:0:0:dog",  # so with a question
        "dataset:train:7::0:0:0:",
    ],
)
async def test_old_button(kit, custom_id):
    """A button of an older version is answered with a sentence."""
    alice = kit.add_member("alice")
    view = discord.ui.View(timeout=None)
    view.add_item(discord.ui.Button(label="Old", custom_id=custom_id))
    await kit.bot.get_channel(kit.channel.id).send("old", view=view)
    await kit.restart()

    answer = await alice.click(kit.channel.last_message, label="Old")

    assert kit.text(answer) == wording.explain(UserError("card_old"))


def test_light():
    """Importing the whole bot imports neither torch nor the training."""
    code = (
        "import sys, pkgutil, importlib, warnings; warnings.simplefilter('ignore')\n"
        "import bot.bot, bot.__main__, bot.cogs\n"
        "for m in pkgutil.iter_modules(bot.cogs.__path__, 'bot.cogs.'):\n"
        "    importlib.import_module(m.name)\n"
        "heavy = {'torch', 'diffusers', 'transformers', 'peft', 'training', 'simcord'}\n"
        "print(sorted(heavy & {name.partition('.')[0] for name in sys.modules}))\n"
    )

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout.strip() == "[]"
