"""/help and /privacy."""

from __future__ import annotations

from discord import app_commands
from discord.ext import commands

from bot import wording
from bot.bot import Bot, Interaction
from bot.cards.components import defer, edit
from bot.cards.help import help_card, privacy_card


class Help(commands.Cog):
    """The commands that explain."""

    @app_commands.command(name="help", description=wording.guide.COMMAND_HELP)
    async def steps(self, interaction: Interaction) -> None:
        """Show the first steps."""
        await defer(interaction)
        await edit(interaction, help_card())

    @app_commands.command(description=wording.guide.COMMAND_PRIVACY)
    async def privacy(self, interaction: Interaction) -> None:
        """Show what happens with photos."""
        await defer(interaction)
        await edit(interaction, privacy_card(interaction.client.settings))


async def setup(bot: Bot) -> None:
    """Add the commands."""
    await bot.add_cog(Help())
