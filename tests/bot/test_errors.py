"""Errors become sentences in one place, whatever was answered before."""

from __future__ import annotations

import pytest
from discord import app_commands

from bot.card import Card
from bot.cards.components import Button, defer, defer_update, edit, row, text
from bot.wording.errors import ERRORS
from storage.errors import UserError


def add(kit, fail):
    """Add a command to the bot."""

    @app_commands.command(name="fail", description="Fail as told")
    async def command(interaction):
        await fail(interaction)

    kit.bot.tree.add_command(command)
    return kit.bot.tree.sync()


async def test_at_once(kit):
    """An error before any answer is answered ephemerally."""

    async def fail(_):
        raise UserError("server_only")

    await add(kit, fail)
    answer = await kit.add_member("alice").slash(kit.channel, "fail")

    assert answer.response.ephemeral
    assert kit.text(answer) == ERRORS["server_only"]


@pytest.mark.parametrize("private", [True, False])
async def test_after_hold(kit, private):
    """An error after a deferred answer, public or not, is shown to the member only."""

    async def fail(interaction):
        await defer(interaction, private=private)
        raise UserError("server_only")

    await add(kit, fail)
    alice, bob = kit.add_member("alice"), kit.add_member("bob")
    await alice.slash(kit.channel, "fail")

    seen = [kit.text(message) for message in kit.channel.history(viewer=alice)]
    assert seen == [ERRORS["server_only"]]
    assert kit.channel.history(viewer=bob) == []


async def test_bug(kit):
    """A bug is logged in full under a reference; the member gets only the reference."""

    async def fail(interaction):
        await defer(interaction)
        raise ValueError("the secret of the house")

    await add(kit, fail)
    answer = await kit.add_member("alice").slash(kit.channel, "fail")

    (logged,) = kit.logged_errors
    reference = kit.text(answer).partition("error ")[2][:6]
    assert reference in logged
    assert "the secret of the house" in logged
    assert "secret" not in kit.text(answer)
    kit.logged_errors.clear()


class Broken(Button, verb="test:broken"):
    """A button with a bug."""

    label = "Break"

    async def press(self, interaction):
        """Raise an error."""
        await defer_update(interaction)
        raise KeyError("broken")


async def test_button(kit):
    """A bug in a button is answered like one in a command; the card stays."""
    kit.bot.controls.append(Broken)
    kit.bot.add_dynamic_items(Broken)

    async def card(interaction):
        await defer(interaction)
        await edit(interaction, Card(text("a card"), row(Broken(1, -2))))

    await add(kit, card)
    alice = kit.add_member("alice")
    shown = (await alice.slash(kit.channel, "fail")).response
    answer = await alice.click(shown, label="Break")

    assert kit.says(answer, ERRORS["bug"])
    assert "a card" in kit.text(shown)
    assert "test:broken:1:-2" in kit.logged_errors[0]
    kit.logged_errors.clear()


async def test_forbidden(kit):
    """A missing permission is answered with a sentence that names it."""

    async def fail(interaction):
        await defer(interaction)
        await interaction.channel.send("hello")

    await add(kit, fail)
    kit.env.inject_error("POST", "/channels/*/messages", status=403, code=50013)
    answer = await kit.add_member("alice").slash(kit.channel, "fail")

    assert kit.says(answer, ERRORS["forbidden"])


async def test_too_late(kit):
    """An expired interaction is no bug."""

    async def fail(interaction):
        await defer(interaction)
        await edit(interaction, Card(text("late")))

    await add(kit, fail)
    kit.env.inject_error("*", "/webhooks/*", status=404, code=10015, times=None)
    await kit.add_member("alice").slash(kit.channel, "fail")

    assert kit.logged_errors == []
