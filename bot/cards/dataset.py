"""The dataset card: its photos with captions, and its buttons and forms."""

from __future__ import annotations

from typing import Any

import discord
from discord import ui

from bot import wording
from bot.actions.advice import Question
from bot.actions.framing import Crops, Press, draw_tiles, framing_numbers, read_framing, read_press
from bot.actions.photos import MAX_FILES, ReceivedPhotos, queue_captions, receive_photos
from bot.bot import Bot, Interaction
from bot.card import Card
from bot.cards.advice import advice_card
from bot.cards.agreement import PhotosForm, has_agreed, make_terms
from bot.cards.bars import CutBars
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
    crop_lines,
    loss_lines,
    page_line,
    photo_line,
    photo_lines,
    photo_option,
    received_lines,
    show_trigger,
    unchecked_line,
    verdict_lines,
)
from bot.cards.photo_concepts import add_concepts
from bot.cards.photo_gallery import add_photo_gallery
from bot.cards.recaption import CaptionPhoto
from bot.cards.shots import OpenShots, find_spare
from bot.cards.upload_link import Upload
from bot.wording import fill, flatten, format_count, format_size, say
from storage.crops import Framing
from storage.photos.sandbox import MAX_FILE_BYTES
from storage.planning.readiness import MIN_PHOTOS
from storage.records import Dataset, Photo

STRESSED_REPEATS = 2  #: of a photo that counts more than others


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
        await add_photo_gallery(bot, card, dataset, shown, view.crops)
        lines = [photo_line(index, photo, view.verdicts[index - 1]) for index, photo in shown]
        card.add(text(*lines, page_line(page, view.pages), unchecked_line(view)))
        card.add(row(Pick(dataset.id, options=[photo_option(*one) for one in shown])))
    card.add(
        text(
            say(wording.dataset.TRIGGER, trigger=dataset.trigger), *await loss_lines(bot, dataset)
        )
    )
    if view.pages > 1:
        earlier = TurnPage(dataset.id, page - 1, label=wording.dataset.EARLIER, disabled=page == 0)
        later = TurnPage(
            dataset.id, page + 1, label=wording.dataset.LATER, disabled=page == view.pages - 1
        )
        card.add(row(earlier, later))
    captions = [OpenCaptions(dataset.id), Caption(dataset.id, disabled=view.captioning)]
    upload = [Upload(dataset.id)] if bot.web.public else []
    card.add(row(Add(dataset.id), *upload, *(captions if shown else [])))
    train = [Train(dataset.id)] if len(view.photos) >= MIN_PHOTOS else []
    shots = [OpenShots(dataset.id)] if find_spare(view.photos) else []
    return card.add(row(*train, *shots, Refresh(dataset.id, page)))


async def photo_card(bot: Bot, photo: Photo, before: Framing | None = None) -> Card:
    """Return the card of one photo; with what was kept of it before, that can be undone."""
    dataset = await bot.store.datasets.get(photo.dataset, photo.owner)
    view = await DatasetView.load(bot, dataset)
    index = [one.id for one in view.photos].index(photo.id) + 1
    photo, verdict, crops = view.photos[index - 1], view.verdicts[index - 1], view.crops
    card = Card(text(say(wording.dataset.PHOTO_TITLE, number=index, name=dataset.name)))
    (tile,) = await draw_tiles(bot, [(0, photo)], crops)
    url = card.attach_content(tile, f"photo-{index}.webp")
    alt = flatten(alt_text(dataset, index, photo), 1000)
    card.add(ui.MediaGallery(discord.MediaGalleryItem(url, description=alt)))
    card.add(text(*photo_lines(photo), *crop_lines(crops, photo), *verdict_lines(verdict)))
    if crops.can_cut(photo):
        card.add(row(*frame_buttons(crops, photo)))
    await add_concepts(bot, card, photo)
    page = (index - 1) // PHOTOS_PER_PAGE
    undo = [] if before is None else [UndoFrame(photo.id, *framing_numbers(before))]
    other = 1 if photo.repeats > 1 else STRESSED_REPEATS
    weigh = Weigh(photo.id, other, label=wording.dataset.REPEATS[other > 1])
    back = TurnPage(dataset.id, page, label=wording.dataset.BACK)
    accept = [Accept(photo.id)] if verdict.can_accept else []
    cut = [CutBars(photo.id)] if verdict.has_bars else []
    card.add(row(Edit(photo.id), weigh, Remove(photo.id, page), *accept, *cut))
    again = CaptionPhoto(photo.id, disabled=photo.written)
    return card.add(row(*undo, again, back))


def frame_buttons(crops: Crops, photo: Photo) -> list[Frame]:
    """Return the buttons that choose what is kept of a photo."""
    places = wording.dataset.SIDES if crops.cuts_sides(photo) else wording.dataset.HEIGHTS
    labels = (*places, wording.dataset.KEEP_WHOLE, wording.dataset.KEEP_FOUND)
    return [
        Frame(photo.id, press, label=label, disabled=crops.is_chosen(photo, press))
        for press, label in zip(Press, labels, strict=True)
    ]


def received_card(dataset: Dataset, received: ReceivedPhotos) -> Card:
    """Return a card of what became of uploaded files; in another's dataset, without buttons."""
    if received.contributor not in {None, dataset.owner}:
        return Card(text(*received_lines(dataset, received), wording.contribution.ADDED))
    buttons = [Open(dataset.id), Add(dataset.id, label=wording.dataset.ADD_MORE)]
    if received.stored >= MIN_PHOTOS:
        buttons.append(Train(dataset.id))
    return Card(text(*received_lines(dataset, received)), row(*buttons))


async def add_photos(
    interaction: Interaction, dataset: Dataset, files: list[discord.Attachment]
) -> Card:
    """Add files to a dataset, queue their captions, and return a card of what became of them."""
    bot = interaction.client
    received = await receive_photos(bot, dataset, files, interaction.user.id)
    uncaptioned = [photo for _, photo in received.photos if not photo.caption]
    await queue_captions(bot, dataset, interaction.channel_id or 0, uncaptioned)
    return received_card(dataset, received)


async def open_add_form(
    interaction: Interaction, dataset: Dataset, kind: type[AddForm] | None = None
) -> None:
    """Open the form for photos, or another kind of it; it asks for consent if need be."""
    form = (kind or AddForm)(dataset, interaction.filesize_limit)
    if not await has_agreed(interaction, dataset):
        form.ask_consent(await make_terms(interaction.client, interaction.user.id, dataset))
    await open_modal(interaction, form)


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


class Frame(Button, verb="photo:frame"):
    """Choose what is kept of the photo."""

    async def press(self, interaction: Interaction) -> None:
        await defer_update(interaction)
        bot, owner = interaction.client, interaction.user.id
        photo = await bot.store.photos.get(self.number(0), owner)
        crops = await Crops.load_for(bot, photo)
        framing = crops.framing(photo, read_press(self.number(1)))
        changed = await bot.store.photos.set_framing(photo.id, owner, framing)
        await edit(interaction, await photo_card(bot, changed, photo.framing))


class UndoFrame(Button, verb="photo:unframe"):
    """Keep what was kept of the photo before."""

    label = wording.dataset.UNDO_CROP

    async def press(self, interaction: Interaction) -> None:
        await defer_update(interaction)
        photo_id, *place = (self.number(at) for at in range(5))
        before, bot = read_framing(*place), interaction.client
        photo = await bot.store.photos.set_framing(photo_id, interaction.user.id, before)
        await edit(interaction, await photo_card(bot, photo))


class Weigh(Button, verb="photo:repeat"):
    """Show the photo more often than others in a training, or as often."""

    async def press(self, interaction: Interaction) -> None:
        await defer_update(interaction)
        photos, owner = interaction.client.store.photos, interaction.user.id
        photo = await photos.set_repeats(self.number(0), owner, self.number(1))
        await edit(interaction, await photo_card(interaction.client, photo))


class Accept(Button, verb="photo:accept"):
    """Keep the photo against advice."""

    label = wording.verdicts.ACCEPT

    async def press(self, interaction: Interaction) -> None:
        await defer_update(interaction)
        photo = await interaction.client.store.photos.accept(self.number(0), interaction.user.id)
        await edit(interaction, await photo_card(interaction.client, photo))


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

    def __init__(self, dataset: Dataset, max_bytes: int) -> None:
        super().__init__(title=flatten(fill(wording.dataset.ADD_FORM, name=dataset.name), 45))
        self.dataset = dataset
        self.photos: ui.FileUpload[Any] = ui.FileUpload(
            custom_id="photos", min_values=1, max_values=MAX_FILES
        )
        limit = format_size(min(max_bytes, MAX_FILE_BYTES))
        hint = fill(wording.dataset.ADD_HINT, count=MAX_FILES, limit=limit)
        self.add_field(wording.dataset.ADD_LABEL, self.photos, hint)

    async def submit(self, interaction: Interaction) -> None:
        """Record the consent and add the photos."""
        await defer(interaction)
        await self.require_consent(interaction, self.dataset)
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
