"""The check of a dataset's captions: what is wrong with them, and a button for each finding."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from zlib import crc32

from bot import wording
from bot.actions.photos import queue_captions
from bot.bot import Bot, Interaction
from bot.card import Card
from bot.cards.components import Button, defer_update, edit, follow_up, row, text
from bot.cards.dataset_button import DatasetButton
from bot.wording import format_count, join_some, say
from storage.planning.caption_audit import (
    MIN_CAPTIONS,
    Finding,
    FindingKind,
    audit_captions,
    list_repeats,
    remove_words,
)
from storage.records import Dataset, Photo


async def audit_card(bot: Bot, dataset: Dataset, news: str = "") -> Card:
    """Return what is wrong with a dataset's captions, below what is new."""
    photos = await bot.store.photos.list_for(dataset.id, dataset.owner)
    count = format_count(len(photos), "photo")
    card = Card(text(say(wording.caption_audit.TITLE, name=dataset.name, photos=count), news))
    findings = audit_captions([photo.caption for photo in photos], dataset.trigger)
    for finding in findings:
        card.add(text(finding_line(finding, dataset, photos)))
        card.add(row(fix_button(finding, dataset)))
    if not findings:
        card.add(text(say(wording.caption_audit.GOOD, trigger=dataset.trigger)))
    if sum(bool(photo.caption) for photo in photos) < MIN_CAPTIONS:
        card.add(text(say(wording.caption_audit.FEW, least=MIN_CAPTIONS)))
    newest = await bot.store.captions.find_newest_edit(dataset.id, dataset.owner)
    undo = UndoFix(dataset.id, newest or 0, disabled=newest is None)
    return card.add(row(CheckAgain(dataset.id), undo))


def finding_line(finding: Finding, dataset: Dataset, photos: Sequence[Photo]) -> str:
    """Return what is wrong, in which photos, and what it does to the style."""
    said, named = wording.caption_audit, name_photos(finding.photos)
    match finding.kind:
        case FindingKind.EMPTY:
            return say(said.EMPTY, photos=named, trigger=dataset.trigger)
        case FindingKind.SAME:
            return say(said.SAME, photos=named)
        case FindingKind.CONTRADICTION:
            one, other = finding.words
            return say(said.CONTRADICTION, photos=named, one=one, other=other)
    written = sum(bool(photo.caption) for photo in photos)
    return say(
        said.FUSED,
        words=finding.words[0],
        trigger=dataset.trigger,
        count=len(finding.photos),
        captions=format_count(written, "caption"),
    )


def name_photos(places: Iterable[int]) -> str:
    """Return the numbers of photos in words, as their thumbnails have them."""
    numbers = [str(place + 1) for place in places]
    said = wording.caption_audit.PHOTO if len(numbers) == 1 else wording.caption_audit.PHOTOS
    return say(said, numbers=join_some(numbers, len(numbers)))


def fix_button(finding: Finding, dataset: Dataset) -> Button:
    """Return the button that puts a finding right."""
    match finding.kind:
        case FindingKind.EMPTY:
            return CaptionEmpty(dataset.id)
        case FindingKind.SAME:
            return CaptionRepeats(dataset.id)
        case FindingKind.CONTRADICTION:
            label = wording.caption_audit.REMOVE_BOTH
            return RemoveWords(dataset.id, number_words(finding), label=label)
    return RemoveWords(dataset.id, number_words(finding))


def number_words(finding: Finding) -> int:
    """Return a number by which a button knows the words of a finding."""
    return crc32("\n".join((finding.kind, *finding.words)).encode())


class CheckCaptions(DatasetButton, verb="audit:open"):
    """Check the captions, in a new message."""

    label = wording.caption_audit.CHECK

    async def press(self, interaction: Interaction) -> None:
        await defer_update(interaction)
        dataset = await self.get_dataset(interaction)
        await follow_up(interaction, await audit_card(interaction.client, dataset))


class CheckAgain(DatasetButton, verb="audit:again"):
    """Check the captions as they are now."""

    label = wording.caption_audit.CHECK_AGAIN

    async def press(self, interaction: Interaction) -> None:
        await defer_update(interaction)
        dataset = await self.get_dataset(interaction)
        await edit(interaction, await audit_card(interaction.client, dataset))


class UndoFix(DatasetButton, verb="audit:undo"):
    """Undo the newest change, and check again."""

    label = wording.captions.UNDO

    async def press(self, interaction: Interaction) -> None:
        await defer_update(interaction)
        bot, dataset = interaction.client, await self.get_dataset(interaction)
        restored = await bot.store.captions.undo(dataset.id, dataset.owner, self.number(1))
        news = say(wording.captions.UNDONE, captions=format_count(restored, "caption"))
        await edit(interaction, await audit_card(bot, await self.get_dataset(interaction), news))


class RemoveWords(DatasetButton, verb="audit:remove"):
    """Remove the words of a finding from the captions that have it."""

    label = wording.caption_audit.REMOVE

    async def press(self, interaction: Interaction) -> None:
        await defer_update(interaction)
        bot, dataset = interaction.client, await self.get_dataset(interaction)
        photos = await bot.store.photos.list_for(dataset.id, dataset.owner)
        found = audit_captions([photo.caption for photo in photos], dataset.trigger)
        chosen = [each for each in found if number_words(each) == self.number(1)]
        words = {photos[at].id: each.words for each in chosen for at in each.photos}
        changed = await bot.store.captions.change(
            dataset.id,
            dataset.owner,
            lambda photo, trigger: remove_words(photo.caption, trigger, words.get(photo.id, ())),
        )
        news = say(wording.caption_audit.FIXED, captions=format_count(changed, "caption"))
        shown = news if changed else wording.dataset.UNCHANGED
        await edit(interaction, await audit_card(bot, dataset, shown))


class CaptionEmpty(DatasetButton, verb="audit:caption"):
    """Let the captioner describe the photos that have no caption."""

    label = wording.caption_audit.WRITE

    async def press(self, interaction: Interaction) -> None:
        await defer_update(interaction)
        await caption_missing(interaction, await self.get_dataset(interaction))


class CaptionRepeats(DatasetButton, verb="audit:anew"):
    """Clear the captions that repeat another one, and let the captioner write them anew."""

    label = wording.caption_audit.WRITE_ANEW

    async def press(self, interaction: Interaction) -> None:
        await defer_update(interaction)
        bot, dataset = interaction.client, await self.get_dataset(interaction)
        photos = await bot.store.photos.list_for(dataset.id, dataset.owner)
        places = list_repeats([photo.caption for photo in photos], dataset.trigger)
        repeats = {photos[at].id for at in places}
        await bot.store.captions.change(
            dataset.id,
            dataset.owner,
            lambda photo, _: "" if photo.id in repeats else photo.caption,
        )
        await caption_missing(interaction, dataset)


async def caption_missing(interaction: Interaction, dataset: Dataset) -> None:
    """Queue captions for the photos without one, and say so."""
    bot = interaction.client
    photos = await bot.store.photos.list_for(dataset.id, dataset.owner)
    missing = [photo for photo in photos if not photo.caption]
    await queue_captions(bot, dataset, interaction.channel_id or 0, missing)
    count = format_count(len(missing), "photo")
    news = say(wording.caption_audit.CAPTIONING, photos=count)
    await edit(interaction, await audit_card(bot, dataset, news))
