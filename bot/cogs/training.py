"""/train: from a dataset to a job in the queue."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from discord import app_commands
from discord.ext import commands

from bot import wording
from bot.actions.permissions import refusing_duplicates
from bot.actions.training import TrainingOrder
from bot.cards import advice, job, preflight
from bot.cards.components import defer, edit
from bot.cogs import _autocomplete
from storage.records import Dial

if TYPE_CHECKING:
    from bot.bot import Bot, Interaction

ITEMS = (
    preflight.Start,
    preflight.More,
    preflight.Leave,
    advice.Advise,
    advice.OtherChoice,
    advice.MotifSelect,
    advice.PurposeSelect,
    job.Pause,
    job.Resume,
    job.Cancel,
    job.Finish,
    job.Retry,
    job.Watch,
)
DIALS = [
    app_commands.Choice(name=name, value=dial) for dial, name in wording.training.DIALS.items()
]


def trains(method: str) -> app_commands.Command[Any, ..., None]:
    """Make the command of a method that has a rank."""
    told = wording.training.WIDTH if method == "hypernetwork" else wording.training.RANK

    @app_commands.describe(**wording.training.OPTIONS, rank=told)
    @app_commands.autocomplete(
        dataset=_autocomplete.suggest_datasets, base=_autocomplete.suggest_bases
    )
    @app_commands.choices(dial=DIALS)
    async def command(  # noqa: PLR0913, PLR0917 (what an expert may set)
        self: Training,  # noqa: ARG001
        interaction: Interaction,
        dataset: str,
        dial: str = "balanced",
        base: str = "",
        word: str = "",
        steps: int = 0,
        rank: int = 0,
        rate: float = 0.0,
        private: bool = False,
    ) -> None:
        """Show what the training would be."""
        order = TrainingOrder(0, method, base, Dial(dial), steps, rank, rate, word, private)
        await consider(interaction, dataset, order)

    command.__qualname__ = f"Training.{method}"  # by this discord.py knows that it has a self
    return app_commands.command(name=method, description=wording.training.COMMANDS[method])(
        command
    )


@app_commands.guild_only()
class Training(commands.GroupCog, name="train", description=wording.training.COMMAND):
    """Starting trainings."""

    lora, pivotal, locon, loha, lokr = map(trains, ("lora", "pivotal", "locon", "loha", "lokr"))
    dora, oft, hypernetwork = map(trains, ("dora", "oft", "hypernetwork"))
    dreambooth, finetune = map(trains, ("dreambooth", "finetune"))

    @app_commands.command(name="auto", description=wording.advice.COMMAND)
    @app_commands.describe(**wording.advice.OPTIONS)
    @app_commands.autocomplete(dataset=_autocomplete.suggest_datasets)
    async def auto(
        self,
        interaction: Interaction,
        dataset: str,
        word: str = "",
        commercial: bool = False,
        private: bool = False,
    ) -> None:
        """Show what is advised, and why."""
        with refusing_duplicates(interaction, dataset):
            await defer(interaction)
            found = await interaction.client.store.datasets.get_by_name(
                interaction.user.id, dataset
            )
            asked = advice.Question(found.id, commercial=commercial, private=private, word=word)
            await edit(interaction, await advice.advice_card(interaction, asked))

    @app_commands.command(description=wording.training.COMMANDS["embedding"])
    @app_commands.describe(**wording.training.OPTIONS, vectors=wording.training.VECTORS)
    @app_commands.autocomplete(
        dataset=_autocomplete.suggest_datasets, base=_autocomplete.suggest_bases
    )
    @app_commands.choices(dial=DIALS)
    async def embedding(  # noqa: PLR0913, PLR0917 (what an expert may set)
        self,
        interaction: Interaction,
        dataset: str,
        dial: str = "balanced",
        base: str = "",
        word: str = "",
        steps: int = 0,
        vectors: int = 0,
        rate: float = 0.0,
        private: bool = False,
    ) -> None:
        """Show what training an embedding would be."""
        order = TrainingOrder(
            0, "embedding", base, Dial(dial), steps, vectors, rate, word, private
        )
        await consider(interaction, dataset, order)


async def consider(interaction: Interaction, name: str, order: TrainingOrder) -> None:
    """Show the pre-flight card for one of the member's datasets."""
    with refusing_duplicates(interaction, name):
        await defer(interaction)
        bot = interaction.client
        dataset = await bot.store.datasets.get_by_name(interaction.user.id, name)
        base = order.base or bot.settings.base
        asked = replace(order, dataset=dataset.id, base=base)
        beside = await advice.advice_beside(interaction, asked)
        await edit(interaction, await preflight.preflight_card(interaction, asked, *beside))


async def setup(bot: Bot) -> None:
    """Add the commands."""
    await bot.add_cog(Training(bot))
