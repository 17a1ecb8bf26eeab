"""What a dataset's owner changes on the page, as by the buttons and forms of its cards."""

from __future__ import annotations

from typing import Any

from aiohttp import web

from bot.actions.caption_edits import MAX_WORDS_CHARS, add_words, replace_words, undo_edit
from bot.cards.bars import cut_bars
from bot.cards.dataset_text import show_trigger
from bot.cards.photo_concepts import put_into
from bot.cards.shots import keep_all, keep_best
from bot.upload.visit import Visit
from bot.wording import to_plain
from storage.crops import Framing
from storage.errors import UserError
from storage.records import Photo

MAX_NUMBER_DIGITS = 18
KEEPERS = {"best": keep_best, "all": keep_all}  #: of photos of the same shot


async def change_photo(visit: Visit) -> web.Response:
    """Change a photo, and return what is to be said of that."""
    photo, change = await visit.find_photo(), await visit.read_json()
    if not visit.owns:
        raise UserError("photo_gone")
    photos, said = visit.bot.store.photos, ""
    if "caption" in change:
        await set_caption(visit, photo, change["caption"])
    if "crop" in change:
        await photos.set_framing(photo.id, photo.owner, read_crop(photo, change["crop"]))
    if "repeats" in change:
        await photos.set_repeats(photo.id, photo.owner, read_number(change["repeats"]))
    if change.get("accept") is True:
        await photos.accept(photo.id, photo.owner)
    if "also" in change:
        said = await put_into(visit.bot, photo, read_number(change["also"]))
    if change.get("cut") is True:
        said = await cut_bars(visit.bot, photo)
    return web.json_response({"said": to_plain(said)})


async def set_caption(visit: Visit, photo: Photo, caption: Any) -> None:
    """Set a caption; one that was only looked at stays the captioner's."""
    if not isinstance(caption, str):
        raise web.HTTPBadRequest
    if " ".join(caption.split()) != show_trigger(photo, visit.dataset).caption:
        await visit.bot.store.photos.set_caption(photo.id, photo.owner, caption)


async def remove_photo(visit: Visit) -> web.Response:
    """Remove a photo, which may be the member's in another's dataset."""
    photo = await visit.find_photo()
    await visit.bot.store.photos.remove(photo.id, visit.member)
    return web.json_response({})


async def change_captions(visit: Visit) -> web.Response:
    """Replace, remove or add words in all captions, or undo the newest change."""
    given = await read_form(visit)
    undo, found, words = (given.get(name, "") for name in ("undo", "find", "words"))
    if undo:
        said = await undo_edit(visit.bot, visit.dataset, read_number(undo))
    elif found:
        said = await replace_words(visit.bot, visit.dataset, found, words)
    else:
        said = await add_words(visit.bot, visit.dataset, words)
    return web.json_response({"said": to_plain(said)})


async def keep_shots(visit: Visit) -> web.Response:
    """Keep the best photo of each shot, or all."""
    keep = KEEPERS.get((await read_form(visit)).get("keep", ""))
    if keep is None:
        raise web.HTTPBadRequest
    return web.json_response({"said": to_plain(await keep(visit.bot, visit.dataset))})


async def read_form(visit: Visit) -> dict[str, str]:
    """Return the fields of a form that the dataset's owner sent."""
    given = await visit.read_json()
    if not visit.owns:
        raise UserError("photo_gone")
    if not all(isinstance(each, str) and len(each) <= MAX_WORDS_CHARS for each in given.values()):
        raise web.HTTPBadRequest
    return given


def read_number(given: Any) -> int:
    """Return a whole number that was given."""
    digits = str(given)
    if not (digits.isascii() and digits.isdigit()) or len(digits) > MAX_NUMBER_DIGITS:
        raise web.HTTPBadRequest
    return int(digits)


def read_crop(photo: Photo, place: Any) -> Framing | None:
    """Return what to keep of a photo: around [x, y], with "whole" all, with None what is found."""
    match place:
        case None:
            return None
        case "whole":
            return Framing(photo.framing.x, photo.framing.y, whole=True)
        case [int() | float() as x, int() | float() as y] if 0 <= x <= 1 and 0 <= y <= 1:
            return Framing(float(x), float(y))
    raise web.HTTPBadRequest
