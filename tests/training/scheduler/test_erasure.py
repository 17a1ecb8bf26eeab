"""After "Delete everything", no byte of a member is left on the disk."""

from __future__ import annotations

import asyncio
import random
from hashlib import sha256
from io import BytesIO
from typing import TYPE_CHECKING

import pytest
from PIL import Image

from storage.backup.write import back_up
from storage.homefolder import Program, hold_home
from storage.records import CheckedPhoto, Concept, Status
from tests.fakes.jobqueue import ALICE, BOB, GUILD, QueueKit

if TYPE_CHECKING:
    from pathlib import Path

    from storage.records import Job

pytestmark = pytest.mark.slow(3)
NAME, TRIGGER, WORDS = "verysecretname", "quuxword", "a walrus juggling in alices kitchen"
PIECE_BYTES = 64
DEAD_PID = 4_194_304  #: above the largest number Linux gives
LEFT = "SELECT key FROM trash UNION SELECT id || '' FROM jobs WHERE id = :job"


def make_photo(seed: int) -> CheckedPhoto:
    """Make a photo whose bytes no other file has."""
    file = BytesIO()
    Image.frombytes("RGB", (64, 64), random.Random(seed).randbytes(64 * 64 * 3)).save(file, "PNG")
    preview = random.Random(-seed - 1).randbytes(2000)
    return CheckedPhoto(
        sha256(file.getvalue()).hexdigest(), seed << 16, 64, 64, file.getvalue(), preview, ()
    )


def find_traces(folder: Path, traces: list[bytes]) -> dict[str, list[bytes]]:
    """Return which files below a folder have any of these bytes."""
    found = {}
    for path in folder.rglob("*"):
        if path.is_file():
            content = path.read_bytes()
            if present := [trace for trace in traces if trace in content]:
                found[str(path.relative_to(folder))] = present
    return found


async def fill(queue: QueueKit) -> tuple[list[bytes], Job]:
    """Do everything as Alice that leaves traces; return them, and her training that runs."""
    store, home = queue.store, queue.home
    dataset = await store.datasets.create(ALICE, GUILD, NAME, Concept.LOOK)
    photos = [make_photo(seed) for seed in range(2)]
    for photo in photos:
        added = await store.photos.add(dataset, photo)
        await store.photos.set_caption(added.id, ALICE, WORDS)
    await store.drafts.add(ALICE, {"class_word": NAME})
    done = await queue.add_training(dataset=dataset, trigger=TRIGGER)
    done = await queue.wait_for(done, Status.DONE)
    weights = queue.read_result(done)
    await store.styles.share(done.style, ALICE, GUILD)
    for owner, prompt in ((ALICE, WORDS), (BOB, "a cat")):
        sampled = await queue.add_sample(owner, prompt, style=done.style)
        await queue.wait_for(sampled, Status.DONE)
    picture = home.job_folder(sampled.folder).result / "0.png"
    picture.write_bytes(b"a cat")  # the fake worker draws the style's bytes
    await queue.wait_for(await queue.add_captions(dataset), Status.DONE)
    queue.hold.touch()
    running = await queue.add_training(dataset=dataset, seed=8)
    await queue.wait_for(running, Status.RUNNING)
    await store._database.execute("VACUUM INTO :to", to=f"{home.database_file}.before-2")
    half = home.photo_file(photos[1].digest)
    half.with_name(f".{half.name}.{DEAD_PID}.part").write_bytes(photos[1].pixels)
    lost = home.quarantine / "2026-11-30" / "runs" / "7-aa" / "photos" / "0001.png"
    lost.parent.mkdir(parents=True)
    lost.write_bytes(photos[0].pixels)
    pixels = [content for photo in photos for content in (photo.pixels, photo.preview)]
    pieces = [content[-200:][:PIECE_BYTES] for content in pixels]
    words = [word.encode() for word in (NAME, TRIGGER, WORDS)]
    return [*pieces, weights, *words], running


async def test_nothing_is_left(queue, tmp_path):
    """Photos, captions, names and styles are in no file of the data folder nor of its backups."""
    store, home, backups = queue.store, queue.home, tmp_path / "backups"
    async with queue.running_scheduler():
        traces, running = await fill(queue)
        await asyncio.to_thread(back_up, home, backups)
        before = find_traces(home.path, traces), find_traces(backups, traces)
        with hold_home(home, Program.BOT):  # the next start, after the bot died in a write
            pass
        await store.members.erase(ALICE, keep_styles=False)
        while await store._database.execute(LEFT, job=running.id):
            await asyncio.sleep(0.02)
        after = find_traces(home.path, traces)
        await asyncio.to_thread(back_up, home, backups)

    assert {trace for found in before[0].values() for trace in found} == {*traces}
    assert any(name.endswith(".part") for name in before[0])
    assert before[1]
    assert after == {}
    assert find_traces(backups, traces) == {}


async def test_nothing_is_left_of_photos_that_were_taken_back(queue, tmp_path):
    """After a withdrawal, photos, their copies, captions and styles are nowhere either."""
    store, home, backups = queue.store, queue.home, tmp_path / "backups"
    async with queue.running_scheduler():
        traces, running = await fill(queue)
        await asyncio.to_thread(back_up, home, backups)
        await store.withdrawals.withdraw(ALICE, delete_styles=True)
        at_once = find_traces(home.path, traces[:4])
        ended = await queue.wait_for(running, Status.FAILED)
        while home.job_folder(running.folder).path.exists():
            await asyncio.sleep(0.02)
        (weights,) = traces[4:5]
        after = find_traces(home.path, [*traces[:4], weights])
        await asyncio.to_thread(back_up, home, backups)

    assert ended.error == {"code": "photos_withdrawn"}
    assert {name.rpartition(".")[2] for name in at_once} <= {"part"}  # of a bot that died
    assert {name.rpartition(".")[2] for name in after} <= {"part"}
    assert find_traces(backups, traces[:4]) == {}
