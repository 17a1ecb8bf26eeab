"""A whole bot on an offline Discord: what the tests of cards and commands stand on."""

from __future__ import annotations

import io
import logging
import random
import time
from contextlib import asynccontextmanager, suppress
from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Any

import discord
import pytest
import simcord
from PIL import Image, ImageDraw

from bot import wording
from bot.bot import Bot
from bot.settings import BotSettings
from storage.records import (
    Base,
    Catalog,
    Checked,
    Concept,
    Dial,
    Event,
    Kind,
    Method,
    NewJob,
    Pace,
    Rule,
    Status,
)
from storage.requests import TrainRequest
from storage.tables.durations import Gait

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from storage.records import Dataset, Job, Style
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

    async def measured(self, step: float, around: float = 0.0, method: str = "lora") -> None:
        """Have run a training of a subject on the embedded base."""
        gait = Gait("two cores", "embedded", 64, method, Concept.SUBJECT, 4)
        await self.store.paces.measured(gait, Pace(step, 0.0, 0.0, around))

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

    def sent(self, word: str) -> list[Any]:
        """List the messages of the channel and its threads that say something."""
        rooms = [self.channel, *self.channel.threads]
        return [m for room in rooms for m in room.history() if word in words(m)]

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


class Trainer:
    """Writes down what a trainer does, as the real one does it: claim, events, settle."""

    def __init__(self, kit: Kit) -> None:
        self.kit = kit

    @property
    def store(self) -> Store:
        """What bot and trainer share."""
        return self.kit.store

    async def publish(self, **changes: Any) -> None:
        """Say what can be trained."""
        base = Base(
            "embedded", "Safelight emoji", "sd1", "embedded", 64, "", "", present=True, small=True
        )
        real = Base("sd15", "Stable Diffusion", "sd1", "hub/sd15", 512, "", "", present=True)
        away = replace(real, name="away", title="Away", present=False)
        sizes = {
            "lora": (8, 1 << 20),
            "embedding": (2, 4096),
            "dreambooth": (0, 24_000_000),
            "finetune": (0, 24_000_000),
        }
        rules = [
            Rule(
                m,
                b.name,
                c,
                d,
                90,
                10,
                100,
                400,
                sizes[m][0],
                1e-3,
                4,
                sizes[m][1],
                f"{m}_{c}_{d}",
                prior=24 * (m == "dreambooth"),
            )
            for m in sizes
            for b in (base, real, away)
            for c in Concept
            for d in Dial
        ]
        bases, methods = (
            (base, real, away),
            (
                Method("lora", dropout=True),
                Method("embedding", (1, 8), word=True),
                Method("dreambooth", (0, 128), dropout=True),
                Method("finetune", (0, 0)),
            ),
        )
        catalog = Catalog(bases, methods, "embedded", tuple(rules), "two cores")
        await self.store.catalog.publish(replace(catalog, **changes))

    async def measured(self, step: float, around: float = 0.0, method: str = "lora") -> None:
        """Have run a training of a subject on the embedded base."""
        gait = Gait("two cores", "embedded", 64, method, Concept.SUBJECT, 4)
        await self.store.paces.measured(gait, Pace(step, 0.0, 0.0, around))

    async def dataset(
        self, who: simcord.MemberActor, name: str = "my dog", photos: int = 5, warned: int = 0
    ) -> Dataset:
        """Give a member a dataset of photos that were checked before: no darkroom needed."""
        dataset = await self.kit.dataset(who, name)
        for at in range(photos):
            warnings = ("tiny",) if at < warned else ()
            digest = f"{at + who.id:064x}"
            checked = Checked(digest, at * 0x0F0F_F0F0_0FF0, 64, 64, b"png", b"webp", warnings)
            await self.store.photos.add(dataset, checked)
        return dataset

    async def look(self, seconds: float = 1) -> None:
        """Let the bot read what was written."""
        await self.kit.env.advance_time(seconds)

    async def started(self) -> tuple[simcord.MemberActor, Job]:
        """Let alice start a training, and a worker claim it."""
        who = self.kit.member("alice")
        await self.dataset(who)
        card = (await who.slash(self.kit.channel, "train lora", dataset="my dog")).response
        await who.click(card, label="Start")
        return who, await self.claim()

    async def claim(self, *kinds: Kind) -> Job:
        """Take the next job."""
        job = await self.store.jobs.claim("worker", kinds or tuple(Kind))
        assert job is not None
        await self.tell(job, "started", step=0, steps=100, device="two cores", resumed=False)
        return job

    async def tell(self, job: Job, kind: str, **facts: Any) -> None:
        """Write an event."""
        await self.store.events.append(job.id, [Event(kind, facts, time.time())])

    async def step(self, job: Job, step: int) -> None:
        """Be at a step."""
        await self.tell(
            job, "progress", step=step, steps=100, loss=0.2, smooth=0.123, speed=5.0, eta=40
        )

    async def sample(self, job: Job, step: int, side: int = 64) -> None:
        """Draw on the way."""
        folder = self.store.home.run(job.id).samples
        folder.mkdir(parents=True, exist_ok=True)
        files = [f"step-{step:06d}-{at}.png" for at in range(2)]
        for at, name in enumerate(files):
            (folder / name).write_bytes(picture(step + at, (side, side)))
        (folder / "loss.png").write_bytes(picture(step, (300, 200)))
        prompts = ["a dog", "a dog on the moon"]
        await self.tell(job, "sample", step=step, files=files, prompts=prompts, seeds=[1, 2])
        await self.tell(job, "checkpoint", step=step, file="x", curve="loss.png")

    async def finish(self, job: Job, size: int = 2048, **facts: Any) -> Style:
        """Bring a training to its end."""
        file = self.store.home.run(job.id).result / f"{job.request['name']}.safetensors"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(b"\0" * size)
        style = await self.store.styles.add(
            job, file, method=job.request["method"], family="sd1",
            trigger=job.request["trigger"], concept=Concept(job.request["concept"]),
            whole=bool(facts.get("whole")),
        )  # fmt: skip
        await self.tell(
            job, "done", file=file.name, bytes=size, steps=100, seconds=48.0, speed=5.0, **facts
        )
        assert await self.store.jobs.settle(job.id, job.fence, Status.DONE)
        return style

    async def draw(self, job: Job, side: int = 64) -> None:
        """Bring a sample to its end."""
        folder = self.store.home.run(job.id).result
        folder.mkdir(parents=True, exist_ok=True)
        for at in range(job.request["count"]):
            (folder / f"{at}.png").write_bytes(picture(at, (side, side)))
            seed = job.request["seed"] + at
            prompt = job.request["prompt"]
            await self.tell(job, "picture", file=f"{at}.png", seed=seed, prompt=prompt)
        await self.tell(job, "done", steps=job.request["count"])
        assert await self.store.jobs.settle(job.id, job.fence, Status.DONE)

    async def fail(self, job: Job, code: str = "loss_nan", **facts: Any) -> None:
        """Bring a job to a bad end."""
        error = {"code": code, **facts}
        await self.tell(job, "failed", **error)
        assert await self.store.jobs.settle(job.id, job.fence, Status.FAILED, error)

    async def style(
        self,
        who: simcord.MemberActor,
        name: str = "my dog",
        size: int = 2048,
        **facts: Any,
    ) -> Style:
        """Train a style for a member without a word on Discord."""
        dataset = await self.kit.dataset(who, name)
        request = TrainRequest(
            "lora", "embedded", name, "mydog", Concept.SUBJECT, Dial.QUICK, 100, 8, 1e-3, 4, 7
        )
        new = NewJob(
            Kind.TRAIN, who.id, self.kit.guild.id, self.kit.channel.id, asdict(request),
            "embedded", dataset.id,
        )  # fmt: skip
        queued = await self.store.jobs.queue(new)
        self.kit.bot.follow.forget(queued.id)
        return await self.finish(await self.claim(Kind.TRAIN), size, **facts)


def make(home: Path, **settings: Any) -> Bot:
    """Make a bot that reads no `.env`."""
    return Bot(BotSettings(_env_file=None, home=home, **({"disk": 0, "port": 0} | settings)))


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
async def trainer(kit: Kit) -> Trainer:
    """A trainer that has said what it can do."""
    trainer = Trainer(kit)
    await trainer.publish()
    return trainer


@pytest.fixture
async def collector(tmp_path: Path) -> AsyncIterator[Kit]:
    """A bot whose operator lets photos be collected from messages."""
    async with running(tmp_path / "home", collect=True) as kit:
        yield kit
