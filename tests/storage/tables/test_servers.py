"""Settings of servers, and reports."""

from __future__ import annotations

from collections.abc import Callable

from storage.records import NewJob, Server
from storage.store import Store

GUILD, ALICE = 77, 1001


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
    """Reports are listed by server, newest first; deleted jobs are left out of them."""
    job = await store.jobs.queue(make_job())
    first = await store.reports.add(GUILD, ALICE, job.id, 5, "rude")
    second = await store.reports.add(GUILD, ALICE, 999, 6, "mine")

    reports = await store.reports.list_for(GUILD)

    assert [(report.id, report.job, report.reason) for report in reports] == [
        (second, None, "mine"),
        (first, job.id, "rude"),
    ]
    assert await store.reports.list_for(GUILD + 1) == []
