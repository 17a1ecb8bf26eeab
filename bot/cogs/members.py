"""/me: what is stored about a member."""

from __future__ import annotations

from discord import app_commands
from discord.ext import commands

from bot import wording
from bot.bot import Bot, Interaction
from bot.cards import member as cards
from bot.cards.components import defer, edit


class Members(commands.Cog):
    """The command for one's own data."""

    @app_commands.command(description=wording.member.COMMAND)
    async def me(self, interaction: Interaction) -> None:
        """Show what is stored."""
        await defer(interaction)
        await edit(interaction, await cards.me_card(interaction))


async def setup(bot: Bot) -> None:
    """Add the commands."""
    await bot.add_cog(Members())
