"""Who may do what, how often, and not twice at once."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Literal

from bot.bot import Interaction
from storage.errors import UserError
from storage.records import Kind, Status

DAY = 24 * 3600


async def check_role(interaction: Interaction, verb: Literal["train", "sample"]) -> None:
    """Raise UserError unless the member may train or sample on this server."""
    await check_not_blocked(interaction)
    server = await interaction.client.store.servers.get(interaction.guild_id or 0)
    roles = server.trainers if verb == "train" else server.samplers
    if not roles or is_server_manager(interaction):
        return
    held = {role.id for role in getattr(interaction.user, "roles", ())}
    if not held.intersection(roles):
        guild = interaction.guild
        known = [role for role in map(guild.get_role, roles) if role] if guild else []
        raise UserError("role_needed", roles=[f"@{role.name}" for role in known] or ["a role"])


async def check_may_train_again(interaction: Interaction, guild: int) -> None:
    """Raise UserError unless the member may train now, on the server of an earlier training.

    Elsewhere its roles, blocks and limits would not be asked.
    """
    if interaction.guild_id != guild:
        raise UserError("server_other")
    await check_role(interaction, "train")
    await check_daily_quota(interaction)


async def check_not_blocked(interaction: Interaction) -> None:
    """Raise UserError if moderators have blocked the member on this server."""
    servers, guild = interaction.client.store.servers, interaction.guild_id or 0
    if interaction.user.id in await servers.list_blocked(guild):
        raise UserError("member_blocked")


async def check_may_vote(interaction: Interaction) -> None:
    """Raise UserError for bots, and for members that are blocked on this server."""
    if interaction.user.bot:
        raise UserError("member_only")
    await check_not_blocked(interaction)


async def check_daily_quota(interaction: Interaction) -> None:
    """Raise UserError if the member has used up the trainings that the server allows in a day."""
    store, guild = interaction.client.store, interaction.guild_id or 0
    server = await store.servers.get(guild)
    if (
        not server.jobs
        or await store.jobs.count_recent_trainings(interaction.user.id, guild) < server.jobs
    ):
        return
    now = time.time()
    asked = sorted(
        job.created
        for job in await store.jobs.list_for(interaction.user.id, limit=200)
        if (job.kind, job.guild) == (Kind.TRAIN, guild)
        and job.status is not Status.CANCELLED
        and now - DAY < job.created <= now
    )
    oldest = asked[-server.jobs] if len(asked) >= server.jobs else now - DAY
    raise UserError("quota_used", jobs=server.jobs, when=int(oldest + DAY))


async def check_operator(interaction: Interaction) -> None:
    """Raise UserError unless the member owns the bot's application, or is in its team."""
    if not await interaction.client.is_owner(interaction.user):
        raise UserError("operator_only")


def is_server_manager(interaction: Interaction) -> bool:
    """Return whether the member may manage this server."""
    return interaction.guild_id is not None and interaction.permissions.manage_guild


def check_server_manager(interaction: Interaction) -> None:
    """Raise UserError unless the member may manage this server."""
    if not is_server_manager(interaction):
        raise UserError("permission_needed", permissions=["Manage Server"])


def is_moderator(interaction: Interaction) -> bool:
    """Return whether the member may moderate others' jobs, pictures and shared styles."""
    may = interaction.permissions
    return interaction.guild_id is not None and (may.manage_guild or may.manage_messages)


def check_moderator(interaction: Interaction) -> None:
    """Raise UserError unless the member may moderate on this server."""
    if not is_moderator(interaction):
        raise UserError("permission_needed", permissions=["Manage Messages"])


@contextmanager
def refusing_duplicates(interaction: Interaction, *what: object) -> Iterator[None]:
    """Refuse a member's second identical command, or press, while the first one runs."""
    command = interaction.command.qualified_name if interaction.command else ""
    key, running = (interaction.user.id, command, *what), interaction.client.running_commands
    if key in running:
        raise UserError("still_busy")
    running.add(key)
    try:
        yield
    finally:
        running.discard(key)
