"""The dataset card: its photos with captions, and everything one presses on it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import discord
from discord import ui

from bot import wording
from bot.actions.photos import LEAST, MOST, describe, receive
from bot.cards.advice import Advise, Question, advice_card
from bot.cards.components import (
    WORDS,
    Button,
    Card,
    Form,
    Select,
    add,
    ask,
    hold,
    row,
    show,
    text,
    touch,
)
from bot.cards.dataset_text import PAGE, Sheet, alt, at, line, option, outcome
from bot.wording import escape, fill, flatten, format_count, say
from storage.errors import UserError

if TYPE_CHECKING:
    from bot.actions.photos import Handed
    from bot.bot import Bot
    from bot.cards.components import Asked
    from storage.records import Dataset, Photo


async def dataset_card(bot: Bot, dataset: Dataset, page: int = 0) -> Card:
    """Lay a dataset out, nine photos a page."""
    sheet = await Sheet.of(bot, dataset)
    page = min(max(page, 0), sheet.pages - 1)
    first = page * PAGE
    shown = list(enumerate(sheet.photos[first : first + PAGE], first + 1))
    title = say(
        wording.dataset.TITLE, name=dataset.name, photos=format_count(len(sheet.photos), "photo")
    )
    card = Card(text(title, sheet.news()))
    card.gallery(
        (bot.store.home.preview_file(photo.digest), alt(dataset, index, photo))
        for index, photo in shown
    )
    if shown:
        card.put(text(*(line(index, photo) for index, photo in shown), at(page, sheet.pages)))
        card.put(row(Pick(dataset.id, options=[option(*one) for one in shown])))
    card.put(text(say(wording.dataset.WORD, trigger=dataset.trigger)))
    if sheet.pages > 1:
        earlier = Turn(dataset.id, page - 1, label=wording.dataset.EARLIER, disabled=page == 0)
        later = Turn(
            dataset.id, page + 1, label=wording.dataset.LATER, disabled=page == sheet.pages - 1
        )
        card.put(row(earlier, later))
    again = Caption(dataset.id, disabled=not sheet.photos or sheet.writing)
    card.put(row(Add(dataset.id), again, Refresh(dataset.id, page)))
    if len(sheet.photos) >= LEAST:
        card.put(row(Train(Question(dataset.id))))
    return card


async def photo_card(bot: Bot, photo: Photo) -> Card:
    """Lay one photo out, with what can be done to it."""
    dataset = await bot.store.datasets.get(photo.dataset, photo.owner)
    photos = await bot.store.photos.list_for(dataset.id, dataset.owner)
    index = [one.id for one in photos].index(photo.id) + 1
    card = Card(text(say(wording.dataset.PHOTO_TITLE, number=index, name=dataset.name)))
    card.gallery([(bot.store.home.preview_file(photo.digest), alt(dataset, index, photo))])
    size = say(wording.dataset.PHOTO_SIZE, width=photo.width, height=photo.height)
    warnings = [
        fill(wording.dataset.WARNED, warnings=wording.dataset.WARNINGS[w]) for w in photo.warnings
    ]
    card.put(text(escape(photo.caption or wording.dataset.UNCAPTIONED), size, *warnings))
    back = Turn(dataset.id, (index - 1) // PAGE, label=wording.dataset.BACK)
    return card.put(row(Edit(photo.id), Remove(photo.id, (index - 1) // PAGE), back))


def handed_card(dataset: Dataset, handed: Handed) -> Card:
    """Lay out what became of each file."""
    controls = row(Open(dataset.id), Add(dataset.id, label=wording.dataset.ADD_MORE))
    return Card(text(*outcome(dataset, handed)), controls)


def delete_card(dataset: Dataset, photos: int) -> Card:
    """Ask before a dataset goes."""
    asked = say(
        wording.dataset.DELETE_ASK, name=dataset.name, photos=format_count(photos, "photo")
    )
    return Card(text(asked), row(Delete(dataset.id), Keep()))


async def put(interaction: Asked, dataset: Dataset, files: list[discord.Attachment]) -> Card:
    """Take files into a dataset, have them described, and lay out what became of them."""
    bot = interaction.client
    handed = await receive(bot, dataset, files)
    await describe(bot, dataset, interaction.channel_id or 0, [p for _, p in handed.photos])
    return handed_card(dataset, handed)


class Owned(Button, verb=""):
    """A button on something that its first number names among the presser's datasets."""

    async def dataset(self, interaction: Asked) -> Dataset:
        """Return the presser's dataset; somebody else's is unknown."""
        return await interaction.client.store.datasets.get(self.numbers[0], interaction.user.id)


class Open(Owned, verb="dataset:open"):
    """Show the dataset below."""

    label = wording.dataset.SHOW_PHOTOS

    async def press(self, interaction: Asked) -> None:
        """Post the dataset's card."""
        await touch(interaction)
        await add(
            interaction, await dataset_card(interaction.client, await self.dataset(interaction))
        )


class Train(Advise, verb="dataset:train", tail=WORDS):
    """Show below how to train on it."""

    label = wording.dataset.TRAIN

    async def press(self, interaction: Asked) -> None:
        """Post the advice."""
        await touch(interaction)
        await add(interaction, await advice_card(interaction, self.question))


class Turn(Owned, verb="dataset:page"):
    """Turn the card to a page."""

    async def press(self, interaction: Asked) -> None:
        """Show the page."""
        await touch(interaction)
        dataset = await self.dataset(interaction)
        await show(interaction, await dataset_card(interaction.client, dataset, self.numbers[1]))


class Refresh(Turn, verb="dataset:refresh"):
    """Show the same page as it is now."""

    label = wording.dataset.REFRESH


class Add(Owned, verb="dataset:add"):
    """Open the form for photos."""

    label = wording.dataset.ADD_PHOTOS
    style = discord.ButtonStyle.primary

    async def press(self, interaction: Asked) -> None:
        """Open the form."""
        await ask(interaction, AddForm(await self.dataset(interaction)))


class Caption(Owned, verb="dataset:caption"):
    """Have every photo described again; what the member wrote stays."""

    label = wording.dataset.CAPTION_AGAIN

    async def press(self, interaction: Asked) -> None:
        """Queue the captions."""
        await touch(interaction)
        bot, dataset = interaction.client, await self.dataset(interaction)
        photos = await bot.store.photos.list_for(dataset.id, dataset.owner)
        await describe(bot, dataset, interaction.channel_id or 0, photos)
        await show(interaction, await dataset_card(bot, dataset))


class Delete(Owned, verb="dataset:delete"):
    """Delete the dataset for good."""

    label = wording.dataset.DELETE
    style = discord.ButtonStyle.danger

    async def press(self, interaction: Asked) -> None:
        """Delete it."""
        await touch(interaction)
        store, dataset = interaction.client.store, await self.dataset(interaction)
        photos = format_count(len(await store.photos.list_for(dataset.id, dataset.owner)), "photo")
        await store.datasets.delete(dataset.id, dataset.owner)
        await show(
            interaction, Card(text(say(wording.dataset.DELETED, name=dataset.name, photos=photos)))
        )


class Keep(Button, verb="card:keep"):
    """Leave things as they are."""

    label = wording.dataset.KEEP

    async def press(self, interaction: Asked) -> None:
        """Do nothing, and say so."""
        await touch(interaction)
        await show(interaction, Card(text(wording.dataset.KEPT)))


class Pick(Select, verb="photo:pick"):
    """Choose a photo to change."""

    hint = wording.dataset.PICK_PHOTO

    async def press(self, interaction: Asked) -> None:
        """Show the photo."""
        await touch(interaction)
        store = interaction.client.store
        photo = await store.photos.get(int(self.chosen), interaction.user.id)
        await show(interaction, await photo_card(interaction.client, photo))


class Edit(Button, verb="photo:edit"):
    """Open the form for a caption."""

    label = wording.dataset.EDIT_CAPTION
    style = discord.ButtonStyle.primary

    async def press(self, interaction: Asked) -> None:
        """Open the form."""
        store = interaction.client.store
        photo = await store.photos.get(self.numbers[0], interaction.user.id)
        await ask(interaction, CaptionForm(photo))


class Remove(Button, verb="photo:remove"):
    """Take the photo out of the dataset."""

    label = wording.dataset.REMOVE
    style = discord.ButtonStyle.danger

    async def press(self, interaction: Asked) -> None:
        """Remove it and go back."""
        await touch(interaction)
        store, owner = interaction.client.store, interaction.user.id
        photo = await store.photos.get(self.numbers[0], owner)
        await store.photos.remove(photo.id, owner)
        dataset = await store.datasets.get(photo.dataset, owner)
        await show(interaction, await dataset_card(interaction.client, dataset, self.numbers[1]))


class AddForm(Form):
    """Up to ten photos and the consent to keep them."""

    def __init__(self, dataset: Dataset) -> None:
        super().__init__(title=flatten(fill(wording.dataset.ADD_FORM, name=dataset.name), 45))
        self.dataset = dataset
        self.photos: ui.FileUpload[Any] = ui.FileUpload(
            custom_id="photos", min_values=1, max_values=MOST
        )
        tick = discord.CheckboxGroupOption(
            label=wording.consent.TICK, value="yes", description=wording.consent.TICK_MORE
        )
        self.consent: ui.CheckboxGroup[Any] = ui.CheckboxGroup(
            custom_id="consent", options=[tick], min_values=1, max_values=1
        )
        self.add_item(
            ui.Label(
                text=wording.dataset.ADD_LABEL,
                description=wording.dataset.ADD_HINT,
                component=self.photos,
            )
        )
        self.add_item(ui.Label(text=wording.consent.LABEL, component=self.consent))
        self.add_item(ui.TextDisplay(f"{wording.consent.TERMS}\n{wording.consent.MORE}"))

    async def filled(self, interaction: Asked) -> None:
        """Record the consent and take the photos."""
        await hold(interaction)
        if not self.consent.values:
            raise UserError("consent_needed")
        members, member = interaction.client.store.members, interaction.user.id
        if not await members.has_consented(member, wording.CONSENT):
            await members.add_consent(member, wording.CONSENT, "form")
        await show(interaction, await put(interaction, self.dataset, self.photos.values))


class CaptionForm(Form):
    """One photo's caption."""

    def __init__(self, photo: Photo) -> None:
        super().__init__(title=wording.dataset.CAPTION_FORM)
        self.photo = photo
        self.caption: ui.TextInput[Any] = ui.TextInput(
            custom_id="caption",
            style=discord.TextStyle.paragraph,
            default=photo.caption or None,
            required=False,
            max_length=500,
        )
        self.add_item(
            ui.Label(
                text=wording.dataset.CAPTION_LABEL,
                description=wording.dataset.CAPTION_HINT,
                component=self.caption,
            )
        )

    async def filled(self, interaction: Asked) -> None:
        """Keep the caption and show the photo with it."""
        await touch(interaction)
        store, owner = interaction.client.store, interaction.user.id
        await store.photos.set_caption(self.photo.id, owner, self.caption.value)
        photo = await store.photos.get(self.photo.id, owner)
        await show(interaction, await photo_card(interaction.client, photo))
