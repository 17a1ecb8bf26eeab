"""A Chromium without a window, driven by its own protocol: open a page, wait, take its picture."""

from __future__ import annotations

import asyncio
import base64
import re
import shutil
from contextlib import asynccontextmanager
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import aiohttp

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

NAMES = ("chromium", "chromium-browser", "google-chrome", "chrome")
PATIENCE = 60.0  #: seconds a page may take to show something
ADDRESS = re.compile(rb"127\.0\.0\.1:\d+")
#: Every picture is there.
LOADED = (
    "[...document.querySelectorAll('.gallery-image, .component-thumbnail')]"
    ".every(image => image.src && image.complete)"
)


def browser() -> str | None:
    """Find a Chromium on this computer."""
    return next(filter(None, map(shutil.which, NAMES)), None)


class Tab:
    """One page of the browser."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self.socket = socket
        self.number = 0

    async def call(self, method: str, **values: object) -> dict[str, Any]:
        """Ask the browser for something."""
        self.number += 1
        await self.socket.send_json({"id": self.number, "method": method, "params": values})
        async for message in self.socket:
            answer = message.json()
            if answer.get("id") == self.number:
                result: dict[str, Any] = answer["result"]
                return result
        raise ConnectionError(method)

    async def run(self, script: str) -> Any:
        """Return what an expression is in the page."""
        said = await self.call("Runtime.evaluate", expression=script, returnByValue=True)
        return said["result"].get("value")

    async def until(self, script: str) -> None:
        """Wait until an expression is true."""
        async with asyncio.timeout(PATIENCE):
            while not await self.run(script):
                await asyncio.sleep(0.1)

    async def shows(self, text: str) -> None:
        """Wait until a text stands on the page."""
        await self.until(f"document.body.innerText.includes({text!r})")

    async def resize(self, width: int, height: int) -> None:
        """Give the page another size."""
        size = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False}
        await self.call("Emulation.setDeviceMetricsOverride", **size)

    async def picture(self) -> bytes:
        """Return what the page looks like, as PNG."""
        taken = await self.call("Page.captureScreenshot", format="png")
        return base64.b64decode(taken["data"])


@asynccontextmanager
async def tab(program: str, url: str) -> AsyncIterator[Tab]:
    """Open a page in a browser of its own."""
    with TemporaryDirectory(prefix="safelight-", ignore_cleanup_errors=True) as profile:
        child = await asyncio.create_subprocess_exec(
            program, "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars",
            "--remote-debugging-port=0", f"--user-data-dir={profile}", "about:blank",
            stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.PIPE,
        )  # fmt: skip
        try:
            where = await listening(child)
            async with aiohttp.ClientSession() as session:
                async with session.put(f"http://{where}/json/new?about:blank") as answer:
                    place = (await answer.json())["webSocketDebuggerUrl"]
                async with session.ws_connect(place, max_msg_size=0) as socket:
                    opened = Tab(socket)
                    await opened.call("Page.navigate", url=url)
                    yield opened
        finally:
            child.terminate()
            await child.communicate()


async def listening(child: asyncio.subprocess.Process) -> str:
    """Return where the browser listens, which it says when it is up."""
    async with asyncio.timeout(PATIENCE):
        while child.stderr and (line := await child.stderr.readline()):
            if found := ADDRESS.search(line):
                return found[0].decode()
    raise ConnectionError("the browser did not start")
