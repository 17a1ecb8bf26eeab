"""/dataset: members' named sets of photos."""

from __future__ import annotations

import discord
from discord import app_commands
from discord.ext import commands

from bot import wording
from bot.actions.permissions import check_not_blocked, refusing_duplicates
from bot.bot import Bot, Interaction
from bot.cards import consent
from bot.cards import dataset as cards
from bot.cards.agreement import has_agreed
from bot.cards.captions import captions_card
from bot.cards.collecting import start_collecting
from bot.cards.components import defer, edit, parse_id
from bot.cards.contribution import contribution_card, invitation_card, removed_card
from bot.cards.dataset_deletion import delete_card
from bot.cards.export import export_card
from bot.cards.upload_link import upload_card
from bot.cogs import _autocomplete
from storage.errors import UserError
from storage.records import Concept, Dataset

KINDS = [
    app_commands.Choice(name=text, value=str(concept))
    for concept, text in wording.dataset.CONCEPTS.items()
]
WAITING = 100  #: members whose photos wait for their consent at once


@app_commands.guild_only()
class Datasets(commands.GroupCog, name="dataset", description=wording.dataset.COMMAND):
    """The commands for datasets."""

    @app_commands.command(description=wording.dataset.COMMAND_NEW)
    @app_commands.describe(**wording.dataset.NEW_OPTIONS)
    @app_commands.choices(kind=KINDS)
    async def new(
        self, interaction: Interaction, name: str, kind: str = "subject", trigger: str = ""
    ) -> None:
        """Create an empty dataset and show its card."""
        await defer(interaction)
        guild = interaction.guild_id or 0
        made = await interaction.client.store.datasets.create(
            interaction.user.id, guild, name, Concept(kind), trigger
        )
        await edit(interaction, await cards.dataset_card(interaction.client, made))

    @app_commands.command(description=wording.dataset.COMMAND_ADD)
    @app_commands.describe(**wording.dataset.ADD_OPTIONS)
    @app_commands.autocomplete(name=_autocomplete.suggest_open_datasets)
    async def add(  # noqa: PLR0913, PLR0917 (Discord's attachment options take one file each)
        self,
        interaction: Interaction,
        name: str,
        photo1: discord.Attachment | None = None,
        photo2: discord.Attachment | None = None,
        photo3: discord.Attachment | None = None,
        photo4: discord.Attachment | None = None,
        photo5: discord.Attachment | None = None,
    ) -> None:
        """Take photos from the options; without any, open the form."""
        files = [file for file in (photo1, photo2, photo3, photo4, photo5) if file]
        if not files:
            await cards.open_add_form(interaction, await get_open_dataset(interaction, name))
            return
        with refusing_duplicates(interaction, name):
            await defer(interaction)
            dataset = await get_open_dataset(interaction, name)
            if await has_agreed(interaction, dataset):
                await edit(interaction, await cards.add_photos(interaction, dataset, files))
                return
            keep_until_consent(interaction, dataset, files)
            await edit(interaction, await consent.consent_card(interaction, dataset, consent.ADD))

    @app_commands.command(description=wording.upload.COMMAND)
    @app_commands.describe(name=wording.dataset.OPTION)
    @app_commands.autocomplete(name=_autocomplete.suggest_open_datasets)
    async def upload(self, interaction: Interaction, name: str) -> None:
        """Give a link to the page that takes photos."""
        await defer(interaction)
        dataset = await get_open_dataset(interaction, name)
        await edit(interaction, upload_card(interaction, dataset))

    @app_commands.command(description=wording.dataset.COMMAND_SHOW)
    @app_commands.describe(name=wording.dataset.OPTION)
    @app_commands.autocomplete(name=_autocomplete.suggest_open_datasets)
    async def show(self, interaction: Interaction, name: str) -> None:
        """Show a dataset's photos with their captions; of another's dataset, one's own photos."""
        await defer(interaction)
        dataset = await get_open_dataset(interaction, name)
        if dataset.owner == interaction.user.id:
            await edit(interaction, await cards.dataset_card(interaction.client, dataset))
        else:
            await edit(interaction, await contribution_card(interaction, dataset))

    @app_commands.command(description=wording.contribution.COMMAND_INVITE)
    @app_commands.describe(**wording.contribution.INVITE_OPTIONS)
    @app_commands.autocomplete(name=_autocomplete.suggest_datasets)
    async def invite(self, interaction: Interaction, name: str, member: discord.Member) -> None:
        """Post an invitation to add photos to a dataset, which pings the member."""
        await check_not_blocked(interaction)
        dataset = await get_own_dataset(interaction, name)
        if member.bot:
            raise UserError("invite_bot")
        await interaction.client.store.contributors.invite(dataset.id, dataset.owner, member.id)
        pinged = discord.AllowedMentions(users=[member])
        card = invitation_card(dataset, member.id)
        await interaction.response.send_message(view=card, allowed_mentions=pinged)

    @app_commands.command(description=wording.captions.COMMAND)
    @app_commands.describe(name=wording.dataset.OPTION)
    @app_commands.autocomplete(name=_autocomplete.suggest_datasets)
    async def captions(self, interaction: Interaction, name: str) -> None:
        """Show a dataset's captions, to edit them."""
        await defer(interaction)
        dataset = await get_own_dataset(interaction, name)
        await edit(interaction, await captions_card(interaction.client, dataset))

    @app_commands.command(description=wording.dataset.COMMAND_EXPORT)
    @app_commands.describe(name=wording.dataset.OPTION)
    @app_commands.autocomplete(name=_autocomplete.suggest_datasets)
    async def export(self, interaction: Interaction, name: str) -> None:
        """Offer the forms in which a dataset can be exported."""
        await defer(interaction)
        await edit(interaction, export_card(await get_own_dataset(interaction, name)))

    @app_commands.command(description=wording.dataset.COMMAND_DELETE)
    @app_commands.describe(name=wording.dataset.OPTION)
    @app_commands.autocomplete(name=_autocomplete.suggest_datasets)
    async def delete(self, interaction: Interaction, name: str) -> None:
        """Ask for confirmation before a dataset is deleted."""
        await defer(interaction)
        dataset = await get_own_dataset(interaction, name)
        store = interaction.client.store
        photos = await store.photos.list_for(dataset.id, dataset.owner)
        styles = await store.datasets.count_styles(dataset.id, dataset.owner)
        await edit(interaction, delete_card(dataset, len(photos), styles))

    @app_commands.command(description=wording.dataset.COMMAND_COLLECT)
    @app_commands.describe(name=wording.dataset.OPTION)
    @app_commands.autocomplete(name=_autocomplete.suggest_datasets)
    async def collect(self, interaction: Interaction, name: str) -> None:
        """Start taking the photos that the member posts in this channel."""
        await defer(interaction)
        dataset = await get_own_dataset(interaction, name)
        if interaction.client.settings.collect_messages and not await has_agreed(interaction):
            card = await consent.consent_card(interaction, dataset, consent.COLLECT)
            await edit(interaction, card)
            return
        await edit(interaction, await start_collecting(interaction, dataset))

    @app_commands.command(description=wording.contribution.COMMAND_UNINVITE)
    @app_commands.describe(**wording.contribution.UNINVITE_OPTIONS)
    @app_commands.autocomplete(name=_autocomplete.suggest_datasets)
    async def uninvite(self, interaction: Interaction, name: str, member: discord.User) -> None:
        """Take a member out of a dataset, with their photos."""
        await defer(interaction)
        dataset = await get_own_dataset(interaction, name)
        contributors = interaction.client.store.contributors
        photos = await contributors.remove(dataset.id, dataset.owner, member.id)
        await edit(interaction, removed_card(dataset, member.id, photos))


async def get_own_dataset(interaction: Interaction, name: str) -> Dataset:
    """Return the member's dataset of that name; raise UserError if there is none."""
    return await interaction.client.store.datasets.get_by_name(interaction.user.id, name)


async def get_open_dataset(interaction: Interaction, name: str) -> Dataset:
    """Return the member's dataset of a name, or another's that they add photos to."""
    contributors, member = interaction.client.store.contributors, interaction.user.id
    if name.startswith(_autocomplete.SHARED):
        return await contributors.get_open(
            parse_id(name.removeprefix(_autocomplete.SHARED)), member
        )
    try:
        return await get_own_dataset(interaction, name)
    except UserError:
        if (joined := await contributors.find_joined(member, name)) is None:
            raise
        return joined


def keep_until_consent(
    interaction: Interaction, dataset: Dataset, files: list[discord.Attachment]
) -> None:
    """Keep files until their owner agrees to the terms; of too many, drop the oldest."""
    waiting = interaction.client.awaiting_consent
    waiting[interaction.user.id, dataset.id] = files
    while len(waiting) > WAITING:
        waiting.pop(next(iter(waiting)))


async def setup(bot: Bot) -> None:
    """Add the commands."""
    await bot.add_cog(Datasets(bot))
