"""Buttons that let the captioner write the captions of one photo or some anew."""

from __future__ import annotations

from collections.abc import Sequence

from bot import wording
from bot.actions.photos import queue_captions
from bot.bot import Interaction
from bot.card import Card
from bot.cards.components import Button, defer_update, follow_up, text
from bot.cards.dataset_button import DatasetButton
from bot.wording import format_count, say
from storage.records import Dataset, Photo


async def recaption(interaction: Interaction, dataset: Dataset, photos: Sequence[Photo]) -> None:
    """Queue captions for those of some photos that their owner did not write, and say so."""
    wanted = [photo for photo in photos if not photo.written]
    await queue_captions(interaction.client, dataset, interaction.channel_id or 0, wanted)
    count = format_count(len(wanted), "photo")
    await follow_up(interaction, Card(text(say(wording.captions.QUEUED, photos=count))))


class CaptionSome(DatasetButton, verb="captions:again"):
    """Caption the photos from one place to another."""

    label = wording.captions.CAPTION_THESE

    async def press(self, interaction: Interaction) -> None:
        await defer_update(interaction)
        dataset = await self.get_dataset(interaction)
        photos = await interaction.client.store.photos.list_for(dataset.id, dataset.owner)
        first, count = max(0, self.number(1)), max(0, self.number(2))
        await recaption(interaction, dataset, photos[first : first + count])


class CaptionPhoto(Button, verb="photo:caption"):
    """Caption one photo."""

    label = wording.dataset.CAPTION_AGAIN

    async def press(self, interaction: Interaction) -> None:
        await defer_update(interaction)
        store = interaction.client.store
        photo = await store.photos.get(self.number(0), interaction.user.id)
        dataset = await store.datasets.get(photo.dataset, photo.owner)
        await recaption(interaction, dataset, [photo])
