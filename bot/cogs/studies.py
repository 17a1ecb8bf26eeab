"""/study: blind comparisons that a server's members vote on."""

from __future__ import annotations

from discord import app_commands
from discord.ext import commands

from bot import wording
from bot.actions import sampling, studies
from bot.actions.permissions import check_role
from bot.actions.studies import SideOrder, StudyOrder
from bot.bot import Bot, Interaction
from bot.cards.components import defer, edit
from bot.cards.studies import list_card
from bot.cards.study import order_card
from bot.cogs import _autocomplete


@app_commands.guild_only()
class StudyCommands(commands.GroupCog, name="study", description=wording.study.COMMAND):
    """The commands for studies."""

    @app_commands.command(description=wording.study.COMMAND_NEW)
    @app_commands.describe(**wording.study.OPTIONS)
    @app_commands.autocomplete(
        style=_autocomplete.suggest_usable_styles, against=_autocomplete.suggest_styles
    )
    @app_commands.autocomplete(
        checkpoint=_autocomplete.suggest_checkpoints,
        against_checkpoint=_autocomplete.suggest_other_checkpoints,
    )
    async def new(  # noqa: PLR0913, PLR0917 (what an expert may set)
        self,
        interaction: Interaction,
        style: str,
        against: str = "",
        strength: float = 1.0,
        against_strength: float = 1.0,
        checkpoint: int = 0,
        against_checkpoint: int = 0,
        prompts: str = "",
        seeds: int = 2,
        hours: int = 24,
        voters: int = 12,
        question: str = "",
    ) -> None:
        """Show what a study would draw and can show, with the button that starts it."""
        await defer(interaction)
        await check_role(interaction, "sample")
        store, member, guild = interaction.client.store, interaction.user.id, interaction.guild_id
        first = await sampling.find_style(store, style, member, guild or 0)
        other = 0
        if against and against != sampling.NO_STYLE:
            other = (await sampling.find_style(store, against, member, guild or 0)).id
        base = (await store.catalog.read()).get_base(first.base)
        order = StudyOrder(
            (
                SideOrder(first.id, strength, checkpoint),
                SideOrder(other, against_strength, against_checkpoint),
            ),
            studies.split_prompts(prompts) or studies.suggest_prompts(first, base),
            seeds,
            sampling.choose_seed(None),
            hours,
            voters,
            question.strip()[: studies.MAX_QUESTION_CHARS] or wording.study.QUESTION,
        )
        await edit(interaction, await order_card(interaction, order))

    @app_commands.command(name="list", description=wording.study.COMMAND_LIST)
    async def all(self, interaction: Interaction) -> None:
        """List the member's studies here, or for moderators the server's."""
        await defer(interaction)
        await edit(interaction, await list_card(interaction))


async def setup(bot: Bot) -> None:
    """Add the commands."""
    await bot.add_cog(StudyCommands(bot))
