"""A real Chromium, driven by its own protocol: open a page, run a line of JavaScript, wait."""

from __future__ import annotations

import asyncio
import re
import shutil
from contextlib import asynccontextmanager
from tempfile import TemporaryDirectory

import aiohttp
import pytest

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser"))), None)
PATIENCE = 60.0  #: seconds a page may take to show something


class Tab:
    """One page of the browser."""

    def __init__(self, socket):
        self.socket = socket
        self.number = 0

    async def call(self, method, **values):
        """Ask the browser for something."""
        self.number += 1
        await self.socket.send_json({"id": self.number, "method": method, "params": values})
        async for message in self.socket:
            answer = message.json()
            if answer.get("id") == self.number:
                return answer["result"]
        raise ConnectionError(method)

    async def run(self, script):
        """Return what an expression is in the page."""
        said = await self.call("Runtime.evaluate", expression=script, returnByValue=True)
        return said["result"].get("value")

    async def until(self, script):
        """Wait until an expression is true."""
        async with asyncio.timeout(PATIENCE):
            while not await self.run(script):
                await asyncio.sleep(0.1)

    async def press(self, label):
        """Press the button with that label, once it can be pressed."""
        button = (
            f"[...document.querySelectorAll('button')].find(b => b.innerText.trim() === {label!r})"
        )
        await self.until(f"(b => b && !b.disabled && b.ariaDisabled !== 'true')({button})")
        await self.run(f"{button}.click()")

    async def shows(self, text):
        """Wait until a text stands on the page."""
        await self.until(f"document.body.innerText.includes({text!r})")


@pytest.fixture
def tab():
    """Open a page in a browser; without a browser, the test is skipped."""
    if CHROMIUM is None:
        pytest.skip("there is no Chromium here")
    return opened


@asynccontextmanager
async def opened(url, size=(1280, 900)):
    """Open a page in a browser of its own."""
    with TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        child = await asyncio.create_subprocess_exec(
            CHROMIUM, "--headless", "--no-sandbox", "--disable-gpu", "--remote-debugging-port=0",
            f"--window-size={size[0]},{size[1]}", f"--user-data-dir={profile}", "about:blank",
            stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.PIPE,
        )  # fmt: skip
        try:
            while not (told := re.search(rb"127\.0\.0\.1:\d+", await child.stderr.readline())):
                pass
            async with aiohttp.ClientSession() as session:
                address = f"http://{told[0].decode()}/json/new?about:blank"
                async with session.put(address) as answer:
                    place = (await answer.json())["webSocketDebuggerUrl"]
                async with session.ws_connect(place, max_msg_size=0) as socket:
                    page = Tab(socket)
                    await page.call("Page.navigate", url=url)
                    yield page
        finally:
            child.terminate()
            await child.communicate()
