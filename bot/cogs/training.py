"""/train: from a dataset to a job in the queue."""

from __future__ import annotations

import inspect
from dataclasses import replace
from typing import Any, cast

from discord import app_commands
from discord.ext import commands, tasks

from bot import wording
from bot.actions.advice import Question
from bot.actions.comparing import DEFAULT_METHOD, ComparisonOrder
from bot.actions.order import TrainingOrder
from bot.actions.permissions import refusing_duplicates
from bot.actions.sweeping import SweepOrder
from bot.bot import Bot, Interaction
from bot.cards import advice, comparison, preflight
from bot.cards import sweep as sweeps
from bot.cards.components import defer, edit
from bot.cogs import _autocomplete
from bot.wording import fill, flatten
from storage.records import Dial, Method

CATALOG_SECONDS = 30.0  #: between two looks at the catalog, for its first or for new methods
MAX_METHODS = 22  #: subcommands that Discord takes in a group, beside `auto`, `compare`, `sweep`
DIALS = [
    app_commands.Choice(name=name, value=dial)
    for dial, name in wording.training.DIAL_CHOICES.items()
]


def train_command(method: Method) -> app_commands.Command[Any, ..., None]:
    """Return the command of a method; one that has no rank takes none."""

    async def command(  # noqa: PLR0913, PLR0917 (what an expert may set)
        interaction: Interaction,
        dataset: str,
        dial: str = "balanced",
        base: str = "",
        word: str = "",
        steps: int = 0,
        rank: int = 0,
        rate: float = 0.0,
        class_photos: str = "",
        private: bool = False,
    ) -> None:
        """Show what the training would be."""
        order = TrainingOrder(0, method.name, base, Dial(dial), steps, rank, rate, word, private)
        await show_preflight(interaction, dataset, order, class_photos)

    described = dict(wording.training.OPTIONS)
    whole = inspect.signature(command)
    if any(method.ranks):
        limits = {"least": max(1, method.ranks[0]), "most": method.ranks[1]}
        described["rank"] = fill(wording.training.RANK, help=method.rank_help, **limits)
        app_commands.rename(rank=method.rank_name)(command)
    else:  # discord.py reads the options from the signature
        kept = [each for name, each in whole.parameters.items() if name != "rank"]
        command.__signature__ = whole.replace(parameters=kept)  # type: ignore[attr-defined]
    app_commands.describe(**described)(command)
    app_commands.choices(dial=DIALS)(command)
    app_commands.autocomplete(
        dataset=_autocomplete.suggest_datasets,
        class_photos=_autocomplete.suggest_datasets,
        base=_autocomplete.suggest_bases,
    )(command)
    said = method.title
    if method.help:
        said = fill(wording.training.METHOD, title=method.title, help=method.help)
    return app_commands.Command(name=method.name, description=flatten(said, 100), callback=command)


@app_commands.guild_only()
class Training(commands.GroupCog, name="train", description=wording.training.COMMAND):
    """Starting trainings: a command for each method that the catalog has."""

    def __init__(self, bot: Bot) -> None:
        self.bot = bot
        self.methods: tuple[Method, ...] = ()
        self.watching = tasks.loop(seconds=CATALOG_SECONDS)(self.refresh)
        self.watching.before_loop(bot.wait_until_ready)

    async def cog_load(self) -> None:
        """Offer the methods before Discord is told the commands, and whenever they change."""
        await self.offer()
        self.watching.start()

    async def cog_unload(self) -> None:
        """Stop watching the catalog."""
        self.watching.cancel()

    async def refresh(self) -> None:
        """Tell Discord the commands if the catalog's methods have changed."""
        if await self.offer():
            await self.bot.tree.sync()

    async def offer(self) -> bool:
        """Have a command for each method of the catalog; return whether that changed any."""
        methods = (await self.bot.store.catalog.read()).methods[:MAX_METHODS]
        if methods == self.methods:
            return False
        group = cast("app_commands.Group", self.app_command)
        for method in self.methods:
            group.remove_command(method.name)
        for method in methods:
            group.add_command(train_command(method))
        self.methods = methods
        return True

    @app_commands.command(description=wording.comparison.COMMAND)
    @app_commands.describe(**wording.comparison.OPTIONS)
    @app_commands.choices(dial=DIALS)
    @app_commands.autocomplete(
        dataset=_autocomplete.suggest_datasets,
        base=_autocomplete.suggest_bases,
        other_base=_autocomplete.suggest_bases,
        third_base=_autocomplete.suggest_bases,
        method=_autocomplete.suggest_methods,
        other_method=_autocomplete.suggest_methods,
        third_method=_autocomplete.suggest_methods,
    )
    async def compare(  # noqa: PLR0913, PLR0917 (what an expert may set)
        self,
        interaction: Interaction,
        dataset: str,
        base: str = "",
        other_base: str = "",
        third_base: str = "",
        method: str = DEFAULT_METHOD,
        other_method: str = "",
        third_method: str = "",
        dial: str = "balanced",
        word: str = "",
        steps: int = 0,
        private: bool = False,
    ) -> None:
        """Show what comparing would cost and tell, with the button that starts it."""
        with refusing_duplicates(interaction, dataset):
            await defer(interaction)
            bot = interaction.client
            found = await bot.store.datasets.get_by_name(interaction.user.id, dataset)
            bases: tuple[str, ...] = (base or bot.settings.default_base, other_base, third_base)
            methods: tuple[str, ...] = method, other_method, third_method
            bases, methods = (tuple(filter(None, each)) for each in (bases, methods))
            order = ComparisonOrder(found.id, bases, methods, Dial(dial), steps, word, private)
            await edit(interaction, await comparison.order_card(interaction, order))

    @app_commands.command(description=wording.sweep.COMMAND)
    @app_commands.describe(**wording.sweep.OPTIONS)
    @app_commands.choices(dial=DIALS)
    @app_commands.autocomplete(
        dataset=_autocomplete.suggest_datasets,
        method=_autocomplete.suggest_methods,
        base=_autocomplete.suggest_bases,
    )
    async def sweep(  # noqa: PLR0913, PLR0917 (what an expert may set)
        self,
        interaction: Interaction,
        dataset: str,
        method: str = DEFAULT_METHOD,
        dial: str = "thorough",
        base: str = "",
        word: str = "",
        steps: int = 0,
        rank: int = 0,
        rate: float = 0.0,
        private: bool = False,
    ) -> None:
        """Show the settings that would be tried, with the button that starts it."""
        order = TrainingOrder(0, method, base, Dial(dial), steps, rank, rate, word, private)
        with refusing_duplicates(interaction, dataset):
            asked = await complete_order(interaction, dataset, order)
            await edit(interaction, await sweeps.sweep_card(interaction, SweepOrder(asked)))

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
            asked = Question(found.id, commercial=commercial, private=private, class_word=word)
            await edit(interaction, await advice.advice_card(interaction, asked))


async def show_preflight(
    interaction: Interaction, name: str, order: TrainingOrder, class_photos: str
) -> None:
    """Show the pre-flight card of an order for the member's datasets of these names."""
    with refusing_duplicates(interaction, name):
        asked = await complete_order(interaction, name, order)
        if class_photos:
            datasets = interaction.client.store.datasets
            kind = await datasets.get_by_name(interaction.user.id, class_photos)
            asked = replace(asked, class_dataset=kind.id)
        beside = await advice.advice_beside(interaction, asked)
        await edit(interaction, await preflight.preflight_card(interaction, asked, *beside))


async def complete_order(
    interaction: Interaction, name: str, order: TrainingOrder
) -> TrainingOrder:
    """Answer that it takes a moment; return an order with its dataset, and the usual base."""
    await defer(interaction)
    bot = interaction.client
    dataset = await bot.store.datasets.get_by_name(interaction.user.id, name)
    return replace(order, dataset=dataset.id, base=order.base or bot.settings.default_base)


async def setup(bot: Bot) -> None:
    """Add the commands."""
    await bot.add_cog(Training(bot))
