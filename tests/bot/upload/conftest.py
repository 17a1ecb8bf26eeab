"""A bot that serves its upload page, and a member's visits to it."""

from __future__ import annotations

import asyncio
import hashlib
from contextlib import asynccontextmanager

import pytest
from aiohttp import ClientSession

from bot.demo.stage import serve_links
from tests.fakes.discord import running
from tests.fakes.scheduler import FakeScheduler

NAME = "my dog"


def digest_of(content: bytes) -> str:
    """Return a file's digest, by which it is uploaded."""
    return hashlib.sha256(content).hexdigest()


async def until(look, enough):
    """Look again and again, until it is enough."""
    async with asyncio.timeout(10):
        while not enough(found := await look()):
            await asyncio.sleep(0.02)
        return found


class Visitor:
    """A page in somebody's browser, as far as the server sees it."""

    def __init__(self, session: ClientSession, kit, url: str) -> None:
        self.session, self.kit, self.url = session, kit, url
        self.page, _, token = url.partition("#")
        self.headers = {"Authorization": f"Bearer {token}"}

    async def ask(self, method: str, path: str, json=None, data=None) -> tuple[int, dict]:
        """Send a request and return its status and JSON."""
        address = f"{self.page}/{path}"
        async with self.session.request(
            method, address, json=json, data=data, headers=self.headers
        ) as answer:
            return answer.status, await answer.json()

    async def put(self, content: bytes, kind: str = "photos") -> tuple[int, dict]:
        """Send a file."""
        return await self.ask("PUT", f"{kind}/{digest_of(content)}", data=content)

    async def photos(self) -> list[dict]:
        """Return the photos that the page shows."""
        return (await self.ask("GET", "photos"))[1]["photos"]


@asynccontextmanager
async def serving(home, **settings):
    """Run a bot with its web server, and hand out visits."""
    async with running(home, **settings) as kit:
        await serve_links(kit.bot)
        async with ClientSession() as session:

            async def visit(dataset, member=None) -> Visitor:
                link = kit.bot.web.upload_link(dataset, member or dataset.owner)
                return Visitor(session, kit, link.url)

            kit.visit = visit
            yield kit


@pytest.fixture
async def site(tmp_path):
    """Run a bot that serves the page."""
    async with serving(tmp_path / "home") as kit:
        yield kit


@pytest.fixture
async def scheduler(site):
    """Return a scheduler that has published its catalog."""
    scheduler = FakeScheduler(site)
    await scheduler.publish_catalog()
    return scheduler
