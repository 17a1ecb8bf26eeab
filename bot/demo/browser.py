"""A headless Chromium, driven by the DevTools protocol: open a page, wait, take a screenshot."""

from __future__ import annotations

import asyncio
import base64
import re
import shutil
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import aiohttp

CHROMIUM_NAMES = ("chromium", "chromium-browser", "google-chrome", "chrome")
MAX_WAIT_SECONDS = 60.0  #: for a page to show something
LOOK_SECONDS = 0.03  #: between two looks whether it does
ADDRESS = re.compile(rb"127\.0\.0\.1:\d+")
#: An expression that is true once every picture is loaded.
LOADED = (
    "[...document.querySelectorAll('.gallery-image, .component-thumbnail')]"
    ".every(image => image.src && image.complete)"
)
#: The same for simcord's page, which scrolls once all is drawn.
SETTLED = f"simcordPreview.ready && {LOADED}"


def find_chromium() -> str | None:
    """Return the path of a Chromium on this computer, or None."""
    return next(filter(None, map(shutil.which, CHROMIUM_NAMES)), None)


class Tab:
    """A page of the browser."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self.socket = socket
        self.number = 0

    async def call(self, method: str, **values: object) -> dict[str, Any]:
        """Call a method of the protocol and return its result."""
        self.number += 1
        await self.socket.send_json({"id": self.number, "method": method, "params": values})
        async for message in self.socket:
            answer = message.json()
            if answer.get("id") == self.number:
                result: dict[str, Any] = answer["result"]
                return result
        raise ConnectionError(method)

    async def run(self, script: str) -> Any:
        """Evaluate an expression in the page and return its value."""
        answer = await self.call("Runtime.evaluate", expression=script, returnByValue=True)
        return answer["result"].get("value")

    async def wait_until(self, script: str) -> None:
        """Wait until an expression is true."""
        async with asyncio.timeout(MAX_WAIT_SECONDS):
            while not await self.run(script):
                await asyncio.sleep(LOOK_SECONDS)

    async def wait_for_text(self, text: str) -> None:
        """Wait until the page shows a text."""
        await self.wait_until(f"document.body.innerText.includes({text!r})")

    async def choose_files(self, field: str, paths: Sequence[Path]) -> None:
        """Choose files in the field with this selector."""
        document = await self.call("DOM.getDocument")
        place = {"nodeId": document["root"]["nodeId"], "selector": field}
        node = await self.call("DOM.querySelector", **place)
        await self.call("DOM.setFileInputFiles", **node, files=[str(path) for path in paths])

    async def resize(self, width: int, height: int) -> None:
        """Resize the page, in pixels."""
        size = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False}
        await self.call("Emulation.setDeviceMetricsOverride", **size)

    async def screenshot(self, **clip: float) -> bytes:
        """Return a screenshot as PNG, of all or of a part (x, y, width, height in pixels)."""
        part = {"clip": {**clip, "scale": 1}} if clip else {}
        taken = await self.call("Page.captureScreenshot", format="png", **part)
        return base64.b64decode(taken["data"])


@asynccontextmanager
async def open_browser(program: str) -> AsyncIterator[str]:
    """Start a browser and yield the address of its protocol."""
    with TemporaryDirectory(prefix="safelight-", ignore_cleanup_errors=True) as profile:
        child = await asyncio.create_subprocess_exec(
            program, "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars",
            "--remote-debugging-port=0", f"--user-data-dir={profile}", "about:blank",
            stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.PIPE,
        )  # fmt: skip
        try:
            yield await read_address(child)
        finally:
            child.terminate()
            await child.communicate()


@asynccontextmanager
async def open_tab(address: str, url: str) -> AsyncIterator[Tab]:
    """Open a page in a new tab of a browser, and close it at the end."""
    async with aiohttp.ClientSession(f"http://{address}") as session:
        async with session.put("/json/new?about:blank") as answer:
            place = await answer.json()
        async with session.ws_connect(place["webSocketDebuggerUrl"], max_msg_size=0) as socket:
            opened = Tab(socket)
            await opened.call("Page.bringToFront")  # or a drag would not begin
            await opened.call("Page.navigate", url=url)
            yield opened
            await opened.call("Page.close")


async def read_address(child: asyncio.subprocess.Process) -> str:
    """Return the address of the protocol, which the browser prints once it is up."""
    async with asyncio.timeout(MAX_WAIT_SECONDS):
        while child.stderr and (line := await child.stderr.readline()):
            if found := ADDRESS.search(line):
                return found[0].decode()
    raise ConnectionError("the browser did not start")
