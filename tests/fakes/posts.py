"""Jobs and a report that have something to tell, and a Discord that refuses it."""

from __future__ import annotations

from contextlib import asynccontextmanager
from dataclasses import asdict
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from bot import wording
from bot.jobfeed.follower import JobFollower
from storage.folders import Home
from storage.records import Base, Catalog, Concept, Dial, Kind, Method, NewJob, Server
from storage.requests import SampleRequest, TrainRequest
from storage.store import Store
from storage.tables.posts import NewPost, PostKind
from tests.fakes.discord import text
from tests.fakes.rooms import CHANNEL, GUILD, THREAD, FakeBot
from tests.fakes.scheduler import FakeScheduler

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    import discord

ALICE, BOB, OWNER, LOG = 1001, 1002, 1003, 66
MOVED = wording.refusals.MOVED.partition("{why}")[2]
MOVED_TO_MEMBER = wording.refusals.MOVED_TO_MEMBER.partition("{why}")[2]
KINDS = ("previews", "result", "ending", "pictures", "report")
HOMES = {"pictures": CHANNEL, "report": LOG}  #: where a kind is told; else in the thread
SAID = {
    "report": "reported",
    "previews": "Before training",
    "result": "is ready",
    "ending": "failed.",
    "pictures": "a red fox",
}


class World:
    """Jobs and a report that each have something to tell, and a Discord that refuses it."""

    def __init__(self, store: Store) -> None:
        self.store, self.bot = store, FakeBot(store)
        self.scheduler = FakeScheduler(SimpleNamespace(store=store))
        self.start()

    def start(self) -> None:
        """Start a bot, as after a restart: it knows what the store knows."""
        self.feed = JobFollower(self.bot)
        self.bot.nonces.clear()

    async def queue(self, kind: Kind, **changes: Any) -> int:
        """Queue and claim a job whose card and thread are there."""
        request: Any = SampleRequest("embedded", "a red fox", seed=1)
        if kind is Kind.TRAIN:
            request = TrainRequest(
                "lora", "embedded", "my dog", "mydog", Concept.SUBJECT, Dial.QUICK,
                100 + len(await self.store.jobs.list_for(ALICE)), 8, 1e-3, 4, 7,
            )  # fmt: skip
        new = NewJob(kind, ALICE, GUILD, CHANNEL, asdict(request), "embedded", **changes)
        job = await self.store.jobs.queue(new)
        await self.feed.show(job.id)
        if kind is Kind.TRAIN:
            await self.store.jobs.set_thread(job.id, THREAD)
        return job.id

    async def tell(self, kind: str) -> None:
        """Let a job have something to tell of a kind."""
        if kind == "report":
            await self.store.servers.save(Server(GUILD, log=LOG))
            report = await self.store.reports.add(GUILD, BOB, None, (CHANNEL, 5), "rude")
            new = NewPost(PostKind.REPORT, OWNER, GUILD, report=report.id)
            await self.store.posts.add(new)
            return
        await self.queue(Kind.SAMPLE if kind == "pictures" else Kind.TRAIN)
        job = await self.scheduler.claim()
        await self.feed.update()
        if kind == "previews":
            await self.scheduler.report_preview(job, 0, side=300)
        elif kind == "result":
            await self.scheduler.finish_training(job)
        elif kind == "ending":
            await self.scheduler.fail(job, step=3)
        else:
            await self.scheduler.finish_sample(job, side=300)

    async def run(self, turns: int) -> None:
        """Let the bot take turns, each when the next try is due, until nothing waits."""
        for _ in range(turns):
            self.feed.ladder.due.clear()
            await self.feed.update()
            if not await self.store.posts.list_waiting():
                break

    def find(self, kind: str) -> list[Any]:
        """List the messages that tell something; a sample's card tells when it shows pictures."""
        found = [each for each in self.bot.messages if SAID[kind] in each.text]
        if kind == "ending":
            found = [each for each in found if "It failed" not in each.text]
        return [each for each in found if kind != "pictures" or each.card.paths]

    async def command(self, member: int = ALICE) -> list[str]:
        """Let a member use a command, and return what they are shown after its answer."""
        shown: list[str] = []

        async def send(
            view: Any,
            files: list[discord.File],
            ephemeral: bool,
            *,
            wait: bool = False,  # noqa: ARG001 - as a follow-up takes it
        ) -> None:
            assert ephemeral
            for file in files:
                file.close()
            shown.append(text(SimpleNamespace(content="", components=view.payload())))

        answer: Any = SimpleNamespace(
            user=SimpleNamespace(id=member),
            followup=SimpleNamespace(send=send),
            filesize_limit=10 << 20,
        )
        await self.feed.show_kept(answer)
        return shown


def says_why(message: Any) -> bool:
    """Return whether a message says why it is not where it was expected."""
    return any(said in message.text for said in (MOVED, MOVED_TO_MEMBER, "was reported on"))


@asynccontextmanager
async def opening_world(home: Path) -> AsyncIterator[World]:
    """Open a store in a data folder, and a Discord that works so far."""
    async with await Store.open(Home(home)) as store:
        base = Base("embedded", "Safelight emoji", "sd1", "embedded", 64, "", "", present=True)
        await store.catalog.publish(Catalog((base,), (Method("lora", title="LoRA"),)))
        yield World(store)
