"""Hostile requests to the web server: a status each, no traceback, no hang, no other file."""

from __future__ import annotations

import asyncio
import random
from contextlib import asynccontextmanager

import pytest

from benchmarks.hostile.requests import (
    METHODS,
    RANGES,
    RAW,
    VERSIONS,
    list_paths,
    list_tokens,
    make_raw,
    make_request,
)
from bot import web
from bot.web import Web
from storage.folders import Home
from storage.records import Concept, Kind, NewJob, Status
from storage.store import Store
from tests.fakes.forger import Tracebacks
from tests.fakes.memory import measure_growth

OWNER, WEIGHTS = 7, b"weights" * 1000
RANDOM_REQUESTS = 150
IDLE_SECONDS = 0.3


class Listening:
    """A server with one style of alice's, and how to talk to it in bytes."""

    def __init__(self, server: Web, port: int) -> None:
        self.server, self.port = server, port
        self.token = ""

    async def send(self, content: bytes) -> bytes:
        """Return all that is answered until the connection closes, 10 seconds at most."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        try:
            writer.write(content)
            return await asyncio.wait_for(reader.read(), 10)
        except ConnectionError:
            return b""
        finally:
            writer.close()

    async def send_all(self, contents) -> list[bytes]:
        """Return the answers to requests that are sent at the same time."""
        return await asyncio.gather(*map(self.send, contents))


@asynccontextmanager
async def open_server(folder, port):
    """Open a server that listens; nothing may be logged as an error."""
    async with await Store.open(Home(folder / "home")) as store:
        await store.jobs.queue(NewJob(Kind.TRAIN, OWNER, 1, 2, {"name": "my dog"}, "embedded"))
        job = await store.jobs.claim("worker", [Kind.TRAIN])
        file = folder / "made.safetensors"
        file.write_bytes(WEIGHTS)
        facts = {"method": "lora", "family": "sd1", "trigger": "mydog", "concept": Concept.SUBJECT}
        style = await store.styles.add(job, file, **facts)
        await store.jobs.end_run(job.id, job.fence, Status.DONE)
        server = Web(store, "http://localhost")
        await server.start("127.0.0.1", port, IDLE_SECONDS)
        found = Listening(server, port)
        found.token = server.link(style).url.rpartition("/")[2]
        with Tracebacks() as logged:
            yield found
        await server.close()
        assert logged.found == []


@pytest.fixture
async def listening(tmp_path, unused_tcp_port):
    """A server that listens."""
    async with open_server(tmp_path, unused_tcp_port) as opened:
        yield opened


def statuses(answers):
    """Return the status of each answer; 0 for a connection that was closed without one."""
    return [
        int(answer.split(b" ", 2)[1]) if answer.startswith(b"HTTP/") else 0 for answer in answers
    ]


async def test_tokens(listening):
    """A forged token gets 403 or 404; the valid one still works, also by HEAD and in ranges."""
    forged = [make_request(f"/get/{token}") for token in list_tokens(listening.token)]
    answers = await listening.send_all(forged)
    whole = await listening.send(make_request(f"/get/{listening.token}"))

    assert set(statuses(answers)) <= {400, 403, 404}
    assert not any(WEIGHTS[:70] in answer for answer in answers)
    assert whole.endswith(WEIGHTS)


async def test_other_keys(listening):
    """A token signed with another bot's key, or too late, is refused."""
    (style,) = await listening.server.store.styles.list_for(OWNER)
    other = Web(listening.server.store, "http://localhost")
    other.key = b"x" * 32
    tokens = [other.link(style).url.rpartition("/")[2]]
    first, _ = listening.token.split(".", 1)
    signed = (f"{first}.{OWNER}.1", f"{10**17}.{OWNER}.{2**33}", f"{2**63}.{OWNER}.{2**33}")
    tokens += [f"{said}.{listening.server._sign(said)}" for said in signed]

    answers = await listening.send_all(make_request(f"/get/{token}") for token in tokens)

    assert statuses(answers) == [403, 403, 404, 403]


async def test_paths(listening):
    """No path leads to another file, or out of the server."""
    answers = await listening.send_all(map(make_request, list_paths()))

    assert set(statuses(answers)) <= {200, 400, 403, 404}
    assert not any(WEIGHTS[:70] in answer or b"SQLite" in answer for answer in answers)
    assert not any(listening.server.key in answer for answer in answers)


async def test_methods(listening):
    """Only GET and HEAD are known; ranges give a part or 416, and never another file's bytes."""
    path = f"/get/{listening.token}"
    by_method = await listening.send_all(make_request(path, method) for method in METHODS)
    by_range = await listening.send_all(make_request(path, Range=one) for one in RANGES)
    by_version = await listening.send_all(make_request(path, version=one) for one in VERSIONS)

    assert statuses(by_method)[0] == 200
    assert set(statuses(by_method)[1:]) <= {400, 404, 405}
    assert set(statuses(by_range)) <= {200, 206, 400, 416}
    assert all(a.split(b"\r\n\r\n", 1)[1] in WEIGHTS for a in by_range if b" 206 " in a[:14])
    assert set(statuses(by_version)) <= {200, 400, 505}


def send_raw(folder, port):
    """Return the statuses of what is no request, and whether the server is there afterwards."""
    rng = random.Random(19)

    async def send():
        async with open_server(folder, port) as listening:
            raw = [*RAW, *(make_raw(rng) for _ in range(RANDOM_REQUESTS))]
            answers = await listening.send_all(raw)
            return statuses(answers), await listening.send(make_request("/health"))

    return asyncio.run(send())


def test_raw(tmp_path, unused_tcp_port):
    """What is no request, or only half of one, is closed with 400 or without an answer."""
    (found, alive), growth = measure_growth(send_raw, tmp_path, unused_tcp_port)

    assert set(found) <= {0, 100, 200, 206, 400, 403, 404, 405, 413, 416, 417}
    assert statuses([alive]) == [200]
    assert growth < 50 << 20


@pytest.mark.parametrize(
    "start", [b"", b"GET /health HT", b"GET /health HTTP/1.1\r\nHost: x\r\nA: b"]
)
async def test_slow_requests(listening, start):
    """A connection that never sends a whole request is closed, in the product after 75 seconds."""
    assert await listening.send(start) == b""
    assert web.IDLE_SECONDS == 75
