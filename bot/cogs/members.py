"""/me: what is kept of a member."""

from __future__ import annotations

from typing import TYPE_CHECKING

from discord import app_commands
from discord.ext import commands

from bot import wording
from bot.cards import member as cards
from bot.cards.components import hold, show

if TYPE_CHECKING:
    from bot.bot import Bot
    from bot.cards.components import Asked

ITEMS = (cards.Export, cards.Erase, cards.Gone)


class Members(commands.Cog):
    """What a member can ask for about themselves."""

    @app_commands.command(description=wording.member.COMMAND)
    async def me(self, interaction: Asked) -> None:
        """Show what is kept."""
        await hold(interaction)
        await show(interaction, await cards.me_card(interaction))


async def setup(bot: Bot) -> None:
    """Add the commands."""
    await bot.add_cog(Members())
