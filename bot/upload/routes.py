"""The page's requests: each names a dataset by a signed link, and is answered in JSON.

    GET    /upload                    the page; its address has the token behind a `#`
    GET    /upload/photos             the dataset, its photos, and what is going on
    POST   /upload/known              which of these files are photos already
    PUT    /upload/photos/<digest>    one file; the digest is its SHA-256, so that twice is once
    PUT    /upload/zips/<digest>      a zip of photos, which are added in the background
    GET    /upload/previews/<photo>   a photo's preview
    PATCH  /upload/photos/<photo>     change a caption
    DELETE /upload/photos/<photo>     remove a photo
    POST   /upload/consent            agree to the terms

The token comes in the header `Authorization`, which no other site's page can send.
"""

from __future__ import annotations

import asyncio
import json
import logging
import secrets
from collections.abc import Awaitable, Callable
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

from aiohttp import ClientError, web

from bot import wording
from bot.actions.zips import MAX_ZIP_BYTES
from bot.bot import Bot
from bot.cards.agreement import make_terms
from bot.cards.dataset_text import show_trigger
from bot.errors import known_error
from bot.upload.captions import CaptionBatches
from bot.upload.intake import Intake, check_size, read_body
from bot.upload.page import FILES, PAGE_HEADERS, read_page
from bot.upload.state import dataset_state, load_photo_state
from bot.upload.zips import SentZips
from bot.web import UploadGrant
from bot.wording import flatten
from storage.disk import check_disk_space
from storage.errors import SafelightError, UserError
from storage.photos.sandbox import MAX_FILE_BYTES
from storage.photosets.sealed import sealing_zip
from storage.records import Dataset, Photo
from storage.tables.consents import Terms
from storage.tables.photos import MAX_PHOTOS

log = logging.getLogger(__name__)

DIGEST, NUMBER = "[0-9a-f]{64}", "[0-9]{1,18}"
MAX_ASKED = 1000  #: digests that are asked about at once
MAX_NAME_CHARS = 80
#: of errors whose status tells the page what to do: stop, wait, or leave this file out
STATUSES = {
    "upload_forged": 401,
    "upload_expired": 401,
    "upload_revoked": 401,
    "dataset_unknown": 401,
    "consent_needed": 403,
    "photo_gone": 404,
    "upload_torn": 409,
    "upload_busy": 429,
    "disk_full": 503,
    "disk_low": 503,
}
REFUSED = 422  #: of all others


@dataclass(frozen=True, slots=True)
class Visit:
    """A request with a valid link."""

    request: web.Request
    dataset: Dataset
    terms: Terms  #: for the dataset's owner
    agreed: bool  #: they agreed

    def require_consent(self) -> None:
        """Raise UserError("consent_needed") if the owner has yet to agree."""
        if not self.agreed:
            raise UserError("consent_needed")


class UploadPage:
    """Serves the page, and answers what it asks."""

    def __init__(self, bot: Bot) -> None:
        self.bot, self.intake = bot, Intake()
        self.zips, self.captions = SentZips(bot), CaptionBatches(bot)

    def add_routes(self) -> None:
        """Add the routes to the bot's web server, before it starts."""
        add, answer = self.bot.web.add_route, self.answering
        add("GET", "/upload", get_page)
        add("GET", f"/upload/{{name:{'|'.join(FILES)}}}", get_file)
        add("GET", "/upload/photos", answer(self.get_photos))
        add("POST", "/upload/known", answer(self.find_known))
        add("POST", "/upload/consent", answer(self.agree))
        add("PUT", f"/upload/photos/{{digest:{DIGEST}}}", answer(self.put_photo))
        add("PUT", f"/upload/zips/{{digest:{DIGEST}}}", answer(self.put_zip))
        add("GET", f"/upload/previews/{{photo:{NUMBER}}}", answer(self.get_preview))
        add("PATCH", f"/upload/photos/{{photo:{NUMBER}}}", answer(self.change_photo))
        add("DELETE", f"/upload/photos/{{photo:{NUMBER}}}", answer(self.remove_photo))

    async def close(self) -> None:
        """Stop what goes on in the background."""
        await self.zips.close()
        await self.captions.close()

    def answering(
        self, handle: Callable[[Visit], Awaitable[web.StreamResponse]]
    ) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
        """Return a handler that checks the link first, and answers errors in JSON."""

        async def answer(request: web.Request) -> web.StreamResponse:
            try:
                return await handle(await self.authorise(request))
            except web.HTTPException:
                raise
            except (
                ClientError,
                ConnectionError,
                TimeoutError,
            ) as cut:  # nobody is there to answer
                raise web.HTTPServiceUnavailable from cut
            except Exception as error:  # noqa: BLE001 (the seam: a bug is logged below)
                return answer_error(error)

        return answer

    async def authorise(self, request: web.Request) -> Visit:
        """Return whose link a request has; raise UserError if that is no longer valid."""
        token = request.headers.get("Authorization", "").removeprefix("Bearer ")
        grant = self.bot.web.read_upload_token(token)
        self.intake.count_request(grant.owner)
        dataset = await self.bot.store.datasets.get(grant.dataset, grant.owner)
        terms = await make_terms(self.bot, grant.owner, dataset)
        return Visit(request, dataset, terms, await self.has_agreed(grant, terms))

    async def has_agreed(self, grant: UploadGrant, terms: Terms) -> bool:
        """Return whether the owner agrees; raise UserError if they took that back since."""
        consents = self.bot.store.consents
        if await consents.has(grant.owner, terms):
            return True
        receipts = await consents.list_for(grant.owner)
        if any((receipt.withdrawn or 0) > grant.since for receipt in receipts):
            raise UserError("upload_revoked")
        return False

    async def get_photos(self, visit: Visit) -> web.Response:
        """Return the dataset."""
        state = await dataset_state(self.bot, visit.dataset)
        zips = self.zips.list_for(visit.dataset)
        state |= {"agreed": visit.agreed, "zips": {each: zips[each].lines for each in zips}}
        if not visit.agreed:
            lines = visit.terms.text.splitlines()
            state["terms"] = [wording.to_plain(line.removeprefix("- ")) for line in lines]
        if self.captions.is_waiting(visit.dataset.id):
            state["busy"] = wording.upload.CAPTIONING
        return web.json_response(state)

    async def find_known(self, visit: Visit) -> web.Response:
        """Return the photos that some files became, by the files' digests."""
        asked = (await read_json(visit.request)).get("digests")
        if not isinstance(asked, list) or len(asked) > MAX_ASKED:
            raise web.HTTPBadRequest
        digests = [each for each in asked if isinstance(each, str)]
        found = await self.bot.store.uploads.find(visit.dataset, digests)
        return web.json_response({digest: photo.id for digest, photo in found.items()})

    async def agree(self, visit: Visit) -> web.Response:
        """Record that the owner agrees to the present terms."""
        if not visit.agreed:
            await self.bot.store.consents.add(visit.dataset.owner, visit.terms, "page")
        return web.json_response({})

    async def put_photo(self, visit: Visit) -> web.Response:
        """Add one photo, unless it is there."""
        dataset, digest = visit.dataset, visit.request.match_info["digest"]
        visit.require_consent()
        if known := await self.bot.store.uploads.find(dataset, [digest]):
            return await self.photo_response(visit, known[digest], new=False)
        check_size(visit.request, "photo_heavy", MAX_FILE_BYTES)
        check_disk_space(self.bot.settings)
        if len(await self.bot.store.photos.list_for(dataset.id, dataset.owner)) >= MAX_PHOTOS:
            raise UserError("photos_full", most=MAX_PHOTOS)
        async with self.intake.receiving(dataset.owner):
            content = bytearray()
            await read_body(visit.request, MAX_FILE_BYTES, content.extend, "photo_heavy")
            checked = await self.bot.darkroom.check(bytes(content))
        try:
            photo, new = await self.bot.store.photos.add(dataset, checked), True
        except UserError as refused:
            if refused.code != "photo_twice":
                raise
            photo, new = await self.get_photo(visit, int(str(refused.facts["photo"]))), False
        await self.bot.store.uploads.add(digest, photo)
        if new:
            await self.captions.add(photo)
        return await self.photo_response(visit, photo, new=new)

    async def put_zip(self, visit: Visit) -> web.Response:
        """Take a zip, and add its photos in the background."""
        digest = visit.request.match_info["digest"]
        visit.require_consent()
        if not self.zips.is_known(visit.dataset, digest):
            check_size(visit.request, "zip_heavy", MAX_ZIP_BYTES)
            check_disk_space(self.bot.settings)
            with ExitStack() as stack:
                sealed = stack.enter_context(sealing_zip(self.bot.store.home.exports))
                async with self.intake.receiving(visit.dataset.owner):
                    await read_body(visit.request, MAX_ZIP_BYTES, sealed.write, "zip_heavy")
                name = flatten(unquote(visit.request.headers.get("X-Name", "")), MAX_NAME_CHARS)
                self.zips.start(visit.dataset, digest, name or "zip", (sealed, stack.pop_all()))
        return web.json_response({}, status=202)

    async def get_preview(self, visit: Visit) -> web.Response:
        """Return a photo's preview."""
        photo = await self.find_photo(visit)
        path = self.bot.store.home.preview_file(photo.digest)
        content = await asyncio.to_thread(path.read_bytes)
        return web.Response(body=content, content_type="image/webp")

    async def change_photo(self, visit: Visit) -> web.Response:
        """Set a photo's caption."""
        photo, change = await self.find_photo(visit), await read_json(visit.request)
        caption = change.get("caption")
        if not isinstance(caption, str):
            raise web.HTTPBadRequest
        if " ".join(caption.split()) != show_trigger(photo, visit.dataset).caption:
            await self.bot.store.photos.set_caption(photo.id, photo.owner, caption)
        return await self.photo_response(visit, await self.find_photo(visit), new=False)

    async def remove_photo(self, visit: Visit) -> web.Response:
        """Remove a photo."""
        photo = await self.find_photo(visit)
        await self.bot.store.photos.remove(photo.id, photo.owner)
        return web.json_response({})

    async def find_photo(self, visit: Visit) -> Photo:
        """Return the photo that a request names, if it is in the link's dataset."""
        return await self.get_photo(visit, int(visit.request.match_info["photo"]))

    async def get_photo(self, visit: Visit, number: int) -> Photo:
        """Return a photo of the link's dataset; raise UserError("photo_gone") for another one."""
        photo = await self.bot.store.photos.get(number, visit.dataset.owner)
        if photo.dataset != visit.dataset.id:
            raise UserError("photo_gone")
        return photo

    async def photo_response(self, visit: Visit, photo: Photo, *, new: bool) -> web.Response:
        """Return a photo, and whether it is new."""
        state = await load_photo_state(self.bot, photo, visit.dataset)
        return web.json_response(state | {"new": new})


async def get_page(_: web.Request) -> web.Response:
    """Return the page; it shows nothing without a token."""
    return web.Response(text=read_page(), content_type="text/html", headers=PAGE_HEADERS)


async def get_file(request: web.Request) -> web.FileResponse:
    """Return the page's script or style sheet."""
    return web.FileResponse(FILES[request.match_info["name"]])


async def read_json(request: web.Request) -> dict[str, Any]:
    """Return the object in a request's body."""
    try:
        read = json.loads(await request.read())
    except ValueError:
        read = None
    if not isinstance(read, dict):
        raise web.HTTPBadRequest
    return read


def answer_error(error: Exception) -> web.Response:
    """Return an error's sentence; log a bug, and return the sentence with its reference."""
    known: SafelightError | None = known_error(error)
    if known is None:
        reference = secrets.token_hex(3).upper()
        log.error("Bug %s in the upload page", reference, exc_info=error)
        known = UserError("bug", reference=reference)
    status = 500 if known.code == "bug" else STATUSES.get(known.code, REFUSED)
    said = wording.explain_on_page(known)
    return web.json_response({"code": known.code, "said": said}, status=status)
