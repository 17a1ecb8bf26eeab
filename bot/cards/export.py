"""The card that exports a dataset for other programs, in one of four forms."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from tempfile import TemporaryDirectory

import discord

from bot import wording
from bot.actions.export import list_released, pack_dataset
from bot.actions.permissions import refusing_duplicates
from bot.bot import Interaction
from bot.card import Card
from bot.cards.components import defer, edit, follow_up, row, text
from bot.cards.dataset_button import DatasetButton
from bot.wording import format_count, say
from storage.photosets.pack import SetForm
from storage.records import Dataset

MIB = 1024 * 1024
FORMS = tuple(SetForm)  #: a button carries the place of its form in here


def export_card(dataset: Dataset) -> Card:
    """Return a card that says what the forms are, with a button for each."""
    title = say(wording.dataset.EXPORT_TITLE, name=dataset.name)
    buttons = (
        Export(dataset.id, place, label=wording.dataset.FORMS[form])
        for place, form in enumerate(FORMS)
    )
    return Card(text(title, *wording.dataset.FORMS_EXPLAINED), row(*buttons))


class Export(DatasetButton, verb="dataset:export"):
    """Send the dataset in a form, in as many zips as Discord's limit asks for."""

    async def press(self, interaction: Interaction) -> None:
        with refusing_duplicates(interaction, self.verb):
            await defer(interaction)
            dataset, form = await self.get_dataset(interaction), FORMS[self.number(1) % len(FORMS)]
            photos, withheld = await list_released(interaction.client.store, dataset)
            said = say(wording.dataset.EXPORTED, photos=format_count(len(photos), "photo"))
            if withheld:
                photos_of_others = format_count(withheld, "photo")
                said += "\n" + say(wording.contribution.WITHHELD, photos=photos_of_others)
            await send_zips(
                interaction,
                said,
                lambda folder, most: asyncio.to_thread(
                    pack_dataset, dataset, photos, form, folder, most
                ),
            )


async def send_zips(
    interaction: Interaction, said: str, write: Callable[[Path, int], Awaitable[list[Path]]]
) -> None:
    """Send zips, one a message; `write` is given a folder and the size that each may have."""
    client = interaction.client
    client.store.home.exports.mkdir(exist_ok=True)
    with TemporaryDirectory(dir=client.store.home.exports) as folder:
        most = min(client.settings.upload_mib * MIB, interaction.filesize_limit)
        zips = await write(Path(folder), most)
        for place, path in enumerate(zips, 1):
            part = say(wording.member.EXPORTED_PART, part=place, parts=len(zips))
            card = Card(text(said if place == 1 else part))
            card.add(discord.ui.File(card.attach(path)))
            await (edit if place == 1 else follow_up)(interaction, card)
