"""/sample: pictures on demand."""

from __future__ import annotations

from discord import app_commands
from discord.ext import commands

from bot import wording
from bot.actions import sampling
from bot.bot import Bot, Interaction
from bot.cards import sample
from bot.cards.components import defer
from bot.cogs import _autocomplete
from storage.requests import SampleRequest


class Samples(commands.Cog):
    """The command for pictures."""

    @app_commands.command(description=wording.sample.COMMAND)
    @app_commands.describe(**wording.sample.OPTIONS)
    @app_commands.autocomplete(
        style=_autocomplete.suggest_styles, base=_autocomplete.suggest_fitting_bases
    )
    @app_commands.guild_only()
    async def sample(  # noqa: PLR0913, PLR0917 (what an expert may set)
        self,
        interaction: Interaction,
        prompt: str,
        style: str = "",
        count: int = 1,
        seed: int | None = None,
        strength: float = 1.0,
        negative: str = "",
        steps: int = 20,
        size: int = 0,
        base: str = "",
    ) -> None:
        """Queue pictures; their card shows them once they are drawn."""
        await defer(interaction, private=False)
        prompt, negative, seed = prompt.strip(), negative.strip(), sampling.choose_seed(seed)
        request = SampleRequest(base, prompt, negative, strength, seed, steps, size, count)
        await sample.queue_and_show(interaction, request, style)


async def setup(bot: Bot) -> None:
    """Add the command."""
    await bot.add_cog(Samples())
