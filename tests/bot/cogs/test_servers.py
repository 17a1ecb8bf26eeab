"""`/server setup`: a server's settings, and their effect."""

from __future__ import annotations

import discord
import pytest
import simcord

from bot import wording
from storage.records import Server


async def open_settings(kit, mod):
    """Open the settings card."""
    return (await mod.slash(kit.channel, "server setup")).response


async def test_setup(kit):
    """Roles, channels and limits are stored when picked, and shown on the card."""
    mod = kit.add_moderator()
    makers, log = kit.guild.create_role("Makers"), kit.guild.create_text_channel("log")
    card = await open_settings(kit, mod)

    await mod.select(card, [makers], custom_id="server:trainers")
    await mod.select(card, [makers], custom_id="server:samplers")
    await mod.select(card, [kit.channel], custom_id="server:channel")
    await mod.select(card, [log], custom_id="server:log")
    form = await mod.click(card, label="Change limits")
    await mod.submit_modal(form, {"jobs": "3", "minutes": "0"})

    assert await kit.store.servers.get(kit.guild.id) == Server(
        kit.guild.id, kit.channel.id, log.id, (makers.id,), (makers.id,), 3, 0
    )
    assert kit.says(card, wording.server.LIMITS, jobs="3 trainings", minutes="no limit")
    chosen = [
        part["default_values"] for part in kit.components(card) if part.get("default_values")
    ]
    assert [int(values[0]["id"]) for values in chosen] == [
        makers.id,
        makers.id,
        kit.channel.id,
        log.id,
    ]


async def test_photos_stay_here(kit):
    """Where another machine has joined, a server decides whether its members' photos go there."""
    mod = kit.add_moderator()
    await kit.store.nodes.note("lab/cuda0", remote=True, here=True)
    card = await open_settings(kit, mod)
    before = kit.text(card)

    await mod.click(card, label=wording.server.STAY_LABELS[True])

    assert wording.server.MAY_LEAVE in before
    assert await kit.store.staying.has(kit.guild.id)
    assert wording.server.STAYS in kit.text(card)


async def test_clear(kit):
    """Clearing the roles lets everybody use the bot again; the card works after a restart."""
    mod, makers = kit.add_moderator(), kit.guild.create_role("Makers")
    card = await open_settings(kit, mod)
    await mod.select(card, [makers], custom_id="server:trainers")

    await kit.restart()
    await mod.select(card, [], custom_id="server:trainers")

    assert (await kit.store.servers.get(kit.guild.id)).trainers == ()


@pytest.mark.parametrize("typed", ["-1", "many", "1e9", "999999", "²"])
async def test_limits(kit, typed):
    """An invalid limit is refused with a sentence, and nothing changes."""
    mod = kit.add_moderator()
    card = await open_settings(kit, mod)

    form = await mod.click(card, label="Change limits")
    answer = await mod.submit_modal(form, {"jobs": typed, "minutes": "10"})

    assert "whole numbers from 0 to 1000" in kit.text(answer)
    assert await kit.store.servers.get(kit.guild.id) == Server(kit.guild.id)


async def test_members_may_not(kit):
    """Members do not see the command, and cannot change anything even if it is shown to them."""
    alice = kit.add_member("alice")
    with pytest.raises(simcord.SetupError, match="not visible"):
        await alice.slash(kit.channel, "server setup")

    command = kit.env.backend.find_command("server", kit.guild.id)
    kit.guild.set_command_permissions(int(command["id"]), {alice: True})
    answer = await alice.slash(kit.channel, "server setup")

    assert "Manage Server" in kit.text(answer)


async def test_missing_permissions(kit):
    """The card names the permissions that the bot lacks in a picked channel."""
    mod, bot = kit.add_moderator(), kit.bot.get_guild(kit.guild.id).me
    denied = {bot: discord.PermissionOverwrite(attach_files=False)}
    closed = kit.guild.create_text_channel("closed", overwrites=denied)
    card = await open_settings(kit, mod)

    await mod.select(card, [kit.channel], custom_id="server:channel")
    before = kit.text(card)
    await mod.select(card, [closed], custom_id="server:channel")

    assert "Attach Files" not in before
    assert kit.says(card, wording.server.PERMISSIONS_MISSING, channel=closed.id)
    assert "Attach Files" in kit.text(card)
