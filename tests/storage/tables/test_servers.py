"""Settings of servers, and reports."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from storage.errors import UserError
from storage.records import NewJob, Server
from storage.store import Store
from storage.tables.posts import NewPost, PostKind
from storage.tables.servers import Decision

GUILD, ALICE, BOB = 77, 1001, 1002


async def test_defaults(store: Store) -> None:
    """A server without saved settings has the defaults."""
    assert await store.servers.get(GUILD) == Server(GUILD)


async def test_save(store: Store) -> None:
    """The settings that were saved last hold, for that server alone."""
    await store.servers.save(Server(GUILD, channel=1, trainers=(5,)))
    last = Server(GUILD, log=2, trainers=(5, 6), samplers=(7,), jobs=3, minutes=0)

    await store.servers.save(last)

    assert await store.servers.get(GUILD) == last
    assert await store.servers.get(GUILD + 1) == Server(GUILD + 1)


async def test_reports(store: Store, make_job: Callable[..., NewJob]) -> None:
    """Reports that nobody has decided about are listed by server, newest first."""
    job = await store.jobs.queue(make_job())
    first = await store.reports.add(GUILD, ALICE, job.id, (8, 5), "rude")
    second = await store.reports.add(GUILD, ALICE, 999, (8, 6), "mine")
    third = await store.reports.add(GUILD, ALICE, job.id, (8, 7), "old")
    await store.reports.decide(third.id, Decision.KEEP, BOB)

    waiting = await store.reports.list_waiting(GUILD)

    assert waiting == [second, first]
    assert [(report.job, report.reason) for report in waiting] == [
        (None, "mine"),
        (job.id, "rude"),
    ]
    assert await store.reports.list_waiting(GUILD + 1) == []
    assert await store.reports.get(first.id, GUILD) == first
    with pytest.raises(UserError, match="report_unknown"):
        await store.reports.get(first.id, GUILD + 1)


async def test_decisions(store: Store) -> None:
    """The first decision of its kind stays; a moderator who leaves leaves no name."""
    report = await store.reports.add(GUILD, ALICE, None, (8, 5), "rude")
    for decision, moderator in ((Decision.REMOVE, BOB), (Decision.REMOVE, 7), (Decision.BLOCK, 7)):
        await store.reports.decide(report.id, decision, moderator)
    before = await store.reports.list_decisions(report.id)

    await store.members.erase(BOB, keep_styles=False)

    assert before == {Decision.REMOVE: BOB, Decision.BLOCK: 7}
    assert await store.reports.list_decisions(report.id) == {
        Decision.REMOVE: None,
        Decision.BLOCK: 7,
    }


async def test_blocked(store: Store) -> None:
    """A block holds on its server until it is lifted; deleting one's data does not lift it."""
    await store.servers.block(GUILD, ALICE)
    await store.servers.block(GUILD, ALICE)
    await store.members.erase(ALICE, keep_styles=False)

    assert await store.servers.list_blocked(GUILD) == [ALICE]
    assert await store.servers.list_blocked(GUILD + 1) == []
    assert (await store.members.export(ALICE))["blocked"][0]["guild"] == GUILD
    assert await store.servers.unblock(GUILD, ALICE)
    assert not await store.servers.unblock(GUILD, ALICE)


async def test_owner_told(store: Store) -> None:
    """A server's owner is told of a report once while an earlier one waits."""
    first, second = [
        await store.reports.add(GUILD, ALICE, None, (8, message), "rude") for message in (5, 6)
    ]
    (post,) = await store.posts.add(NewPost(PostKind.REPORT, BOB, GUILD, report=first.id))
    await store.posts.finish(await store.posts.refuse(post, ("log", "no_log")), 9, 10)

    assert await store.posts.is_owner_told(GUILD, second.id)
    assert not await store.posts.is_owner_told(GUILD, first.id)
    await store.reports.decide(first.id, Decision.KEEP, BOB)
    assert not await store.posts.is_owner_told(GUILD, second.id)
