"""/server: the settings of a server."""

from __future__ import annotations

import discord
from discord import app_commands
from discord.ext import commands

from bot import wording
from bot.actions.permissions import check_moderator, check_server_manager
from bot.bot import Bot, Interaction
from bot.card import Card
from bot.cards import report
from bot.cards import server as cards
from bot.cards.components import defer, edit, text
from bot.wording import say


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

    @app_commands.command(description=wording.server.COMMAND_REPORTS)
    async def reports(self, interaction: Interaction) -> None:
        """List the reports that wait."""
        check_moderator(interaction)
        await defer(interaction)
        card = await report.reports_card(interaction.client, interaction.guild_id or 0)
        await edit(interaction, card)

    @app_commands.command(description=wording.server.COMMAND_UNBLOCK)
    @app_commands.describe(**wording.server.UNBLOCK_OPTIONS)
    async def unblock(self, interaction: Interaction, member: discord.User) -> None:
        """Lift a member's block."""
        check_moderator(interaction)
        await defer(interaction)
        servers, guild = interaction.client.store.servers, interaction.guild_id or 0
        lifted = await servers.unblock(guild, member.id)
        template = wording.server.UNBLOCKED if lifted else wording.server.NOT_BLOCKED
        await edit(interaction, Card(text(say(template, member=member.id))))


async def setup(bot: Bot) -> None:
    """Add the commands."""
    await bot.add_cog(Servers())
