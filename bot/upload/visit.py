"""A request to the page: whose link it has, what that allows, and how an error is answered."""

from __future__ import annotations

import asyncio
import json
import logging
import secrets
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from aiohttp import ClientError, web

from bot import wording
from bot.bot import Bot
from bot.cards.agreement import make_terms
from bot.errors import known_error
from bot.upload.intake import STALL_SECONDS, Intake
from bot.web import UploadGrant
from storage.errors import SafelightError, UserError
from storage.records import Dataset, Photo
from storage.tables.consents import Terms

log = logging.getLogger(__name__)

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
    "bug": 500,
    "disk_full": 503,
    "disk_low": 503,
}
REFUSED = 422  #: of all others


@dataclass(frozen=True, slots=True)
class Visit:
    """A request with a valid link."""

    bot: Bot
    request: web.Request
    dataset: Dataset
    terms: Terms  #: for the member and the dataset
    member: int  #: the dataset's owner, or whoever adds photos to it
    agreed: bool  #: they agreed to the terms

    @property
    def owns(self) -> bool:
        """Whether the dataset is the member's own."""
        return self.dataset.owner == self.member

    def require_consent(self) -> None:
        """Raise UserError("consent_needed") if the member has yet to agree."""
        if not self.agreed:
            raise UserError("consent_needed")

    def sees(self, photo: Photo) -> bool:
        """Return whether the member may see a photo: of another's dataset, only their own."""
        return photo.dataset == self.dataset.id and (self.owns or photo.contributor == self.member)

    async def find_photo(self) -> Photo:
        """Return the photo in the address; raise UserError("photo_gone") for another's."""
        number = int(self.request.match_info["photo"])
        photo = await self.bot.store.photos.get(number, self.dataset.owner)
        if not self.sees(photo):
            raise UserError("photo_gone")
        return photo

    async def read_json(self) -> dict[str, Any]:
        """Return the object in the request's body; raise TimeoutError if it does not come."""
        async with asyncio.timeout(STALL_SECONDS):
            body = await self.request.read()
        try:
            read = json.loads(body)
        except (ValueError, RecursionError):
            read = None
        if not isinstance(read, dict):
            raise web.HTTPBadRequest
        return read


class Desk:
    """Lets requests in, and answers their errors."""

    def __init__(self, bot: Bot, intake: Intake) -> None:
        self.bot, self.intake = bot, intake

    def answering(
        self, handle: Callable[[Visit], Awaitable[web.StreamResponse]], *, form: bool = False
    ) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
        """Return a handler that checks the link first, and answers errors in JSON.

        Its token is in a header; that of a form, in a field, and errors are text for a new tab.
        """

        async def answer(request: web.Request) -> web.StreamResponse:
            try:
                token = await read_form_token(request) if form else read_token(request)
                return await handle(await self.authorise(request, token))
            except web.HTTPException:
                raise
            except (ClientError, ConnectionError, TimeoutError) as cut:  # nobody reads the answer
                raise web.HTTPServiceUnavailable from cut
            except Exception as error:  # noqa: BLE001 (the seam: a bug is logged below)
                return answer_error(error, as_text=form)

        return answer

    async def authorise(self, request: web.Request, token: str) -> Visit:
        """Return whose link a request has; raise UserError if that is no longer valid."""
        grant = self.bot.web.read_upload_token(token)
        self.intake.count_request(grant.member)
        dataset = await self.bot.store.contributors.get_open(grant.dataset, grant.member)
        terms = await make_terms(self.bot, grant.member, dataset)
        agreed = await self.has_agreed(grant, terms)
        return Visit(self.bot, request, dataset, terms, grant.member, agreed)

    async def has_agreed(self, grant: UploadGrant, terms: Terms) -> bool:
        """Return whether the member agrees; raise UserError if they took that back since."""
        consents = self.bot.store.consents
        if await consents.has(grant.member, terms):
            return True
        receipts = [
            each
            for each in await consents.list_for(grant.member)
            if each.dataset == terms.dataset and (each.withdrawn or 0) > grant.since
        ]
        if receipts:
            raise UserError("upload_revoked")
        return False


def read_token(request: web.Request) -> str:
    """Return the token in a request's header."""
    return request.headers.get("Authorization", "").removeprefix("Bearer ")


async def read_form_token(request: web.Request) -> str:
    """Return the token in the form that a browser sends to have a file."""
    async with asyncio.timeout(STALL_SECONDS):
        return str((await request.post()).get("token", ""))


def answer_error(error: Exception, *, as_text: bool = False) -> web.Response:
    """Return an error's sentence; log a bug, and return the sentence with its reference."""
    known: SafelightError | None = known_error(error)
    if known is None:
        reference = secrets.token_hex(3).upper()
        log.error("Bug %s in the upload page", reference, exc_info=error)
        known = UserError("bug", reference=reference)
    said = wording.explain_on_page(known)
    status = STATUSES.get(known.code, REFUSED)
    if as_text:
        return web.Response(text=said, status=status)
    return web.json_response({"code": known.code, "said": said}, status=status)
