"""What the demo's page serves, to whom, and where."""

from __future__ import annotations

import aiohttp
import pytest

from bot import wording
from bot.demo import live, page
from bot.demo.mascot import HELD_OUT, TRAINED
from storage.errors import UserError
from tests.fakes.page import served_page

pytestmark = [pytest.mark.slow(2), pytest.mark.asyncio(loop_scope="module")]


async def get(url, **headers):
    """Request a page and return status and text."""
    async with aiohttp.ClientSession() as session, session.get(url, headers=headers) as answer:
        return answer.status, (await answer.read()).decode(errors="replace")


async def test_the_page_is_ours(tmp_path):
    """Name, sidebar and banner are ours, and simcord's name is not shown."""
    async with served_page(tmp_path / "home") as url:
        status, body = await get(url)
        assert status == 200
        assert "<title>Safelight demo</title>" in body
        assert wording.demo.BANNER in body
        assert "SimCord Preview" not in body
        assert (await get(url.partition("#")[0] + "safelight.css"))[0] == 200
        for path in ("glim.png", "pictures/hat.png"):
            assert (await get(url.partition("#")[0] + path))[0] == 200
        _, packed = await get(url.partition("#")[0] + "pictures.zip")
        assert all(f"{name}.png" in packed for name in TRAINED + HELD_OUT)
        assert (await get(url.partition("#")[0] + "pictures/..%2f__init__.png"))[0] == 404


async def test_the_page_is_for_this_computer_alone(tmp_path):
    """Requests by another host name or from another page's script are refused."""
    async with served_page(tmp_path / "home") as url:
        home = url.partition("#")[0]
        assert (await get(home, Host="evil.example"))[0] == 403
        assert (await get(home + "api/state", Origin="https://evil.example"))[0] == 403
        assert (await get(home + "api/state"))[0] == 401
        async with aiohttp.request("POST", home + "api/post", data={"viewer": "1"}) as answer:
            assert answer.status == 401


async def test_a_port_that_is_taken(tmp_path):
    """A port that another program has, or that no computer has, is refused with a sentence."""
    async with served_page(tmp_path / "home") as url:
        for port in (int(url.split(":")[2].partition("/")[0]), 70_000):
            with pytest.raises(UserError, match="port_refused"):
                await page.serve(None, live.make_page_text(), port).__aenter__()
