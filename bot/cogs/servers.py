"""/server: the settings of a server."""

from __future__ import annotations

import discord
from discord import app_commands
from discord.ext import commands

from bot import wording
from bot.actions.permissions import check_server_manager
from bot.bot import Bot, Interaction
from bot.cards import server as cards
from bot.cards.components import defer, edit


@app_commands.guild_only()
@app_commands.default_permissions(discord.Permissions(manage_guild=True))
class Servers(commands.GroupCog, name="server", description=wording.server.COMMAND):
    """The commands for those who manage a server."""

    @app_commands.command(description=wording.server.COMMAND_SETUP)
    async def setup(self, interaction: Interaction) -> None:
        """Show the settings."""
        check_server_manager(interaction)
        await defer(interaction)
        await edit(interaction, await cards.server_card(interaction))


async def setup(bot: Bot) -> None:
    """Add the commands."""
    await bot.add_cog(Servers())
