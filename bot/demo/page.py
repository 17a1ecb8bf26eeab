"""The demo's page: simcord's page under our name, with a sidebar that says what to try.

A proxy between the browser and simcord. It adds a style sheet and a sidebar, offers the mascot's
pictures in forms, takes files that are dropped, keeps an edited message's pictures, and accepts
a press that comes between two redrawings, which simcord would refuse as outdated. What is sent
while something else is being answered, which simcord would drop, waits for that.
"""

from __future__ import annotations

import io
import json
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from hmac import compare_digest
from pathlib import Path
from zipfile import ZipFile

from aiohttp import ClientSession, web
from yarl import URL

from bot.demo.mascot import FOLDER, HELD_OUT, TRAINED, face, picture_files
from bot.demo.patches import PAGE, SCRIPTS, patch_script, replace_parts
from bot.demo.world import Screen
from storage.errors import UserError

STYLE = Path(__file__).with_name("page.css")
SCRIPT = Path(__file__).with_name("page.js")
REVISION = re.compile(rb'("published_revision":\s*)\d+')
FORWARDED_HEADERS = ("Content-Type", "X-Simcord-Capability", "X-Simcord-Context")
#: Headers of one connection, which are not forwarded.
CONNECTION_HEADERS = frozenset(
    {"Content-Length", "Transfer-Encoding", "Connection", "Date", "Server"}
)
MAX_FILES = 10  #: of a message
MAX_UPLOAD_BYTES = 32 * 1024 * 1024  #: of one upload; simcord accepts 26 MiB

SIDEBAR = re.compile(r'<aside id="messages-sidebar"[^>]*>')
PREVIEW = re.compile(r'(?=<main id="preview-app")')


@dataclass(frozen=True, slots=True)
class PageText:
    """What the page says beside the channel, as HTML."""

    sidebar: str
    banner: str


class Page:
    """The proxy in front of one world's page."""

    def __init__(self, screen: Screen, session: ClientSession, text: PageText) -> None:
        self.screen, self.session, self.text = screen, session, text

    def make_app(self) -> web.Application:
        """Return the web application."""
        app = web.Application(client_max_size=MAX_UPLOAD_BYTES, middlewares=[refuse_strangers])
        app.router.add_get("/", self.get_page)
        app.router.add_get("/safelight.css", self.get_style)
        app.router.add_get("/safelight.js", self.get_script)
        app.router.add_get(f"/{{name:{'|'.join(SCRIPTS)}}}", self.get_patched_script)
        app.router.add_get("/glim.png", self.get_icon)
        app.router.add_get("/pictures.zip", self.get_pictures)
        app.router.add_get("/pictures/{name}.png", self.get_picture)
        app.router.add_post("/api/action", self.post_action)
        app.router.add_post("/api/post", self.post_files)
        app.router.add_route("*", "/{rest:.*}", self.forward)
        return app

    async def get_page(self, request: web.Request) -> web.Response:
        """Return simcord's page with our names, sidebar and banner."""
        status, headers, body = await self.request_simcord(request, "GET", "/")
        text = replace_parts(body.decode(), PAGE)
        text = SIDEBAR.sub(lambda found: found[0] + self.text.sidebar, text)
        text = PREVIEW.sub(lambda _: self.text.banner, text)
        return web.Response(body=text.encode(), status=status, headers=headers)

    async def get_style(self, _: web.Request) -> web.FileResponse:
        """Return our style sheet."""
        return web.FileResponse(STYLE)

    async def get_script(self, _: web.Request) -> web.FileResponse:
        """Return our script."""
        return web.FileResponse(SCRIPT)

    async def get_patched_script(self, request: web.Request) -> web.Response:
        """Return one of simcord's scripts with our replacements."""
        name = request.match_info["name"]
        status, headers, body = await self.request_simcord(request, "GET", f"/{name}")
        text = patch_script(name, body.decode())
        return web.Response(body=text.encode(), status=status, headers=headers)

    async def get_icon(self, _: web.Request) -> web.Response:
        """Return the mascot's face."""
        return web.Response(body=face("winking"), content_type="image/png")

    async def get_picture(self, request: web.Request) -> web.FileResponse:
        """Return one of the mascot's pictures."""
        name = request.match_info["name"]
        if name not in TRAINED + HELD_OUT:
            raise web.HTTPNotFound
        return web.FileResponse(FOLDER / f"{name}.png")

    async def get_pictures(self, _: web.Request) -> web.Response:
        """Return all of the mascot's pictures."""
        out = io.BytesIO()
        with ZipFile(out, "w") as archive:
            for picture in picture_files(TRAINED + HELD_OUT):
                archive.write(picture, picture.name)
        return web.Response(body=out.getvalue(), content_type="application/zip")

    async def post_action(self, request: web.Request) -> web.Response:
        """Forward an action as one on the newest drawing of the page."""
        body = await request.read()
        async with self.screen.turn:
            _, _, state = await self.request_simcord(request, "GET", "/api/state")
            shown = str(json.loads(state or b"{}").get("publishedRevision", 0)).encode()
            body = REVISION.sub(rb"\g<1>" + shown, body, count=1)
            status, headers, answer_body = await self.request_simcord(
                request, "POST", "/api/action", body
            )
        return web.Response(body=answer_body, status=status, headers=headers)

    async def post_files(self, request: web.Request) -> web.Response:
        """Post files as a message of the person who is shown: simcord's message box takes none."""
        if not compare_digest(request.headers.get("X-Simcord-Capability", ""), self.screen.key):
            raise web.HTTPUnauthorized
        form = await request.post()
        given = [each for each in form.getall("file") if isinstance(each, web.FileField)]
        files = [(each.filename, each.file.read()) for each in given[:MAX_FILES]]
        for each in given:
            each.file.close()
        await self.screen.post(str(form["viewer"]), files)
        return web.Response(status=204)

    async def forward(self, request: web.Request) -> web.Response:
        """Forward any other request to simcord."""
        asked = await request.read()
        status, headers, answer_body = await self.request_simcord(
            request, request.method, request.raw_path, asked
        )
        return web.Response(body=answer_body, status=status, headers=headers)

    async def request_simcord(
        self, request: web.Request, method: str, path: str, body: bytes = b""
    ) -> tuple[int, dict[str, str], bytes]:
        """Send a request to simcord; return status, headers and body."""
        kept = {
            name: request.headers[name] for name in FORWARDED_HEADERS if name in request.headers
        }
        address = URL(self.screen.origin + path, encoded=True)
        async with self.session.request(
            method, address, headers=kept, data=body or None
        ) as answer:
            headers = {k: v for k, v in answer.headers.items() if k not in CONNECTION_HEADERS}
            return answer.status, headers, await answer.read()


@web.middleware
async def refuse_strangers(
    request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
) -> web.StreamResponse:
    """Refuse requests that do not come from this computer's own page."""
    here = {f"{name}:{request.url.port}" for name in ("127.0.0.1", "localhost")}
    origin = request.headers.get("Origin", f"http://{request.host}")
    if request.host not in here or origin.removeprefix("http://") not in here:
        raise web.HTTPForbidden
    return await handler(request)


@asynccontextmanager
async def serve(screen: Screen, text: PageText, port: int) -> AsyncIterator[str]:
    """Serve the page on this computer and yield its address.

    Raises UserError("port_refused") if another program has the port, or if there is no such one.
    """
    async with ClientSession() as session:
        runner = web.AppRunner(Page(screen, session, text).make_app(), access_log=None)
        await runner.setup()
        try:
            try:
                await web.TCPSite(runner, "127.0.0.1", port).start()
            except (OSError, OverflowError) as refused:
                raise UserError("port_refused", port=port) from refused
            yield f"http://127.0.0.1:{runner.addresses[0][1]}/#{screen.key}"
        finally:
            await runner.cleanup()
