"""The demo's page: simcord's page under our name, with a sidebar that says what to try.

It stands between the browser and simcord, adds a style sheet and a sidebar, keeps the pictures of
a message that is edited, and makes a press count that comes between two redrawings (simcord
refuses one that is a redrawing late).
"""

from __future__ import annotations

import json
import re
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from aiohttp import ClientSession, web
from yarl import URL

from bot.demo.mascot import FOLDER

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    from bot.demo.discordish import Screen

STYLE = Path(__file__).with_name("page.css")
SCRIPT = Path(__file__).with_name("page.js")
REVISION = re.compile(rb'("published_revision":\s*)\d+')
CARRIED = ("Content-Type", "X-Simcord-Capability", "X-Simcord-Context")
#: Headers that belong to one connection, not to what it carries.
SPOKEN = frozenset({"Content-Length", "Transfer-Encoding", "Connection", "Date", "Server"})
LONGEST = 32 * 1024 * 1024  #: bytes of one upload; simcord takes 26 MiB

#: What our page says instead of simcord's, and where its own parts go.
NAMES = {
    "<title>SimCord Preview</title>": "<title>Safelight demo</title>",
    "<strong>SimCord</strong><small>Preview": "<strong>Safelight</strong><small>demo",
    'aria-hidden="true">S</span>': 'aria-hidden="true"></span>',
    ">Messages</button>": ">About</button>",
    "</head>": '<link rel="icon" href="/glim.png">'
    '<link rel="stylesheet" href="/safelight.css"></head>',
}
#: Where simcord's script makes a picture and fills it, and what it does there with ours.
PICTURES = {
    'image = node("img", className);': "image = kept(options, className, group);",
    "image.src = url;": "await drawable(url);\n"
    "    if (!current(options, trigger)) return;\n"
    "    image.src = url;",
    "trigger.replaceWith(unavailable);": "if (!image.src) trigger.replaceWith(unavailable);",
    'node("div", "media-unavailable", `${label || "Media"} unavailable`), pending': "missing("
    "options, className, group, label), pending",
}
SIDEBAR = re.compile(r'<aside id="messages-sidebar"[^>]*>')
STAGE = re.compile(r'(?=<main id="preview-app")')


@dataclass(frozen=True, slots=True)
class Words:
    """What the page says beside the channel, as HTML."""

    sidebar: str
    banner: str


class Page:
    """One browser page of one world."""

    def __init__(self, screen: Screen, session: ClientSession, words: Words) -> None:
        self.screen = screen
        self.session = session
        self.words = words

    def app(self) -> web.Application:
        """Return the web application."""
        app = web.Application(client_max_size=LONGEST, middlewares=[near])
        app.router.add_get("/", self.front)
        app.router.add_get("/safelight.css", self.style)
        app.router.add_get("/media.js", self.pictures)
        app.router.add_get("/glim.png", self.face)
        app.router.add_post("/api/action", self.act)
        app.router.add_route("*", "/{rest:.*}", self.other)
        return app

    async def front(self, request: web.Request) -> web.Response:
        """Show simcord's page with our names, sidebar and banner."""
        status, headers, body = await self.ask(request, "GET", "/")
        text = replaced(body.decode(), NAMES)
        text = SIDEBAR.sub(lambda found: found[0] + self.words.sidebar, text)
        text = STAGE.sub(lambda _: self.words.banner, text)
        return web.Response(body=text.encode(), status=status, headers=headers)

    async def style(self, _: web.Request) -> web.FileResponse:
        """Send our style sheet."""
        return web.FileResponse(STYLE)

    async def pictures(self, request: web.Request) -> web.Response:
        """Send simcord's script for pictures with our part in it."""
        status, headers, body = await self.ask(request, "GET", "/media.js")
        text = replaced(body.decode(), PICTURES) + SCRIPT.read_text("utf-8")
        return web.Response(body=text.encode(), status=status, headers=headers)

    async def face(self, _: web.Request) -> web.FileResponse:
        """Send the mascot's face."""
        return web.FileResponse(FOLDER / "winking.png")

    async def act(self, request: web.Request) -> web.Response:
        """Do what a person did, on the newest drawing of the page."""
        body = await request.read()
        async with self.screen.turn:
            _, _, state = await self.ask(request, "GET", "/api/state")
            shown = str(json.loads(state or b"{}").get("publishedRevision", 0)).encode()
            body = REVISION.sub(rb"\g<1>" + shown, body, count=1)
            status, headers, told = await self.ask(request, "POST", "/api/action", body)
        return web.Response(body=told, status=status, headers=headers)

    async def other(self, request: web.Request) -> web.Response:
        """Hand everything else to simcord."""
        asked = await request.read()
        status, headers, told = await self.ask(request, request.method, request.raw_path, asked)
        return web.Response(body=told, status=status, headers=headers)

    async def ask(
        self, request: web.Request, method: str, path: str, body: bytes = b""
    ) -> tuple[int, dict[str, str], bytes]:
        """Ask simcord in the browser's name."""
        kept = {name: request.headers[name] for name in CARRIED if name in request.headers}
        address = URL(self.screen.origin + path, encoded=True)
        async with self.session.request(
            method, address, headers=kept, data=body or None
        ) as answer:
            told = {k: v for k, v in answer.headers.items() if k not in SPOKEN}
            return answer.status, told, await answer.read()


def replaced(text: str, parts: dict[str, str]) -> str:
    """Put our parts into a text in the place of theirs."""
    for theirs, ours in parts.items():
        text = text.replace(theirs, ours)
    return text


@web.middleware
async def near(
    request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
) -> web.StreamResponse:
    """Answer this computer's own browser, and no page of anybody else's."""
    here = {f"{name}:{request.url.port}" for name in ("127.0.0.1", "localhost")}
    origin = request.headers.get("Origin", f"http://{request.host}")
    if request.host not in here or origin.removeprefix("http://") not in here:
        raise web.HTTPForbidden
    return await handler(request)


@asynccontextmanager
async def serve(screen: Screen, words: Words, port: int) -> AsyncIterator[str]:
    """Serve the page on this computer and yield its address."""
    async with ClientSession() as session:
        runner = web.AppRunner(Page(screen, session, words).app(), access_log=None)
        await runner.setup()
        try:
            await web.TCPSite(runner, "127.0.0.1", port).start()
            yield f"http://127.0.0.1:{runner.addresses[0][1]}/#{screen.key}"
        finally:
            await runner.cleanup()
