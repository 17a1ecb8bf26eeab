"""The page's requests: each names a dataset by a signed link, and is answered in JSON.

    GET    /upload                    the page; its address has the token behind a `#`
    GET    /upload/photos             the dataset, its photos, and what is going on
    POST   /upload/known              which of these files are photos already
    PUT    /upload/photos/<digest>    one file, maybe a mask; the digest is its SHA-256, so that
                                      twice is once
    PUT    /upload/zips/<digest>      a zip of photos, which are added in the background
    GET    /upload/previews/<photo>   a photo's preview
    PATCH  /upload/photos/<photo>     change a photo, as the buttons of its card do
    DELETE /upload/photos/<photo>     remove a photo
    POST   /upload/captions           replace, add or remove words in all captions, or undo that
    POST   /upload/shots              keep the best photo of each shot, or all
    POST   /upload/consent            agree to the terms
    POST   /upload/export             the dataset as a zip; a form sends it with the token

The token comes in the header `Authorization`, which no other site's page can send.
"""

from __future__ import annotations

import asyncio
from contextlib import ExitStack
from pathlib import PurePath
from typing import Any
from urllib.parse import unquote

from aiohttp import web

from bot import wording
from bot.actions.zips import MAX_ZIP_BYTES
from bot.bot import Bot
from bot.upload.captions import CaptionBatches
from bot.upload.changes import change_captions, change_photo, keep_shots, remove_photo
from bot.upload.export import export_dataset
from bot.upload.intake import Intake, check_size, read_body
from bot.upload.masks import SentMasks
from bot.upload.page import FILES, PAGE_HEADERS, read_page
from bot.upload.state import dataset_state, terms_text
from bot.upload.visit import Desk, Visit
from bot.upload.zips import SentZips
from bot.wording import flatten
from storage.disk import check_disk_space
from storage.errors import UserError
from storage.photofiles import read_photo
from storage.photos.sandbox import MAX_FILE_BYTES
from storage.photosets.masks import is_mask
from storage.photosets.sealed import sealing_zip
from storage.records import CheckedPhoto, Photo

DIGEST, NUMBER = "[0-9a-f]{64}", "[0-9]{1,18}"
MAX_ASKED = 1000  #: digests that are asked about at once
MAX_NAME_CHARS, MAX_FILE_NAME_CHARS = 80, 300  #: as shown; as compared


class UploadPage:
    """Serves the page, and answers what it asks."""

    def __init__(self, bot: Bot) -> None:
        self.bot, self.intake = bot, Intake()
        self.zips, self.captions = SentZips(bot), CaptionBatches(bot)
        self.masks = SentMasks(bot, self.intake)

    def add_routes(self) -> None:
        """Add the routes to the bot's web server, before it starts."""
        add, answer = self.bot.web.add_route, Desk(self.bot, self.intake).answering
        add("GET", "/upload", get_page)
        add("GET", f"/upload/{{name:{'|'.join(FILES)}}}", get_file)
        add("GET", "/upload/photos", answer(self.get_photos))
        add("POST", "/upload/known", answer(self.find_known))
        add("POST", "/upload/consent", answer(self.agree))
        add("POST", "/upload/captions", answer(change_captions))
        add("POST", "/upload/shots", answer(keep_shots))
        add("POST", "/upload/export", answer(self.export, form=True))
        add("PUT", f"/upload/photos/{{digest:{DIGEST}}}", answer(self.put_photo))
        add("PUT", f"/upload/zips/{{digest:{DIGEST}}}", answer(self.put_zip))
        add("GET", f"/upload/previews/{{photo:{NUMBER}}}", answer(self.get_preview))
        add("PATCH", f"/upload/photos/{{photo:{NUMBER}}}", answer(change_photo))
        add("DELETE", f"/upload/photos/{{photo:{NUMBER}}}", answer(remove_photo))

    async def close(self) -> None:
        """Stop what goes on in the background."""
        await self.zips.close()
        await self.captions.close()

    async def get_photos(self, visit: Visit) -> web.Response:
        """Return the dataset."""
        state, zips = await dataset_state(visit), self.zips.list_for(visit.dataset, visit.member)
        became = {each: zips[each].lines for each in zips} | self.masks.list_lines(visit)
        state |= {"agreed": visit.agreed, "zips": became}
        state["terms"] = "" if visit.agreed else terms_text(visit)
        if self.captions.is_waiting(visit.dataset.id):
            state["busy"] = wording.upload.CAPTIONING
        return web.json_response(state)

    async def export(self, visit: Visit) -> web.StreamResponse:
        """Return the dataset as a zip."""
        return await export_dataset(visit, self.intake)

    async def find_known(self, visit: Visit) -> web.Response:
        """Return the photos that some files became, by the files' digests; names may be beside."""
        asked = (await visit.read_json()).get("digests")
        if not isinstance(asked, list) or len(asked) > MAX_ASKED:
            raise web.HTTPBadRequest
        named = [pair for each in asked if (pair := read_named(each))]
        self.masks.note_names(visit, named)
        found = await self.find_uploads(visit, [digest for digest, _ in named])
        return web.json_response({digest: photo.id for digest, photo in found.items()})

    async def find_uploads(self, visit: Visit, digests: list[str]) -> dict[str, Photo]:
        """Return the photos that some files became, of those that the member may see."""
        found = await self.bot.store.uploads.find(visit.dataset, digests)
        return {digest: photo for digest, photo in found.items() if visit.sees(photo)}

    async def agree(self, visit: Visit) -> web.Response:
        """Record that the member agrees to the terms, and let them join another's dataset."""
        given, shared = await visit.read_json(), visit.terms.dataset
        if not visit.agreed:
            originals = shared is not None and bool(given.get("originals"))
            add = self.bot.store.consents.add
            await add(visit.member, visit.terms, "page", originals=originals)
            if shared is not None:
                await self.bot.store.contributors.join(shared, visit.member)
        return web.json_response({})

    async def put_photo(self, visit: Visit) -> web.Response:
        """Add one photo, unless it is there."""
        digest = visit.request.match_info["digest"]
        visit.require_consent()
        if known := await self.find_uploads(visit, [digest]):
            return sent_response(known[digest], new=False)
        name = read_name(visit)
        checked = await self.receive_picture(visit)
        if is_mask(PurePath(name)):
            await self.masks.add(visit, digest, flatten(name, MAX_NAME_CHARS), checked.pixels)
            return web.json_response({}, status=202)
        photo, new = await self.add_photo(visit, checked)
        if not visit.sees(photo):  # the dataset has it from somebody else
            return web.json_response({"new": False})
        await self.bot.store.uploads.add(digest, photo)
        if new:
            await self.captions.add(photo)
        self.masks.note_names(visit, [(digest, name)])
        await self.masks.pair(visit)
        return sent_response(photo, new=new)

    async def receive_picture(self, visit: Visit) -> CheckedPhoto:
        """Read the picture that is sent, and check it."""
        check_size(visit.request, "photo_heavy", MAX_FILE_BYTES)
        check_disk_space(self.bot.settings)
        async with self.intake.receiving(visit.member):
            content = bytearray()
            await read_body(visit.request, MAX_FILE_BYTES, content.extend, "photo_heavy")
            return await self.bot.darkroom.check(bytes(content))

    async def add_photo(self, visit: Visit, checked: CheckedPhoto) -> tuple[Photo, bool]:
        """Add a photo; return it, or the one that is the same, and whether it is new."""
        photos, dataset = self.bot.store.photos, visit.dataset
        try:
            return await photos.add(dataset, checked, visit.member), True
        except UserError as refused:
            if refused.code != "photo_twice":
                raise
            return await photos.get(int(str(refused.facts["photo"])), dataset.owner), False

    async def put_zip(self, visit: Visit) -> web.Response:
        """Take a zip, and add its photos in the background."""
        digest = visit.request.match_info["digest"]
        visit.require_consent()
        if not self.zips.is_reading(visit, digest):
            check_size(visit.request, "zip_heavy", MAX_ZIP_BYTES)
            check_disk_space(self.bot.settings)
            with ExitStack() as stack:
                sealed = stack.enter_context(sealing_zip(self.bot.store.home.exports))
                async with self.intake.receiving(visit.member):
                    await read_body(visit.request, MAX_ZIP_BYTES, sealed.write, "zip_heavy")
                name = flatten(read_name(visit), MAX_NAME_CHARS)
                self.zips.start(visit, digest, name, (sealed, stack.pop_all()))
        return web.json_response({}, status=202)

    async def get_preview(self, visit: Visit) -> web.Response:
        """Return a photo's preview."""
        photo = await visit.find_photo()
        path = self.bot.store.home.preview_file(photo.digest)
        try:
            content = await asyncio.to_thread(read_photo, path)
        except FileNotFoundError:  # it was removed just now
            raise UserError("photo_gone") from None
        return web.Response(body=content, content_type="image/webp")


def read_named(asked: Any) -> tuple[str, str] | None:
    """Return a file that a page asks about as (digest, name); None if it makes no sense."""
    match asked:
        case str(digest):
            return digest, ""
        case [str(digest), str(name)]:
            return digest, name[:MAX_FILE_NAME_CHARS]
    return None


def read_name(visit: Visit) -> str:
    """Return the name of the file that is sent."""
    return unquote(visit.request.headers.get("X-Name", ""))


def sent_response(photo: Photo, *, new: bool) -> web.Response:
    """Return which photo a file has become, and whether it is new."""
    return web.json_response({"id": photo.id, "new": new})


async def get_page(_: web.Request) -> web.Response:
    """Return the page; it shows nothing without a token."""
    return web.Response(text=read_page(), content_type="text/html", headers=PAGE_HEADERS)


async def get_file(request: web.Request) -> web.FileResponse:
    """Return the page's script or style sheet."""
    return web.FileResponse(FILES[request.match_info["name"]])
