"""Whatever Discord refuses, everything is told once: below, in the channel, directly or later."""

from __future__ import annotations

import asyncio
import time
from contextlib import suppress
from datetime import timedelta

import aiohttp
import discord
import pytest

from bot import wording
from bot.jobfeed.cards import Pending
from storage.records import Kind
from storage.tables.posts import make_marker
from tests.fakes.posts import (
    ALICE,
    BOB,
    HOMES,
    KINDS,
    LOG,
    MOVED,
    OWNER,
    SAID,
    opening_world,
    says_why,
)
from tests.fakes.rooms import CHANNEL, DM, THREAD, Fault, refusal

REFUSED = {
    "archived": refusal(400, 50083),
    "locked": refusal(400, 160005),
    "invalid": refusal(400, 50035),
    "write limit": refusal(400, 20028),
    "threads": refusal(400, 160006),
    "participants": refusal(400, 30033),
    "no access": refusal(403, 50001),
    "no permission": refusal(403, 50013),
    "forbidden": refusal(403),
    "closed": refusal(403, 50007),
    "automod": refusal(403, 200000),
    "channel gone": refusal(404, 10003),
    "gone": refusal(404),
    "request too large": refusal(413, 40005),
    "file too large": refusal(400, 50045),
    "other": refusal(400, 99999),
}
BUSY = {
    "token": refusal(401),
    "429": refusal(429),
    "429 with its time": discord.RateLimited(40.0),
    "500": refusal(500),
    "503": refusal(503),
    "overloaded": refusal(403, 40333),
    "time-out": TimeoutError(),
    "connection": aiohttp.ClientConnectionError(),
    "reset": ConnectionResetError(),
}


@pytest.mark.parametrize("name", [*REFUSED, *BUSY])
async def test_single(world, name):
    """After one refusal everything is told once, elsewhere with the reason, or a moment later."""
    error = (REFUSED | BUSY)[name]
    for kind in KINDS:
        await world.tell(kind)
        home = HOMES.get(kind, THREAD)
        world.bot.faults = [Fault(error, frozenset({home}))]
        await world.run(3)
        (message,) = world.find(kind)
        moved = says_why(message)
        assert message.room == home if not moved else name in REFUSED
        assert not moved or message.room in {CHANNEL, DM + OWNER}
    assert await world.command() == await world.command(OWNER) == []


async def test_closing(world, caplog):
    """What a bot that is just ending cannot post any more, the next one posts in its place."""
    for kind in KINDS:
        await world.tell(kind)
        world.bot.closed = True
        world.bot.faults = [Fault(RuntimeError("Session is closed"), times=None)]
        for watched in world.feed.watched.known.values():
            watched.request_update(Pending.NOW)
        await world.run(2)
        world.bot.closed, world.bot.faults = False, []
        world.start()
        await world.run(2)
        (message,) = world.find(kind)
        assert message.room == HOMES.get(kind, THREAD)
        assert not says_why(message) or kind == "report"
    assert [each for each in caplog.records if each.levelname == "ERROR"] == []


@pytest.mark.parametrize("name", [*REFUSED, *BUSY])
async def test_lasting(world, name):
    """A thread that refuses for good: everything is told once, in the channel or directly."""
    error = (REFUSED | BUSY)[name]
    for kind in KINDS:
        await world.tell(kind)
        home = HOMES.get(kind, THREAD)
        world.bot.faults = [Fault(error, frozenset({home}), times=None)]
        await world.run(40 if name in BUSY else 3)
        (message,) = world.find(kind)
        assert message.room in {CHANNEL, DM + ALICE, DM + OWNER} - {home}
        assert says_why(message)
    assert await world.command() == await world.command(OWNER) == []


@pytest.mark.parametrize("name", [*REFUSED, "token", "429", "time-out"])
async def test_everywhere(world, name):
    """What no place takes is shown with the member's next command, once, also after a restart."""
    for kind in KINDS:
        world.bot.faults = []
        await world.tell(kind)
        world.bot.faults = [Fault((REFUSED | BUSY)[name], None, times=None)]
        await world.run(45 if name in BUSY else 3)
        assert not world.find(kind)
    world.bot.faults = []
    world.start()
    await world.run(3)

    shown = await world.command()
    (report,) = await world.command(OWNER)

    for kind in KINDS[:4]:
        assert sum(SAID[kind] in each for each in shown) == 1, (kind, shown)
    assert all("before" in each or "The job itself continues" in each for each in shown)
    assert "server reports" in report
    assert await world.command() == await world.command(OWNER) == []
    assert await world.command(BOB) == []


@pytest.mark.parametrize("kind", [*KINDS[:3], "report"])
async def test_dies_after_posting(world, kind):
    """A bot that dies before it reads Discord's answer finds its post after the restart."""
    await world.tell(kind)
    home = frozenset({HOMES.get(kind, THREAD)})
    world.bot.faults = [Fault(asyncio.CancelledError(), home, arrives=True)]
    with pytest.raises(asyncio.CancelledError):
        await world.run(1)
    world.start()  # Discord has forgotten the nonces, too
    await world.run(3)

    assert len(world.find(kind)) == 1


@pytest.mark.parametrize("kind", KINDS)
async def test_dies_before_posting(world, kind):
    """A bot that dies anywhere on the ladder goes on where it was."""
    await world.tell(kind)
    last = DM + (OWNER if kind == "report" else ALICE)
    for room in (HOMES.get(kind, THREAD), CHANNEL, last):
        world.bot.faults = [
            Fault(refusal(403, 50013), frozenset({THREAD, CHANNEL, LOG}) - {room}, times=None),
            Fault(asyncio.CancelledError(), frozenset({room})),
        ]
        with suppress(asyncio.CancelledError):
            await world.run(1)
        world.start()
    world.bot.faults = []
    await world.run(3)

    assert len(world.find(kind)) == 1


@pytest.mark.parametrize("kind", [*KINDS[:3], "report"])
async def test_answer_lost(world, kind):
    """A post whose answer is lost is not sent a second time, however late the next try is."""
    await world.tell(kind)
    home = frozenset({HOMES.get(kind, THREAD)})
    world.bot.faults = [Fault(TimeoutError(), home, times=3, arrives=True)]
    for _ in range(4):
        world.bot.nonces.clear()
        await world.run(1)

    assert len(world.find(kind)) == 1


async def test_full_disk(small_disk, caplog):
    """On a full disk nothing is posted twice, what waits is logged once, and nothing is lost."""
    async with opening_world(small_disk.path / "home") as world:
        open_job = await world.queue(Kind.TRAIN)
        await world.scheduler.claim()
        for kind in KINDS:
            await world.tell(kind)
        small_disk.fill()
        caplog.clear()
        for _ in range(4):
            world.bot.nonces.clear()
            await world.run(1)
        logged = [each for each in caplog.records if each.levelname != "INFO"]
        (card,) = [each for each in world.bot.messages if each.nonce == f"{open_job}-0-card"]
        said = [card.text]
        small_disk.free()
        await world.run(4)
        said.append(card.text)
        counts = {kind: len(world.find(kind)) for kind in KINDS}

    assert len(logged) <= 2
    assert not any(record.exc_info for record in logged)
    assert [wording.job.NOTES["disk_full"] in each for each in said] == [True, False]
    assert counts == dict.fromkeys(KINDS, 1)


@pytest.mark.parametrize("clock", [0, 3600])
async def test_card_after_death(world, clock):
    """A card whose message the store does not know yet is found, not posted twice.

    That holds also if the clock was set back since.
    """
    job = await world.queue(Kind.SAMPLE)
    await world.store._database.execute("UPDATE jobs SET created = created + :by", by=clock)
    for each in world.bot.messages:  # by which the card is found
        each.card.container.id = make_marker(
            f"card {job} {(await world.store.jobs.get(job)).created}"
        )
    card = (await world.store.jobs.get(job)).message
    await world.store.jobs.set_card(job, CHANNEL, 0, None)
    world.start()
    await world.run(1)

    assert (await world.store.jobs.get(job)).message == card
    assert len(world.bot.messages) == 1


async def test_said_once(world):
    """The reason is told with the first post that it moves, not with each."""
    await world.tell("previews")
    world.bot.faults = [Fault(refusal(400, 160005), frozenset({THREAD}), times=None)]
    await world.run(2)
    (job,) = await world.store.jobs.list_open()
    await world.scheduler.report_preview(job, 25)
    await world.run(2)

    posted = [each for each in world.bot.messages if each.room == CHANNEL][1:]
    assert [MOVED in each.text for each in posted] == [True, False]


async def test_too_many_edits(world):
    """A card that Discord allows no more edits of is posted anew."""
    job = await world.queue(Kind.TRAIN)
    old = (await world.store.jobs.get(job)).message
    world.bot.faults = [Fault(refusal(429, 30046), frozenset({CHANNEL}))]
    await world.scheduler.claim()
    await world.run(2)

    assert (await world.store.jobs.get(job)).message != old
    assert len(world.bot.messages) == 1


async def test_clock_ahead(world):
    """By a clock that is hours ahead every card is too old to edit: it is edited all the same."""
    world.bot.clock_ahead = timedelta(hours=3)
    job = await world.queue(Kind.TRAIN)
    posted = (await world.store.jobs.get(job)).message
    await world.scheduler.claim()
    await world.run(2)

    assert [each.id for each in world.bot.messages] == [posted]
    assert "Waiting" not in world.bot.messages[0].text


async def test_wait(world):
    """A post is not tried again before the time that Discord asks for is over."""
    await world.tell("previews")
    world.bot.faults = [Fault(BUSY["429 with its time"], frozenset({THREAD}))]
    await world.feed.update()
    await world.feed.update()
    (post,) = await world.store.posts.list_waiting()

    assert world.feed.ladder.due[post.id] - time.monotonic() > 30
    assert not world.find("previews")


async def test_watchers(world):
    """Those who pressed Tell me are told directly where the channel takes nothing."""
    await world.tell("result")
    (job,) = await world.store.jobs.list_for(ALICE)
    await world.store.jobs.add_watcher(job.id, BOB)
    world.bot.faults = [Fault(refusal(403), frozenset({THREAD, CHANNEL}), times=None)]
    await world.run(3)

    assert [each.room for each in world.find("result")] == [DM + ALICE, DM + BOB]


async def test_private(world):
    """What belongs to a private thread never goes to the channel."""
    await world.queue(Kind.TRAIN, private=True)
    job = await world.scheduler.claim()
    world.bot.faults = [Fault(refusal(404, 10003), frozenset({THREAD}), times=None)]
    await world.scheduler.finish_training(job)
    await world.run(3)

    assert [each.room for each in world.find("result")] == [DM + ALICE]


async def test_bug(world, caplog):
    """A post that cannot be made is logged and holds up no other one."""
    await world.tell("previews")
    (job,) = await world.store.jobs.list_open()
    picture = next(world.store.home.job_folder(job.folder).samples.glob("step*"))
    picture.write_bytes(b"no picture")
    await world.scheduler.finish_training(job)
    await world.run(3)

    assert len(world.find("result")) == 1
    assert "Bug with post" in caplog.text
