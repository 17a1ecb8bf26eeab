"""The dataset card: its photos with captions, and its buttons and forms."""

from __future__ import annotations

from typing import Any

import discord
from discord import ui

from bot import wording
from bot.actions.advice import Question
from bot.actions.photos import (
    MAX_FILES,
    MIN_PHOTOS,
    ReceivedPhotos,
    number_previews,
    queue_captions,
    receive_photos,
)
from bot.bot import Bot, Interaction
from bot.card import Card
from bot.cards.advice import advice_card
from bot.cards.agreement import PhotosForm, has_agreed
from bot.cards.captions import MAX_SHOWN_CHARS, OpenCaptions
from bot.cards.components import (
    Button,
    Form,
    Select,
    defer,
    defer_update,
    edit,
    follow_up,
    open_modal,
    row,
    text,
    text_input,
)
from bot.cards.dataset_button import DatasetButton
from bot.cards.dataset_text import (
    PHOTOS_PER_PAGE,
    DatasetView,
    alt_text,
    page_line,
    photo_line,
    photo_option,
    received_lines,
    show_trigger,
)
from bot.wording import escape, fill, flatten, format_count, format_size, say
from storage.photos.sandbox import MAX_FILE_BYTES
from storage.records import Dataset, Photo


async def dataset_card(bot: Bot, dataset: Dataset, page: int = 0) -> Card:
    """Return a page of a dataset, nine photos on each."""
    view = await DatasetView.load(bot, dataset)
    page = min(max(page, 0), view.pages - 1)
    first = page * PHOTOS_PER_PAGE
    shown = list(enumerate(view.photos[first : first + PHOTOS_PER_PAGE], first + 1))
    title = say(
        wording.dataset.TITLE, name=dataset.name, photos=format_count(len(view.photos), "photo")
    )
    card = Card(text(title, view.status_lines()))
    if shown:
        previews = await number_previews(bot, shown)
        card.add(
            ui.MediaGallery(
                *(
                    discord.MediaGalleryItem(
                        card.attach_content(preview, f"photo-{index}.webp"),
                        description=flatten(alt_text(dataset, index, photo), 1000),
                    )
                    for (index, photo), preview in zip(shown, previews, strict=True)
                )
            )
        )
        lines = [photo_line(index, photo) for index, photo in shown]
        card.add(text(*lines, page_line(page, view.pages)))
        card.add(row(Pick(dataset.id, options=[photo_option(*one) for one in shown])))
    card.add(text(say(wording.dataset.TRIGGER, trigger=dataset.trigger)))
    if view.pages > 1:
        earlier = TurnPage(dataset.id, page - 1, label=wording.dataset.EARLIER, disabled=page == 0)
        later = TurnPage(
            dataset.id, page + 1, label=wording.dataset.LATER, disabled=page == view.pages - 1
        )
        card.add(row(earlier, later))
    again = Caption(dataset.id, disabled=not view.photos or view.captioning)
    captions = OpenCaptions(dataset.id, disabled=not view.photos)
    card.add(row(Add(dataset.id), captions, again))
    train = [Train(dataset.id)] if len(view.photos) >= MIN_PHOTOS else []
    return card.add(row(*train, Refresh(dataset.id, page)))


async def photo_card(bot: Bot, photo: Photo) -> Card:
    """Return the card of one photo."""
    dataset = await bot.store.datasets.get(photo.dataset, photo.owner)
    photos = await bot.store.photos.list_for(dataset.id, dataset.owner)
    index = [one.id for one in photos].index(photo.id) + 1
    photo = show_trigger(photo, dataset)
    card = Card(text(say(wording.dataset.PHOTO_TITLE, number=index, name=dataset.name)))
    card.add_gallery(
        [(bot.store.home.preview_file(photo.digest), alt_text(dataset, index, photo))]
    )
    size = say(wording.dataset.PHOTO_SIZE, width=photo.width, height=photo.height)
    warnings = [
        fill(wording.dataset.PHOTO_WARNINGS, warnings=wording.dataset.WARNINGS[w])
        for w in photo.warnings
    ]
    card.add(text(escape(photo.caption or wording.dataset.UNCAPTIONED), size, *warnings))
    back = TurnPage(dataset.id, (index - 1) // PHOTOS_PER_PAGE, label=wording.dataset.BACK)
    return card.add(row(Edit(photo.id), Remove(photo.id, (index - 1) // PHOTOS_PER_PAGE), back))


def received_card(dataset: Dataset, received: ReceivedPhotos) -> Card:
    """Return a card of what became of each uploaded file."""
    buttons = [Open(dataset.id), Add(dataset.id, label=wording.dataset.ADD_MORE)]
    if received.stored >= MIN_PHOTOS:
        buttons.append(Train(dataset.id))
    return Card(text(*received_lines(dataset, received)), row(*buttons))


def delete_card(dataset: Dataset, photos: int) -> Card:
    """Return a card that asks for confirmation."""
    question = say(
        wording.dataset.DELETE_ASK, name=dataset.name, photos=format_count(photos, "photo")
    )
    return Card(text(question), row(Delete(dataset.id), Keep()))


async def add_photos(
    interaction: Interaction, dataset: Dataset, files: list[discord.Attachment]
) -> Card:
    """Add files to a dataset, queue their captions, and return a card of what became of them."""
    bot = interaction.client
    received = await receive_photos(bot, dataset, files)
    uncaptioned = [photo for _, photo in received.photos if not photo.caption]
    await queue_captions(bot, dataset, interaction.channel_id or 0, uncaptioned)
    return received_card(dataset, received)


async def open_add_form(interaction: Interaction, dataset: Dataset) -> None:
    """Open the form for photos."""
    agreed = await has_agreed(interaction)
    await open_modal(interaction, AddForm(dataset, interaction.filesize_limit, agreed=agreed))


class Open(DatasetButton, verb="dataset:open"):
    """Show the dataset in a new message."""

    label = wording.dataset.SHOW_PHOTOS

    async def press(self, interaction: Interaction) -> None:
        await defer_update(interaction)
        await follow_up(
            interaction,
            await dataset_card(interaction.client, await self.get_dataset(interaction)),
        )


class Train(DatasetButton, verb="dataset:train"):
    """Show how to train on the dataset in a new message."""

    label = wording.dataset.TRAIN

    async def press(self, interaction: Interaction) -> None:
        await defer_update(interaction)
        await follow_up(interaction, await advice_card(interaction, Question(self.number(0))))


class TurnPage(DatasetButton, verb="dataset:page"):
    """Show another page."""

    async def press(self, interaction: Interaction) -> None:
        await defer_update(interaction)
        dataset = await self.get_dataset(interaction)
        await edit(interaction, await dataset_card(interaction.client, dataset, self.number(1)))


class Refresh(TurnPage, verb="dataset:refresh"):
    """Show the same page as it is now."""

    label = wording.dataset.REFRESH


class Add(DatasetButton, verb="dataset:add"):
    """Open the form for photos."""

    label = wording.dataset.ADD_PHOTOS
    style = discord.ButtonStyle.primary

    async def press(self, interaction: Interaction) -> None:
        await open_add_form(interaction, await self.get_dataset(interaction))


class Caption(DatasetButton, verb="dataset:caption"):
    """Caption all photos again; captions that the member wrote stay."""

    label = wording.dataset.CAPTION_AGAIN

    async def press(self, interaction: Interaction) -> None:
        await defer_update(interaction)
        bot, dataset = interaction.client, await self.get_dataset(interaction)
        photos = await bot.store.photos.list_for(dataset.id, dataset.owner)
        await queue_captions(bot, dataset, interaction.channel_id or 0, photos)
        await edit(interaction, await dataset_card(bot, dataset))


class Delete(DatasetButton, verb="dataset:delete"):
    """Delete the dataset."""

    label = wording.dataset.DELETE
    style = discord.ButtonStyle.danger

    async def press(self, interaction: Interaction) -> None:
        await defer_update(interaction)
        store, dataset = interaction.client.store, await self.get_dataset(interaction)
        photos = format_count(len(await store.photos.list_for(dataset.id, dataset.owner)), "photo")
        await store.datasets.delete(dataset.id, dataset.owner)
        await edit(
            interaction, Card(text(say(wording.dataset.DELETED, name=dataset.name, photos=photos)))
        )


class Keep(Button, verb="card:keep"):
    """Change nothing, and confirm it."""

    label = wording.dataset.KEEP

    async def press(self, interaction: Interaction) -> None:
        await defer_update(interaction)
        await edit(interaction, Card(text(wording.dataset.UNCHANGED)))


class Pick(Select, verb="photo:pick"):
    """Select a photo to change."""

    placeholder = wording.dataset.PICK_PHOTO

    async def press(self, interaction: Interaction) -> None:
        await defer_update(interaction)
        store = interaction.client.store
        photo = await store.photos.get(self.chosen_number, interaction.user.id)
        await edit(interaction, await photo_card(interaction.client, photo))


class Edit(Button, verb="photo:edit"):
    """Open the form for a caption."""

    label = wording.dataset.EDIT_CAPTION
    style = discord.ButtonStyle.primary

    async def press(self, interaction: Interaction) -> None:
        store = interaction.client.store
        photo = await store.photos.get(self.number(0), interaction.user.id)
        dataset = await store.datasets.get(photo.dataset, photo.owner)
        await open_modal(interaction, CaptionForm(show_trigger(photo, dataset)))


class Remove(Button, verb="photo:remove"):
    """Remove the photo from the dataset."""

    label = wording.dataset.REMOVE
    style = discord.ButtonStyle.danger

    async def press(self, interaction: Interaction) -> None:
        await defer_update(interaction)
        store, owner = interaction.client.store, interaction.user.id
        photo = await store.photos.get(self.number(0), owner)
        await store.photos.remove(photo.id, owner)
        dataset = await store.datasets.get(photo.dataset, owner)
        await edit(interaction, await dataset_card(interaction.client, dataset, self.number(1)))


class AddForm(PhotosForm):
    """A form for up to ten photos, and for the consent to store them if it was not given."""

    def __init__(self, dataset: Dataset, max_bytes: int, *, agreed: bool) -> None:
        super().__init__(title=flatten(fill(wording.dataset.ADD_FORM, name=dataset.name), 45))
        self.dataset = dataset
        self.photos: ui.FileUpload[Any] = ui.FileUpload(
            custom_id="photos", min_values=1, max_values=MAX_FILES
        )
        limit = format_size(min(max_bytes, MAX_FILE_BYTES))
        hint = fill(wording.dataset.ADD_HINT, count=MAX_FILES, limit=limit)
        self.add_field(wording.dataset.ADD_LABEL, self.photos, hint)
        if not agreed:
            self.ask_consent()

    async def submit(self, interaction: Interaction) -> None:
        """Record the consent and add the photos."""
        await defer(interaction)
        await self.require_consent(interaction)
        await edit(interaction, await add_photos(interaction, self.dataset, self.photos.values))


class CaptionForm(Form):
    """A form for one photo's caption."""

    def __init__(self, photo: Photo) -> None:
        super().__init__(title=wording.dataset.CAPTION_FORM)
        self.photo = photo
        long = discord.TextStyle.paragraph
        self.caption = text_input(
            "caption", photo.caption, style=long, required=False, max_length=MAX_SHOWN_CHARS
        )
        label, hint = wording.dataset.CAPTION_LABEL, wording.dataset.CAPTION_HINT
        self.add_field(label, self.caption, hint)

    async def submit(self, interaction: Interaction) -> None:
        """Store the caption and show the photo with it."""
        await defer_update(interaction)
        store, owner = interaction.client.store, interaction.user.id
        if self.caption.value != self.photo.caption:
            await store.photos.set_caption(self.photo.id, owner, self.caption.value)
        photo = await store.photos.get(self.photo.id, owner)
        await edit(interaction, await photo_card(interaction.client, photo))
