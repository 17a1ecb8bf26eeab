"""What a command offers while a member types: names, the ones used last first."""

from __future__ import annotations

from typing import TYPE_CHECKING

import discord
from discord import app_commands

from bot.wording import flat

if TYPE_CHECKING:
    from bot.client import Bot

MOST = 25  #: what Discord shows


async def datasets(
    interaction: discord.Interaction[Bot], current: str
) -> list[app_commands.Choice[str]]:
    """Offer the member's own datasets by name."""
    own = await interaction.client.store.datasets.of(interaction.user.id)
    return matching([dataset.name for dataset in own], current)


def matching(names: list[str], current: str) -> list[app_commands.Choice[str]]:
    """Keep the names that have what was typed in them, and as many as Discord shows."""
    typed = current.casefold().strip()
    kept = [name for name in names if typed in name.casefold()]
    return [app_commands.Choice(name=flat(name, 100), value=name[:100]) for name in kept[:MOST]]
