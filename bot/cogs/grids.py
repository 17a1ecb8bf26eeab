"""/grid: pictures beside each other, by strength and checkpoint or by prompt and style.

Discord has no command that is also a group, so this is no subcommand of `/sample`.
"""

from __future__ import annotations

from discord import app_commands
from discord.ext import commands

from bot import wording
from bot.actions import grids, sampling, studies
from bot.bot import Bot, Interaction
from bot.cards.components import defer
from bot.cards.sample import queue_and_show
from bot.cogs import _autocomplete
from storage.records import Style


@app_commands.guild_only()
class Grids(commands.GroupCog, name="grid", description=wording.sample.GRID):
    """The commands for grids of pictures."""

    @app_commands.command(description=wording.sample.GRID_STRENGTH)
    @app_commands.describe(**wording.sample.GRID_STRENGTH_OPTIONS)
    @app_commands.autocomplete(style=_autocomplete.suggest_usable_styles)
    async def strength(
        self, interaction: Interaction, style: str, prompt: str = "", seed: int | None = None
    ) -> None:
        """Draw a style's checkpoints at several strengths."""
        await defer(interaction, private=False)
        bot, here = interaction.client, (interaction.user.id, interaction.guild_id or 0)
        found = await sampling.find_style(bot.store, style, *here)
        said, chosen = prompt.strip(), sampling.choose_seed(seed)
        request = await grids.strength_grid(bot, found, here[0], said, chosen)
        await queue_and_show(interaction, request, found.id)

    @app_commands.command(description=wording.sample.GRID_STYLES)
    @app_commands.describe(**wording.sample.GRID_STYLES_OPTIONS)
    @app_commands.autocomplete(
        style=_autocomplete.suggest_usable_styles,
        second=_autocomplete.suggest_styles,
        third=_autocomplete.suggest_styles,
        fourth=_autocomplete.suggest_styles,
    )
    async def styles(  # noqa: PLR0913, PLR0917 (what an expert may set)
        self,
        interaction: Interaction,
        prompts: str,
        style: str,
        second: str = sampling.NO_STYLE,
        third: str = "",
        fourth: str = "",
        seed: int | None = None,
    ) -> None:
        """Draw prompts with several styles, or with none."""
        await defer(interaction, private=False)
        bot, here = interaction.client, (interaction.user.id, interaction.guild_id or 0)
        found: list[Style | None] = [await sampling.find_style(bot.store, style, *here)]
        for each in filter(None, (second, third, fourth)):
            plain = each == sampling.NO_STYLE
            found.append(None if plain else await sampling.find_style(bot.store, each, *here))
        split = studies.split_prompts(prompts)
        request = await grids.style_grid(bot, found, split, sampling.choose_seed(seed))
        await queue_and_show(interaction, request, sampling.NO_STYLE)


async def setup(bot: Bot) -> None:
    """Add the commands."""
    await bot.add_cog(Grids())
