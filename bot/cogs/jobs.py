"""/jobs: what is waiting, running and done."""

from __future__ import annotations

from discord import app_commands
from discord.ext import commands

from bot import wording
from bot.actions.permissions import check_moderator
from bot.bot import Bot, Interaction
from bot.cards import jobs
from bot.cards.components import defer, edit

WHOSE = [app_commands.Choice(name=name, value=whose) for whose, name in wording.job.WHOSE.items()]


class Jobs(commands.Cog):
    """The command for jobs."""

    @app_commands.command(description=wording.job.COMMAND)
    @app_commands.describe(**wording.job.OPTIONS)
    @app_commands.choices(whose=WHOSE)
    @app_commands.guild_only()
    async def jobs(self, interaction: Interaction, whose: str = "mine") -> None:
        """List the member's jobs, or for moderators the server's."""
        await defer(interaction)
        bot = interaction.client
        if whose == "mine":
            found = await bot.store.jobs.list_for(interaction.user.id, limit=jobs.MAX_JOBS * 2)
            card = await jobs.jobs_card(bot, wording.job.LIST_MINE, found)
        else:
            check_moderator(interaction)
            found = await bot.store.jobs.list_for_guild(
                interaction.guild_id or 0, limit=jobs.MAX_JOBS * 2
            )
            card = await jobs.jobs_card(bot, wording.job.LIST_SERVER, found)
        await edit(interaction, card)


async def setup(bot: Bot) -> None:
    """Add the command."""
    await bot.add_cog(Jobs())
