"""Change all captions of a dataset at once, and say what was changed."""

from __future__ import annotations

from collections.abc import Callable

from bot import wording
from bot.bot import Bot
from bot.wording import format_count, say
from storage.errors import UserError
from storage.photosets.edits import add_word, remove_word, replace_text
from storage.records import Dataset, Photo

MAX_WORDS_CHARS = 100  #: of what is found, added or removed


async def change_captions(
    bot: Bot, dataset: Dataset, change: Callable[[Photo, str], str]
) -> tuple[int, str]:
    """Change captions; return how many became others, as a number and as words."""
    changed = await bot.store.captions.change(dataset.id, dataset.owner, change)
    return changed, format_count(changed, "caption")


async def replace_words(bot: Bot, dataset: Dataset, found: str, words: str) -> str:
    """Replace words in all captions, or remove them if none are to replace them."""
    if not words.split():
        return await remove_words(bot, dataset, found)
    text, words = read_words(found), read_words(words)
    changed, captions = await change_captions(
        bot, dataset, lambda photo, trigger: replace_text(photo.caption, trigger, text, words)
    )
    if not changed:
        return say(wording.captions.NOT_FOUND, words=text)
    return say(wording.captions.REPLACED, find=text, words=words, captions=captions)


async def add_words(bot: Bot, dataset: Dataset, words: str) -> str:
    """Add words to all captions that do not have them."""
    text = read_words(words)
    changed, captions = await change_captions(
        bot, dataset, lambda photo, trigger: add_word(photo.caption, trigger, text)
    )
    if not changed:
        return say(wording.captions.ADDED_ALREADY, words=text)
    return say(wording.captions.ADDED, words=text, captions=captions)


async def remove_words(bot: Bot, dataset: Dataset, words: str) -> str:
    """Remove words from all captions."""
    text = read_words(words)
    changed, captions = await change_captions(
        bot, dataset, lambda photo, trigger: remove_word(photo.caption, trigger, text)
    )
    if not changed:
        return say(wording.captions.NOT_FOUND, words=text)
    return say(wording.captions.REMOVED, words=text, captions=captions)


async def undo_edit(bot: Bot, before: Dataset, edit: int) -> str:
    """Undo the newest change; raise UserError("edit_gone") if it is another one."""
    restored = await bot.store.captions.undo(before.id, before.owner, edit)
    dataset = await bot.store.datasets.get(before.id, before.owner)
    if dataset.trigger != before.trigger:
        return say(wording.captions.UNDONE_TRIGGER, trigger=dataset.trigger)
    return say(wording.captions.UNDONE, captions=format_count(restored, "caption"))


def read_words(typed: str) -> str:
    """Return the words that were typed; raise UserError if there are none."""
    words = " ".join(typed.split())
    if not words:
        raise UserError("caption_words_missing")
    return words
