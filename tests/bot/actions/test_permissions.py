"""Permissions, quotas, and one command at a time."""

from __future__ import annotations

import time
from dataclasses import dataclass, field, replace
from types import SimpleNamespace

import pytest

from bot.actions.permissions import (
    check_daily_quota,
    check_role,
    is_moderator,
    refusing_duplicates,
)
from storage.errors import UserError
from storage.records import JobCommand, Kind, NewJob, Server


@dataclass
class Asker:
    """The attributes of an interaction that the guards use."""

    client: object
    guild_id: int
    user: object
    permissions: object
    guild: object = None
    command: object = None
    extras: dict = field(default_factory=dict)


def asker(kit, who, *roles, mod=False):
    """Return an interaction of a member."""
    return Asker(
        kit.bot,
        kit.guild.id,
        SimpleNamespace(id=who.id, roles=[SimpleNamespace(id=role.id) for role in roles]),
        SimpleNamespace(manage_guild=mod),
        kit.bot.get_guild(kit.guild.id),
        SimpleNamespace(qualified_name="train lora"),
    )


async def test_roles(kit):
    """If roles are set, only their members may use the bot; moderators always may."""
    alice, makers = kit.add_member("alice"), kit.guild.create_role("Makers")
    await check_role(asker(kit, alice), "train")
    await kit.store.servers.save(Server(kit.guild.id, trainers=(makers.id,)))

    with pytest.raises(UserError, match="role_needed") as refused:
        await check_role(asker(kit, alice), "train")
    await check_role(asker(kit, alice, makers), "train")
    await check_role(asker(kit, alice, mod=True), "train")
    await check_role(asker(kit, alice), "sample")

    assert refused.value.facts == {"roles": ["@Makers"]}


async def test_quota(kit):
    """A day's trainings count, cancelled ones do not; the error has the time of the next."""
    alice = kit.add_member("alice")
    await kit.store.servers.save(Server(kit.guild.id, jobs=2))
    new = NewJob(Kind.TRAIN, alice.id, kit.guild.id, kit.channel.id, {"name": "a"}, "embedded")
    for number in range(3):
        await check_daily_quota(asker(kit, alice))
        job = await kit.store.jobs.queue(replace(new, request={"name": f"dog {number}"}))
        if number == 0:
            await kit.store.jobs.send_command(job.id, JobCommand.CANCEL, alice.id)

    with pytest.raises(UserError, match="quota_used") as refused:
        await check_daily_quota(asker(kit, alice))
    await kit.store.servers.save(Server(kit.guild.id, jobs=0))
    await check_daily_quota(asker(kit, alice))

    assert refused.value.facts["jobs"] == 2
    assert refused.value.facts["when"] == pytest.approx(time.time() + 24 * 3600, abs=60)


async def test_keeper(kit):
    """A member who manages the server or its messages is a moderator there, but nowhere else."""
    alone = asker(kit, kit.add_member("alice"))
    for guild, messages, kept in ((1, True, True), (1, False, False), (None, True, False)):
        may = SimpleNamespace(manage_guild=False, manage_messages=messages)
        assert is_moderator(replace(alone, guild_id=guild, permissions=may)) is kept
    assert is_moderator(asker(kit, kit.add_member("mo"), mod=True))


async def test_once(kit):
    """The same command of the same member is refused while it runs; others are not."""
    alice, bob = kit.add_member("alice"), kit.add_member("bob")

    with refusing_duplicates(asker(kit, alice), "my dog"):
        with (
            pytest.raises(UserError, match="still_busy"),
            refusing_duplicates(asker(kit, alice), "my dog"),
        ):
            pass
        with (
            refusing_duplicates(asker(kit, alice), "other"),
            refusing_duplicates(asker(kit, bob), "my dog"),
        ):
            pass
    with refusing_duplicates(asker(kit, alice), "my dog"):
        pass
