"""The captions of a dataset, five on a page: edited in a form, or changed together."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any, ClassVar

import discord
from discord import ui

from bot import wording
from bot.actions.caption_edits import (
    MAX_WORDS_CHARS,
    add_words,
    change_captions,
    remove_words,
    replace_words,
    undo_edit,
)
from bot.actions.framing import draw_tiles
from bot.bot import Bot, Interaction
from bot.card import Card
from bot.cards.caption_audit import CheckCaptions
from bot.cards.components import (
    Form,
    defer_update,
    edit,
    follow_up,
    open_modal,
    row,
    text,
    text_input,
)
from bot.cards.dataset_button import DatasetButton
from bot.cards.dataset_text import DatasetView, alt_text
from bot.cards.recaption import CaptionSome
from bot.wording import fill, flatten, format_count, say
from storage.errors import UserError
from storage.names import MAX_TRIGGER_CHARS, contains_trigger
from storage.photosets.edits import put_trigger
from storage.planning.caption_length import find_cut_captions, find_ignored_words
from storage.records import Base, Dataset, Photo
from storage.tables.photos import MAX_CAPTION_CHARS

CAPTIONS_PER_PAGE = 5  #: captions on a page; Discord's forms have so many fields
#: of a caption as a form shows it: its trigger may not be stored with it
MAX_SHOWN_CHARS = MAX_CAPTION_CHARS + MAX_TRIGGER_CHARS + len(", ")


async def captions_card(bot: Bot, dataset: Dataset, page: int = 0, news: str = "") -> Card:
    """Return a page of a dataset's captions, each beside its photo, below what is new."""
    view = await DatasetView.load(bot, dataset)
    pages = max(1, -(-len(view.photos) // CAPTIONS_PER_PAGE))
    page = min(max(page, 0), pages - 1)
    shown = cut_page(view.photos, page)
    photos = format_count(len(view.photos), "photo")
    title = say(wording.captions.TITLE, name=dataset.name, photos=photos)
    trigger = say(wording.captions.TRIGGER, trigger=dataset.trigger)
    base = view.crops.base
    card = Card(text(title, news, trigger, await cut_line(base, view.photos)))
    previews = await draw_tiles(bot, shown, view.crops)
    ignored = await asyncio.to_thread(list_ignored_words, base, shown)
    for (number, photo), preview, words in zip(shown, previews, ignored, strict=True):
        url = card.attach_content(preview, f"photo-{number}.webp")
        thumbnail: ui.Thumbnail[Any] = ui.Thumbnail(
            url, description=flatten(alt_text(dataset, number, photo), 1000)
        )
        card.add(ui.Section(text(caption_lines(number, photo, words)), accessory=thumbnail))
    newest = await bot.store.captions.find_newest_edit(dataset.id, dataset.owner)
    return card.add(
        row(
            Turn(dataset.id, page - 1, label=wording.dataset.EARLIER, disabled=page == 0),
            EditPage(dataset.id, page, disabled=not shown),
            Turn(dataset.id, page + 1, label=wording.dataset.LATER, disabled=page + 1 == pages),
        ),
        *edit_rows(dataset, page, [photo for _, photo in shown], newest),
    )


def edit_rows(
    dataset: Dataset, page: int, shown: Sequence[Photo], newest: int | None
) -> list[ui.ActionRow[Any]]:
    """Return the buttons that change captions; `newest` is the change that can be undone."""
    place, first = (dataset.id, page), page * CAPTIONS_PER_PAGE
    written = all(photo.written for photo in shown)
    return [
        row(*(each(*place, disabled=not shown) for each in (Replace, AddWord, RemoveWord))),
        row(
            Rename(*place),
            Undo(*place, newest or 0, disabled=newest is None),
            CheckCaptions(dataset.id, disabled=not shown),
            CaptionSome(dataset.id, first, CAPTIONS_PER_PAGE, disabled=written),
        ),
    ]


def cut_page(photos: list[Photo], page: int) -> list[tuple[int, Photo]]:
    """Return the photos on a page, with their numbers."""
    first = page * CAPTIONS_PER_PAGE
    return list(enumerate(photos[first : first + CAPTIONS_PER_PAGE], first + 1))


async def cut_line(base: Base | None, photos: Sequence[Photo]) -> str:
    """Return how many captions, shown with their triggers, are longer than a base reads."""
    if base is None:
        return ""
    captions = [photo.caption for photo in photos if photo.caption]
    found = await asyncio.to_thread(find_cut_captions, captions, base)
    if found is None:
        return ""
    return say(
        wording.captions.CUT,
        cut=found.cut,
        captions=format_count(found.captions, "caption"),
        base=base.title,
        words=found.words,
    )


def list_ignored_words(base: Base | None, photos: Sequence[tuple[int, Photo]]) -> list[str]:
    """Return what a base does not read of each photo's caption."""
    return [find_ignored_words(photo.caption, base) if base else "" for _, photo in photos]


def caption_lines(number: int, photo: Photo, ignored: str = "") -> str:
    """Return a photo's number and caption, who wrote it, and what a base does not read."""
    if not photo.caption:
        return say(wording.dataset.LINE, number=number, caption=wording.dataset.UNCAPTIONED)
    by = wording.captions.BY_OWNER if photo.written else wording.captions.BY_CAPTIONER
    cut = say(wording.captions.CUT_HERE, words=ignored) if ignored else ""
    return f"{say(wording.dataset.LINE, number=number, caption=photo.caption)}\n{by}{cut}"


class OpenCaptions(DatasetButton, verb="captions:open"):
    """Show the captions in a new message."""

    label = wording.captions.OPEN

    async def press(self, interaction: Interaction) -> None:
        await defer_update(interaction)
        dataset = await self.get_dataset(interaction)
        await follow_up(interaction, await captions_card(interaction.client, dataset))


class Turn(DatasetButton, verb="captions:page"):
    """Show another page."""

    async def press(self, interaction: Interaction) -> None:
        await defer_update(interaction)
        dataset = await self.get_dataset(interaction)
        await edit(interaction, await captions_card(interaction.client, dataset, self.number(1)))


class Undo(DatasetButton, verb="captions:undo"):
    """Undo the newest change."""

    label = wording.captions.UNDO

    async def press(self, interaction: Interaction) -> None:
        await defer_update(interaction)
        before = await self.get_dataset(interaction)
        news = await undo_edit(interaction.client, before, self.number(2))
        dataset = await self.get_dataset(interaction)
        card = await captions_card(interaction.client, dataset, self.number(1), news)
        await edit(interaction, card)


class CaptionsForm(Form):
    """A form that changes captions of a dataset, and then shows a page of them."""

    name: ClassVar[str]  #: its title

    def __init__(self, dataset: Dataset, page: int) -> None:
        super().__init__(title=self.name)
        self.dataset, self.page = dataset, page

    async def submit(self, interaction: Interaction) -> None:
        """Change the captions, and show them below what was changed."""
        await defer_update(interaction)
        news = await self.save(interaction.client)
        dataset = await interaction.client.store.datasets.get(self.dataset.id, self.dataset.owner)
        await edit(interaction, await captions_card(interaction.client, dataset, self.page, news))

    async def save(self, bot: Bot) -> str:
        """Change the captions, and return what was changed."""
        raise NotImplementedError


class PageForm(CaptionsForm):
    """A form for the captions of a page."""

    name = wording.captions.OPEN

    def add_captions(self, photos: list[tuple[int, Photo]]) -> None:
        """Add a field for each photo's caption, as it is shown."""
        self.shown = {p.id: put_trigger(p.caption, self.dataset.trigger) for _, p in photos}
        self.typed: dict[int, ui.TextInput[Any]] = {}
        long = discord.TextStyle.paragraph
        hint = fill(wording.captions.FIELD_HINT, trigger=self.dataset.trigger)
        for number, photo in photos:
            field = text_input(
                f"caption{number}",
                self.shown[photo.id],
                style=long,
                required=False,
                max_length=MAX_SHOWN_CHARS,
            )
            self.typed[photo.id] = field
            self.add_field(fill(wording.captions.FIELD, number=number), field, hint)
            hint = ""  # once is enough

    async def save(self, bot: Bot) -> str:
        """Save the captions that were typed."""

        def take_typed(photo: Photo, _: str) -> str:
            typed = " ".join(self.typed[photo.id].value.split()) if photo.id in self.typed else ""
            same = photo.id not in self.typed or typed == self.shown[photo.id]
            return photo.caption if same else typed

        changed, captions = await change_captions(bot, self.dataset, take_typed)
        if not changed:
            return wording.dataset.UNCHANGED
        return say(wording.captions.SAVED, captions=captions)


class ReplaceForm(CaptionsForm):
    """A form to replace a text in all captions."""

    name = wording.captions.REPLACE_FORM

    def __init__(self, dataset: Dataset, page: int) -> None:
        super().__init__(dataset, page)
        self.found = text_input("find", max_length=MAX_WORDS_CHARS)
        self.words = text_input("words", required=False, max_length=MAX_WORDS_CHARS)
        self.add_field(wording.captions.FIND_LABEL, self.found, wording.captions.FIND_HINT)
        self.add_field(wording.captions.WORDS_LABEL, self.words, wording.captions.WORDS_HINT)

    async def save(self, bot: Bot) -> str:
        """Replace the text."""
        return await replace_words(bot, self.dataset, self.found.value, self.words.value)


class AddWordForm(CaptionsForm):
    """A form to add a word to all captions."""

    name = wording.captions.ADD_FORM

    def __init__(self, dataset: Dataset, page: int) -> None:
        super().__init__(dataset, page)
        self.words = text_input("words", max_length=MAX_WORDS_CHARS)
        self.add_field(wording.captions.ADD_LABEL, self.words, wording.captions.ADD_HINT)

    async def save(self, bot: Bot) -> str:
        """Add the word."""
        return await add_words(bot, self.dataset, self.words.value)


class RemoveWordForm(CaptionsForm):
    """A form to remove a word from all captions."""

    name = wording.captions.REMOVE_FORM

    def __init__(self, dataset: Dataset, page: int) -> None:
        super().__init__(dataset, page)
        self.words = text_input("words", max_length=MAX_WORDS_CHARS)
        self.add_field(wording.captions.REMOVE_LABEL, self.words, wording.captions.FIND_HINT)

    async def save(self, bot: Bot) -> str:
        """Remove the word."""
        return await remove_words(bot, self.dataset, self.words.value)


class RenameForm(CaptionsForm):
    """A form to rename the trigger."""

    name = wording.captions.RENAME_FORM

    def __init__(self, dataset: Dataset, page: int) -> None:
        super().__init__(dataset, page)
        self.trigger = text_input("trigger", dataset.trigger, max_length=MAX_TRIGGER_CHARS)
        hint = fill(wording.captions.RENAME_HINT, trigger=dataset.trigger)
        self.add_field(wording.captions.RENAME_LABEL, self.trigger, hint)

    async def save(self, bot: Bot) -> str:
        """Rename the trigger, and say where the old one is still a part of captions."""
        dataset, old, new = self.dataset, self.dataset.trigger, self.trigger.value.strip()
        if new == old:
            return wording.dataset.UNCHANGED
        await bot.store.captions.rename_trigger(dataset.id, dataset.owner, new)
        photos = await bot.store.photos.list_for(dataset.id, dataset.owner)
        left = sum(contains_trigger(photo.caption, old) for photo in photos)
        if not left:
            return say(wording.captions.RENAMED, trigger=new)
        captions = format_count(left, "caption")
        return say(wording.captions.RENAMED_PARTLY, trigger=new, old=old, captions=captions)


class EditPage(DatasetButton, verb="captions:edit"):
    """Open the form for the captions of the page."""

    label = wording.captions.EDIT_PAGE
    style = discord.ButtonStyle.primary

    async def press(self, interaction: Interaction) -> None:
        dataset, store = await self.get_dataset(interaction), interaction.client.store
        photos = await store.photos.list_for(dataset.id, dataset.owner)
        form = PageForm(dataset, self.number(1))
        form.add_captions(cut_page(photos, form.page))
        if not form.typed:
            raise UserError("photo_gone")
        await open_modal(interaction, form)


class FormButton(DatasetButton, verb=""):
    """A button that opens a form."""

    form: ClassVar[type[CaptionsForm]]

    async def press(self, interaction: Interaction) -> None:
        dataset = await self.get_dataset(interaction)
        await open_modal(interaction, self.form(dataset, self.number(1)))


class Replace(FormButton, verb="captions:replace"):
    """Open the form to replace a text."""

    label, form = wording.captions.REPLACE, ReplaceForm


class AddWord(FormButton, verb="captions:add"):
    """Open the form to add a word."""

    label, form = wording.captions.ADD_WORD, AddWordForm


class RemoveWord(FormButton, verb="captions:remove"):
    """Open the form to remove a word."""

    label, form = wording.captions.REMOVE_WORD, RemoveWordForm


class Rename(FormButton, verb="captions:rename"):
    """Open the form to rename the trigger."""

    label, form = wording.captions.RENAME, RenameForm
