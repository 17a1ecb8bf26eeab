"""/operator: what only whoever runs the bot may see and do."""

from __future__ import annotations

import discord
from discord import app_commands
from discord.ext import commands

from bot import wording
from bot.actions.permissions import check_operator
from bot.bot import Bot, Interaction
from bot.cards.components import defer, edit
from bot.cards.nodes import nodes_card


@app_commands.default_permissions(discord.Permissions(manage_guild=True))
class Operator(commands.GroupCog, name="operator", description=wording.operator.COMMAND):
    """The commands of the bot's operator."""

    @app_commands.command(description=wording.operator.COMMAND_NODES)
    async def nodes(self, interaction: Interaction) -> None:
        """Show the machines that train."""
        await check_operator(interaction)
        await defer(interaction)
        await edit(interaction, await nodes_card(interaction.client))


async def setup(bot: Bot) -> None:
    """Add the commands."""
    await bot.add_cog(Operator())
