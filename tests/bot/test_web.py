"""The web server: signed links that expire and deliver one file, and nothing else."""

from __future__ import annotations

import stat
import time

import pytest
from aiohttp.test_utils import TestClient, TestServer

from bot import web, wording
from bot.web import Web, content_disposition, plain_file_name, read_or_make_key
from storage.folders import Home
from storage.records import Concept, Kind, NewJob, Status
from storage.store import Store

OWNER = 7


@pytest.fixture
async def store(tmp_path):
    """Return a store with one style of alice's."""
    async with await Store.open(Home(tmp_path / "home")) as store:
        request = {"name": "my dög"}
        await store.jobs.queue(NewJob(Kind.TRAIN, OWNER, 1, 2, request, "embedded"))
        job = await store.jobs.claim("worker", [Kind.TRAIN])
        file = tmp_path / "made.safetensors"
        file.write_bytes(b"weights" * 1000)
        await store.styles.add(
            job, file, method="lora", family="sd1", trigger="mydog", concept=Concept.SUBJECT
        )
        await store.jobs.end_run(job.id, job.fence, Status.DONE)
        yield store


@pytest.fixture
async def client(store):
    """Return a client of the server."""
    server = Web(store, "https://photos.example.org/safelight/")
    async with TestClient(TestServer(server.app)) as client:
        client.web = server
        yield client


async def token(client, store):
    """Return the token of a new link."""
    (style,) = await store.styles.list_for(OWNER)
    return client.web.link(style).url.rpartition("/")[2]


async def test_health(client):
    """/health answers the doctor."""
    answer = await client.get("/health")

    assert (answer.status, await answer.text()) == (200, "ok")


async def test_file(client, store):
    """A new link delivers the file under its name, with headers against caching and referrers."""
    answer = await client.get(f"/get/{await token(client, store)}")

    assert answer.status == 200
    assert await answer.read() == b"weights" * 1000
    assert answer.headers["Content-Disposition"] == (
        "attachment; filename=\"my_d_g.safetensors\"; filename*=UTF-8''my%20d%C3%B6g.safetensors"
    )
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["Referrer-Policy"] == "no-referrer"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Content-Type"] == "application/octet-stream"


async def test_link(client, store):
    """A link starts with the public address and is valid for seven days."""
    (style,) = await store.styles.list_for(OWNER)

    link = client.web.link(style)

    assert link.url.startswith(f"https://photos.example.org/safelight/get/{style.folder}.7.")
    assert abs(link.until - time.time() - 7 * 24 * 3600) < 5


@pytest.mark.parametrize("part", [0, 1, 2, 3])
async def test_forged(client, store, part):
    """A changed token gets a sentence instead of a file."""
    parts = (await token(client, store)).split(".")
    parts[part] = "9" * len(parts[part])

    answer = await client.get("/get/" + ".".join(parts))

    assert answer.status == 403
    assert wording.result.LINK_FORGED in await answer.text()
    assert answer.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize(
    "path", ["/get/..%2Fsafelight.db", "/get/1.7.x", "/get/%00", "/get/1.7.99999999999.", "/get/é"]
)
async def test_paths(client, path):
    """Paths and incomplete tokens lead nowhere."""
    answer = await client.get(path)

    assert answer.status == 403


async def test_expired(client, store, monkeypatch):
    """After seven days the link says that it has expired, and how to get another."""
    monkeypatch.setattr(web, "VALID_SECONDS", -1)
    answer = await client.get(f"/get/{await token(client, store)}")

    assert answer.status == 403
    assert "expired" in await answer.text()


async def test_deleted(client, store):
    """A deleted style's link does not work."""
    last = await token(client, store)
    await store.styles.delete(1, OWNER)

    answer = await client.get(f"/get/{last}")

    assert answer.status == 404
    assert "was deleted" in await answer.text()


async def test_left(client, store):
    """A style that its maker left anonymous is delivered to nobody."""
    last = await token(client, store)
    await store.styles.share(1, OWNER, 1)
    await store.members.erase(OWNER, keep_styles=True)

    assert (await client.get(f"/get/{last}")).status == 404


async def test_elsewhere(client):
    """There are no other pages."""
    assert (await client.get("/")).status == 404
    assert (await client.post("/health")).status == 405


async def test_no_address(store):
    """Without a public address there are no links."""
    (style,) = await store.styles.list_for(OWNER)

    assert Web(store).link(style) is None


def test_secret(tmp_path):
    """The key is created once, readable only by its owner."""
    home = Home(tmp_path)

    first = read_or_make_key(home)

    assert len(first) == 32
    assert read_or_make_key(home) == first
    assert stat.S_IMODE((tmp_path / "secret").stat().st_mode) == 0o600


async def test_listens(store, unused_tcp_port):
    """The server listens where configured; a taken port costs only the links."""
    first, second = Web(store, "http://localhost"), Web(store, "http://localhost")
    await first.start("127.0.0.1", unused_tcp_port)
    await second.start("127.0.0.1", unused_tcp_port)
    await second.close()
    await first.close()


async def test_switched_off(store):
    """Port 0 switches the web server off: nothing listens, and closing is harmless."""
    web = Web(store, "http://localhost")
    await web.start("127.0.0.1", 0)
    assert web._runner is None
    await web.close()


def test_names():
    """Download names have no characters that a header or Discord would change."""
    assert plain_file_name("my dog.safetensors") == "my_dog.safetensors"
    assert plain_file_name("日本.safetensors") == "style.safetensors"
    assert '"; x="' not in content_disposition('a"; x="b.safetensors')
    assert "\r" not in content_disposition("a\r\nb.safetensors")
