"""Autocompletion of options: names, the ones used last first."""

from __future__ import annotations

from contextlib import suppress
from typing import TypeAlias

from discord import app_commands

from bot import wording
from bot.actions import sampling
from bot.actions.permissions import is_moderator
from bot.bot import Interaction
from bot.wording import fill, flatten
from storage.errors import UserError
from storage.records import Catalog, Style

Choices: TypeAlias = list[app_commands.Choice[str]]
Steps: TypeAlias = list[app_commands.Choice[int]]
SHARED = "shared:"  #: before the id of another member's dataset; no name has such a sign
MAX_CHOICES = 25  #: what Discord shows


async def suggest_datasets(interaction: Interaction, current: str) -> Choices:
    """Return the member's own datasets."""
    own = await interaction.client.store.datasets.list_for(interaction.user.id)
    return matching_choices([(dataset.name, dataset.name) for dataset in own], current)


async def suggest_open_datasets(interaction: Interaction, current: str) -> Choices:
    """Return the member's own datasets, and those of others that they add photos to."""
    store, member = interaction.client.store, interaction.user.id
    own = [(dataset.name, dataset.name) for dataset in await store.datasets.list_for(member)]
    others = [
        (fill(wording.contribution.SHARED_CHOICE, name=dataset.name), f"{SHARED}{dataset.id}")
        for dataset in await store.contributors.list_joined(member)
    ]
    return matching_choices([*own, *others], current)


async def suggest_bases(interaction: Interaction, current: str) -> Choices:
    """Return the installed bases by their titles."""
    catalog = await interaction.client.store.catalog.read()
    here = [(base.title, base.name) for base in catalog.bases if base.present]
    return matching_choices(here, current)


async def suggest_methods(interaction: Interaction, current: str) -> Choices:
    """Return the methods by their titles."""
    catalog = await interaction.client.store.catalog.read()
    return matching_choices([(each.title, each.name) for each in catalog.methods], current)


async def suggest_fitting_bases(interaction: Interaction, current: str) -> Choices:
    """Return the installed bases; those that fit the style if one was picked."""
    catalog = await interaction.client.store.catalog.read()
    bases = [base for base in catalog.bases if base.present]
    with suppress(UserError):  # no such style: the command will say so
        typed = str(getattr(interaction.namespace, "style", None) or "")
        member, guild = interaction.user.id, interaction.guild_id or 0
        style = await sampling.find_style(interaction.client.store, typed, member, guild)
        bases = [base for base in bases if sampling.fits_base(style, base, catalog)]
    return matching_choices([(base.title, base.name) for base in bases], current)


async def suggest_styles(interaction: Interaction, current: str) -> Choices:
    """Return the styles that a member can use here, their own first, and the choice of none."""
    member, guild = interaction.user.id, interaction.guild_id or 0
    usable = await interaction.client.store.styles.list_usable(member, guild)
    none = [(wording.sample.NO_STYLE, sampling.NO_STYLE)] if usable else []
    return [*await style_choices(interaction, usable, current), *matching_choices(none, current)][
        :MAX_CHOICES
    ]


async def suggest_usable_styles(interaction: Interaction, current: str) -> Choices:
    """Return the styles that a member can use here, their own first."""
    member, guild = interaction.user.id, interaction.guild_id or 0
    usable = await interaction.client.store.styles.list_usable(member, guild)
    return await style_choices(interaction, usable, current)


async def suggest_checkpoints(interaction: Interaction, current: str) -> Steps:
    """Return the steps of the checkpoints that are kept of the style that was picked."""
    return await list_steps(interaction, "style", str(current))


async def suggest_other_checkpoints(interaction: Interaction, current: str) -> Steps:
    """Return the steps of the checkpoints of the style that it is compared with."""
    return await list_steps(interaction, "against", str(current))


async def list_steps(interaction: Interaction, option: str, current: str) -> Steps:
    """Return steps, which begin with what was typed, of the style that an option names."""
    store, member = interaction.client.store, interaction.user.id
    with suppress(UserError):  # no such style of theirs: the command will say so
        typed = str(getattr(interaction.namespace, option, None) or "")
        style = await sampling.find_style(store, typed, member, 0)
        steps = [str(each.step) for each in await store.checkpoints.list_for(style)]
        kept = [step for step in steps if step.startswith(current)]
        return [app_commands.Choice(name=step, value=int(step)) for step in kept[-MAX_CHOICES:]]
    return []


async def suggest_own_styles(interaction: Interaction, current: str) -> Choices:
    """Return the member's own styles."""
    member = interaction.user.id
    own = await interaction.client.store.styles.list_for(member)
    return await style_choices(interaction, own, current)


async def suggest_shared_styles(interaction: Interaction, current: str) -> Choices:
    """Return the styles the member may unshare here: their own; all of them for moderators."""
    member, guild = interaction.user.id, interaction.guild_id or 0
    usable = await interaction.client.store.styles.list_usable(member, guild)
    shared = [style for style in usable if guild in style.shared]
    own = [style for style in shared if style.owner == member]
    found = shared if is_moderator(interaction) else own
    return await style_choices(interaction, found, current)


async def style_choices(interaction: Interaction, styles: list[Style], current: str) -> Choices:
    """Return choices of styles whose titles match."""
    catalog, member = await interaction.client.store.catalog.read(), interaction.user.id
    return matching_choices(
        [(style_title(style, member, catalog), str(style.id)) for style in styles], current
    )


def style_title(style: Style, member: int, catalog: Catalog) -> str:
    """Return a style's name with its method and id: names may repeat."""
    method = catalog.method_title(style.method)
    shared = "" if style.owner == member else wording.style.SHARED_HERE
    return f"{style.name} · {method} {style.id}{shared}"


def matching_choices(pairs: list[tuple[str, str]], current: str) -> Choices:
    """Return choices of (title, value) pairs whose titles contain what was typed."""
    typed = current.casefold().strip()
    kept = [pair for pair in pairs if typed in pair[0].casefold()]
    return [
        app_commands.Choice(name=flatten(title, 100), value=value)
        for title, value in kept[:MAX_CHOICES]
    ]
