"""The bot's small web server: a sign of life, and signed links that expire.

    GET /health         "ok"
    GET /get/<token>    a style's file, while its link is valid
    /upload             the page for uploads (`bot/upload`), to whose address a token is added

A token is `style.owner.until.signature`, or `upload.dataset.member.until.signature`. No path ever
comes from outside: the numbers are looked up in the store, and the file is found by them.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import logging
import re
import secrets
import time
from dataclasses import dataclass
from urllib.parse import quote

from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError
from aiohttp.typedefs import Handler

from bot import wording
from storage.errors import UserError
from storage.folders import Home, replacing
from storage.records import Dataset, Style
from storage.store import Store

log = logging.getLogger(__name__)
request_log = logging.getLogger(f"{__name__}.requests")
request_log.addFilter(lambda record: not is_malformed(record))

READING = ("GET", "HEAD")
VALID_SECONDS = 7 * 24 * 3600  #: seconds
UPLOAD_SECONDS = 6 * 3600  #: that a link for uploads is valid: it also shows the photos
IDLE_SECONDS = (
    75.0  #: until a connection without a whole request is closed; proxies keep theirs 60
)
#: the style and its key, which links of version 0.1 lack; its owner; unix seconds; the signature
TOKEN = re.compile(
    r"([0-9]{1,18})(?:-([0-9a-f]{14,16}))?\.([0-9]{1,19})\.([0-9]{1,12})\.([A-Za-z0-9_-]{43})"
)
#: the dataset; who adds to it; unix milliseconds; the signature
UPLOAD_TOKEN = re.compile(
    r"upload\.([0-9]{1,18})\.([0-9]{1,19})\.([0-9]{1,15})\.([A-Za-z0-9_-]{43})"
)
OLD_KEY_CHARS = 14  #: of the key of a style from before there were keys
HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Robots-Tag": "noindex",
}


@dataclass(frozen=True, slots=True)
class Link:
    """A URL that serves one file, or takes one dataset's photos, until it expires."""

    url: str
    until: int  #: unix seconds


@dataclass(frozen=True, slots=True)
class UploadGrant:
    """What a valid link for uploads allows: one member to add to one dataset."""

    dataset: int
    member: int
    since: float  #: when the link was made, in unix seconds


class Web:
    """The web server, and the links to it."""

    def __init__(self, store: Store, public: str | None = None) -> None:
        self.store, self.public = store, public
        self.key = read_or_make_key(store.home)
        self.app = web.Application(middlewares=[only_reading])
        routes = (("/health", self.health), ("/get/{token}", self.get), ("/{path:.*}", nowhere))
        for path, handler in routes:
            self.add_route("*", path, handler)
        self.app.on_response_prepare.append(self._seal)
        self._runner: web.AppRunner | None = None

    async def start(self, host: str, port: int, idle_seconds: float = IDLE_SECONDS) -> None:
        """Listen on a port; 0 listens nowhere."""
        if not port:
            return
        self._runner = web.AppRunner(
            self.app,
            access_log=None,  # a link is as good as a password
            keepalive_timeout=idle_seconds,
            lingering_time=idle_seconds,
            logger=request_log,
        )
        await self._runner.setup()
        try:
            await web.TCPSite(self._runner, host, port).start()
        except OSError as taken:
            log.warning("No web server on %s:%s, so no links: %s", host, port, taken)

    async def close(self) -> None:
        """Stop listening."""
        if self._runner is not None:
            await self._runner.cleanup()

    def link(self, style: Style) -> Link | None:
        """Return a new link to a style's file; None if no public URL is set."""
        if self.public is None or style.owner is None:
            return None
        until = int(time.time()) + VALID_SECONDS
        said = f"{style.folder}.{style.owner}.{until}"
        return Link(f"{self.public.rstrip('/')}/get/{said}.{self._sign(said)}", until)

    def upload_link(self, dataset: Dataset, member: int) -> Link | None:
        """Return a new link for a member to add to a dataset; None if no public URL is set.

        The token stands behind the `#`, which browsers keep to themselves: no log has it.
        """
        if self.public is None:
            return None
        until = time.time_ns() // 10**6 + UPLOAD_SECONDS * 1000
        said = f"upload.{dataset.id}.{member}.{until}"
        url = f"{self.public.rstrip('/')}/upload#{said}.{self._sign(said)}"
        return Link(url, until // 1000)

    def read_upload_token(self, token: str) -> UploadGrant:
        """Return what a token allows; raise UserError "upload_forged" or "upload_expired"."""
        match = UPLOAD_TOKEN.fullmatch(token)
        if match is None or not self._signed(match):
            raise UserError("upload_forged")
        dataset, member, until = int(match[1]), int(match[2]), int(match[3]) / 1000
        if until < time.time():
            raise UserError("upload_expired")
        return UploadGrant(dataset, member, until - UPLOAD_SECONDS)

    def add_route(self, method: str, path: str, handler: Handler) -> None:
        """Add a route, before the server starts; "*" lets only GET and HEAD through."""
        self.app.router.add_route(method, path, handler, expect_handler=expect_nothing)

    async def health(self, _: web.Request) -> web.Response:
        """Answer that the bot runs; `safelight doctor` asks."""
        return web.Response(text="ok")

    async def get(self, request: web.Request) -> web.StreamResponse:
        """Serve the file of a valid link."""
        match = TOKEN.fullmatch(request.match_info["token"])
        if match is None or not self._signed(match):
            raise web.HTTPForbidden(text=wording.result.LINK_FORGED)
        style, owner, until = (int(match[n]) for n in (1, 3, 4))
        if until < time.time():
            raise web.HTTPForbidden(text=wording.result.LINK_EXPIRED)
        return await self._file(style, match[2], owner)

    async def _file(self, number: int, key: str | None, owner: int) -> web.StreamResponse:
        try:
            style = await self.store.styles.get(number, owner, 0)
        except UserError:
            raise web.HTTPNotFound(text=wording.result.LINK_GONE) from None
        path = self.store.styles.file(style)
        ours = style.key == key or (key is None and len(style.key) == OLD_KEY_CHARS)
        if not ours or style.owner != owner or not path.is_file():
            raise web.HTTPNotFound(text=wording.result.LINK_GONE)
        return web.FileResponse(
            path,
            headers={
                "Content-Type": "application/octet-stream",
                "Content-Disposition": content_disposition(path.name),
            },
        )

    def _sign(self, said: str) -> str:
        digest = hmac.digest(self.key, said.encode(), hashlib.sha256)
        return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()

    def _signed(self, match: re.Match[str]) -> bool:
        said, signature = match[0].rsplit(".", 1)
        return hmac.compare_digest(self._sign(said), signature)

    @staticmethod
    async def _seal(_: web.Request, response: web.StreamResponse) -> None:
        for name, value in HEADERS.items():
            response.headers.setdefault(name, value)


@web.middleware
async def only_reading(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Refuse every method but GET and HEAD, where a route does not name its own."""
    route = request.match_info.route.method
    if route == "*" and request.method not in READING:
        raise web.HTTPMethodNotAllowed(request.method, READING)
    return await handler(request)


async def nowhere(_: web.Request) -> web.Response:
    """Answer that there is no such page."""
    raise web.HTTPNotFound


async def expect_nothing(_: web.Request) -> None:
    """Leave `Expect` alone: aiohttp's own handler fails on one that is not UTF-8."""


def is_malformed(record: logging.LogRecord) -> bool:
    """Return whether a record tells of a request that is no HTTP: strangers may send anything."""
    return record.exc_info is not None and isinstance(record.exc_info[1], HttpProcessingError)


def read_or_make_key(home: Home) -> bytes:
    """Return the key that signs links; only the bot's user can read its file."""
    path = home.path / "secret"
    if not path.exists():
        with replacing(path) as part:
            part.touch(mode=0o600)
            part.write_bytes(secrets.token_bytes(32))
    return path.read_bytes()


def content_disposition(name: str) -> str:
    """Return the header that names a download, safe for any name."""
    plain, encoded = plain_file_name(name), quote(name, safe="")
    return f"attachment; filename=\"{plain}\"; filename*=UTF-8''{encoded}"


def plain_file_name(name: str) -> str:
    """Return a file name without signs that Discord or old browsers would replace."""
    stem, dot, ending = name.rpartition(".")
    kept = re.sub(r"[^A-Za-z0-9-]+", "_", stem or ending).strip("_") or "style"
    return f"{kept}{dot}{ending}" if stem else kept
