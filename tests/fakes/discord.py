"""A whole bot on an offline Discord: `async with running(home) as kit`."""

from __future__ import annotations

import io
import json
import logging
import random
import re
from contextlib import asynccontextmanager, suppress
from string import Formatter
from typing import TYPE_CHECKING, Any

import discord
import simcord
from PIL import Image, ImageDraw
from simcord.backend.errors import BackendError, unknown_message
from simcord.http import router
from simcord.http.routes import messages

from bot import wording
from bot.__main__ import make_bot
from bot.bot import Bot
from bot.settings import BotSettings
from storage.photos.sandbox import Child
from storage.records import Concept
from storage.tables.consents import Terms
from tests.fakes.emptystore import lay_empty_store

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from storage.records import Dataset, Job
    from storage.store import Store

BUTTON = 2  #: Discord's number for the component
NONCE_SECONDS = 300  #: that Discord remembers nonces for
#: of the darkroom, handed on from bot to bot: to start one takes longer than most tests
IDLE_CHILDREN: list[Child] = []


def draw_photo(seed: int = 0, size: tuple[int, int] = (320, 300), form: str = "PNG") -> bytes:
    """Draw a sharp picture that is no near duplicate of another seed's."""
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


def draw_mask(size: tuple[int, int] = (320, 300), painted: str = "white") -> bytes:
    """Draw a mask whose left half is painted."""
    mask, out = Image.new("L", size), io.BytesIO()
    mask.paste(painted, (0, 0, size[0] // 2, size[1]))
    mask.save(out, "PNG")
    return out.getvalue()


def last_message(answer: Any) -> Any:
    """Return the last message of an interaction's answer, or the message itself."""
    if not hasattr(answer, "followups"):
        return answer
    return answer.followups[-1] if answer.followups else answer.response


def components(answer: Any) -> list[dict[str, Any]]:
    """List every component of a message or an answer, with the nested ones."""
    queue = [
        part if isinstance(part, dict) else part.to_dict()
        for part in last_message(answer).components
    ]
    found = []
    while queue:
        part = queue.pop(0)
        found.append(part)
        queue = [*part.get("components", ()), *queue]
        if part.get("accessory"):
            queue.insert(0, part["accessory"])
    return found


def text(answer: Any) -> str:
    """Return all text of a message or an answer."""
    texts = [part["content"] for part in components(answer) if "content" in part]
    return "\n".join([last_message(answer).content, *texts]).strip()


def says(answer: Any, template: str, **facts: Any) -> bool:
    """Return whether a message says a sentence; facts that are not given may be anything."""
    said = answer if isinstance(answer, str) else text(answer)
    pattern = ""
    for words, name, form, _ in Formatter().parse(template):
        pattern += re.escape(words)
        if name in facts:
            fact = facts[name]
            told = fact if isinstance(fact, str) else format(fact, form or "")
            pattern += f"({re.escape(told)}|{re.escape(wording.escape(told))})"
        elif name:
            pattern += ".*?"
    return re.search(pattern, said, re.DOTALL) is not None


def labels(answer: Any) -> list[str]:
    """List the labels of the buttons of a message or an answer."""
    return [part["label"] for part in components(answer) if part.get("type") == BUTTON]


class BotKit:
    """One server with one channel, the bot, and members who press and type."""

    def __init__(self, env: simcord.Env, home: Path, settings: dict[str, Any]) -> None:
        self.env, self.home, self.settings = env, home, settings
        self.guild = env.create_guild("Darkroom")
        self.channel = self.guild.create_text_channel("lab")

    @property
    def bot(self) -> Bot:
        """The running bot."""
        return self.env.bot

    @property
    def store(self) -> Store:
        """The bot's store."""
        return self.bot.store

    def add_member(self, name: str, *roles: simcord.RoleHandle) -> simcord.MemberActor:
        """Let somebody join the server."""
        return self.guild.add_member(self.env.create_user(name), roles=list(roles))

    def add_moderator(self, name: str = "mo") -> simcord.MemberActor:
        """Let somebody join who may manage the server."""
        may = discord.Permissions(manage_guild=True)
        return self.add_member(name, self.guild.create_role("Mods", permissions=may))

    async def add_dataset(
        self, who: simcord.MemberActor, name: str = "my dog", photos: int = 0, seed: int = 0
    ) -> Dataset:
        """Add a member's dataset and consent, with photos that the darkroom checks."""
        dataset = await self.store.datasets.create(who.id, self.guild.id, name, Concept.SUBJECT)
        await self.store.consents.add(who.id, Terms(wording.CONSENT), "test")
        for number in range(seed, seed + photos):
            checked = await self.bot.darkroom.check(draw_photo(number))
            await self.store.photos.add(dataset, checked)
        return dataset

    async def open_dataset(self, who: simcord.MemberActor, name: str = "my dog") -> Any:
        """Open a dataset's card and return the message."""
        return (await who.slash(self.channel, "dataset show", name=name)).response

    async def send_photos(
        self, who: simcord.MemberActor, photos: list[tuple[str, bytes]], name: str = "my dog"
    ) -> Any:
        """Send photos through the form, with the consent if it asks for it."""
        form = await who.slash(self.channel, "dataset add", name=name)
        asked = '"consent"' in json.dumps(form.modal)
        return await who.submit_modal(
            form, {"photos": photos, **({"consent": ["yes"]} if asked else {})}
        )

    async def fetch_card(self, job: Job) -> discord.Message:
        """Return the message that is a job's card."""
        job = await self.store.jobs.get(job.id)
        channel = self.bot.get_channel(job.channel)
        assert isinstance(channel, discord.TextChannel)
        assert job.message
        return await channel.fetch_message(job.message)

    def find_messages(self, word: str) -> list[Any]:
        """List the messages of the channel and its threads that contain a word."""
        rooms = [self.channel, *self.channel.threads]
        return [m for room in rooms for m in room.history() if word in text(m)]

    async def restart(self, **settings: Any) -> Bot:
        """Shut the bot down and start a new one on the same folder."""
        old = self.bot
        new = bot_without_env(self.home, **(self.settings | settings))
        await self.env.restart_bot(new)
        await old.close_features()
        return new

    draw_photo, components, text, says, labels = map(
        staticmethod, (draw_photo, components, text, says, labels)
    )


def bot_without_env(home: Path, **settings: Any) -> Bot:
    """Make a bot that reads no `.env`."""
    return make_bot(BotSettings(_env_file=None, home=home, **({"disk": 0, "port": 0} | settings)))


class PromptEnv(simcord.Env):
    """Sees soon that the bot has settled; simcord 3.2.1 looks every 50 ms while a thread works.

    The database has a thread of its own, so every turn of the job feed would take as long.
    """

    async def _settle_internal(self, *, idle: float = 0.004, **more: Any) -> None:
        await super()._settle_internal(idle=idle, **more)


@asynccontextmanager
async def running(home: Path, **settings: Any) -> AsyncIterator[BotKit]:
    """Run a bot on an offline Discord; fail at the end if it logged an error."""
    await lay_empty_store(home)
    bot, errors = bot_without_env(home, **settings), ErrorLog()
    logging.getLogger("bot").addHandler(errors)
    env = PromptEnv(bot, settle_timeout=30)
    await env.start()
    bot.darkroom._idle, IDLE_CHILDREN[:] = [*IDLE_CHILDREN], ()
    try:
        kit = BotKit(env, home, settings)
        kit.logged_errors = errors.messages
        yield kit
        bot = kit.bot
    finally:
        logging.getLogger("bot").removeHandler(errors)
        IDLE_CHILDREN[:], bot.darkroom._idle = bot.darkroom._idle, []
        with suppress(simcord.SetupError):
            await env.shutdown()
        await bot.close_features()
    assert errors.messages == []


def send_message(ctx: router.RequestContext) -> Any:
    """Send a message as Discord does: a nonce once, nothing in a locked thread.

    simcord ignores both. A message un-archives its thread.
    """
    channel, body = ctx.backend.get_channel(ctx.int_arg("channel_id")), ctx.body()
    metadata = channel.thread_metadata if channel.is_thread else None
    if metadata is not None and metadata.locked:
        raise BackendError(400, 160005, "Thread is locked")
    if metadata is not None:
        metadata.archived = False
    known, now = vars(ctx.backend).setdefault("nonces", {}), ctx.backend.clock.elapsed
    nonce = body.get("nonce") if body.get("enforce_nonce") else None
    if nonce in known and now - known[nonce][0] < NONCE_SECONDS:
        sent = known[nonce][1]
        if int(sent["id"]) not in ctx.backend.messages[int(sent["channel_id"])]:
            raise unknown_message()
        return sent
    sent = messages.send_message(ctx)
    if nonce is not None:
        assert len(nonce) <= 25
        known[nonce] = (now, sent)
    return sent


router._ROUTES["POST"].insert(0, (["channels", "{channel_id}", "messages"], send_message))


class ErrorLog(logging.Handler):
    """Collects the errors that the bot logs; a test that expects one removes it."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.messages: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        """Add a record."""
        self.messages.append(self.format(record))
