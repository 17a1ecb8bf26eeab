"""A whole bot on an offline Discord: what the tests of cards and commands stand on."""

from __future__ import annotations

import io
import logging
import random
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING, Any

import discord
import pytest
import simcord
from PIL import Image, ImageDraw

from bot import wording
from bot.client import Bot
from bot.settings import BotSettings
from storage.records import Concept

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from storage.records import Dataset
    from storage.store import Store


def picture(seed: int = 0, size: tuple[int, int] = (320, 300), form: str = "PNG") -> bytes:
    """Draw a sharp picture that no other seed comes near to."""
    rng = random.Random(seed)
    image = Image.new("RGB", size, tuple(rng.randrange(256) for _ in range(3)))
    draw = ImageDraw.Draw(image)
    for _ in range(40):
        x, y = rng.randrange(size[0]), rng.randrange(size[1])
        w, h = rng.randrange(10, 120), rng.randrange(10, 120)
        draw.rectangle((x, y, x + w, y + h), tuple(rng.randrange(256) for _ in range(3)))
    out = io.BytesIO()
    image.save(out, form)
    return out.getvalue()


def newest(shown: Any) -> Any:
    """Return the last message that an answer brought, or the message itself."""
    if not hasattr(shown, "followups"):
        return shown
    return shown.followups[-1] if shown.followups else shown.response


def parts(shown: Any) -> list[dict[str, Any]]:
    """Return every component of a message or an answer, nested ones too."""
    message = newest(shown)
    raw = message.components
    queue = [c if isinstance(c, dict) else c.to_dict() for c in raw]
    found = []
    while queue:
        part = queue.pop(0)
        found.append(part)
        queue = [*part.get("components", ()), *queue]
        if part.get("accessory"):
            queue.insert(0, part["accessory"])
    return found


def words(shown: Any) -> str:
    """Return everything a person reads on a message or an answer."""
    message = newest(shown)
    texts = [part["content"] for part in parts(message) if "content" in part]
    return "\n".join([message.content, *texts]).strip()


def labels(shown: Any) -> list[str]:
    """Return the labels of the buttons on a message or an answer."""
    return [part["label"] for part in parts(shown) if part.get("type") == 2]


class Kit:
    """One server with one channel, the bot, and members who press and type."""

    def __init__(self, env: simcord.Env, home: Path, settings: dict[str, Any]) -> None:
        self.env, self.home, self.settings = env, home, settings
        self.guild = env.create_guild("Darkroom")
        self.channel = self.guild.create_text_channel("lab")

    async def dataset(
        self, who: simcord.MemberActor, name: str = "my dog", photos: int = 0, seed: int = 0
    ) -> Dataset:
        """Give a member a dataset, with photos if wanted, and their consent."""
        dataset = await self.store.datasets.new(who.id, self.guild.id, name, Concept.SUBJECT)
        await self.store.members.consent(who.id, wording.CONSENT, "test")
        for number in range(seed, seed + photos):
            checked = await self.bot.darkroom.check(picture(number))
            await self.store.photos.add(dataset, checked)
        return dataset

    async def shown(self, who: simcord.MemberActor, name: str = "my dog") -> Any:
        """Open a dataset's card and return the message."""
        return (await who.slash(self.channel, "dataset show", name=name)).response

    @property
    def bot(self) -> Bot:
        """The running bot."""
        return self.env.bot

    @property
    def store(self) -> Store:
        """What the bot remembers."""
        return self.bot.store

    def member(self, name: str, *roles: simcord.RoleHandle) -> simcord.MemberActor:
        """Let somebody join."""
        return self.guild.add_member(self.env.create_user(name), roles=list(roles))

    def moderator(self, name: str = "mo") -> simcord.MemberActor:
        """Let somebody join who looks after the server."""
        may = discord.Permissions(manage_guild=True)
        return self.member(name, self.guild.create_role("Mods", permissions=may))

    async def restart(self, **settings: Any) -> Bot:
        """End the bot and start a fresh one on the same folder."""
        old = self.bot
        new = make(self.home, **(self.settings | settings))
        await self.env.restart_bot(new)
        await old.shut()
        return new

    picture, parts, words, labels = map(staticmethod, (picture, parts, words, labels))


def make(home: Path, **settings: Any) -> Bot:
    """Make a bot that reads no `.env`."""
    return Bot(BotSettings(_env_file=None, home=home, **({"disk": 0} | settings)))


@asynccontextmanager
async def running(home: Path, **settings: Any) -> AsyncIterator[Kit]:
    """Run a bot on an offline Discord."""
    bot, bugs = make(home, **settings), Bugs()
    logging.getLogger("bot").addHandler(bugs)
    env = simcord.Env(bot, settle_timeout=30)
    await env.start()
    try:
        kit = Kit(env, home, settings)
        kit.bugs = bugs.found
        yield kit
        bot = kit.bot
    finally:
        logging.getLogger("bot").removeHandler(bugs)
        with suppress(simcord.SetupError):
            await env.shutdown()
        await bot.shut()
    assert bugs.found == []


class Bugs(logging.Handler):
    """Keeps what the bot itself calls a bug; a test that wants one takes it away."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.found: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        """Keep a record."""
        self.found.append(self.format(record))


@pytest.fixture
async def kit(tmp_path: Path) -> AsyncIterator[Kit]:
    """A bot as an operator gets it."""
    async with running(tmp_path / "home") as kit:
        yield kit


@pytest.fixture
async def collector(tmp_path: Path) -> AsyncIterator[Kit]:
    """A bot whose operator lets photos be collected from messages."""
    async with running(tmp_path / "home", collect=True) as kit:
        yield kit
