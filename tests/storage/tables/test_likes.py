"""Thumbs under samples: one a member, counted for the style."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from storage.records import Concept, Kind, NewJob
from storage.store import Store
from tests.storage.conftest import ALICE, BOB

EVE = 1003


async def test_count(store: Store, make_job: Callable[..., NewJob], tmp_path: Path) -> None:
    """A sample with more thumbs up than down is liked; a member's last thumb counts, once."""
    await store.jobs.queue(make_job())
    job = await store.jobs.claim("w", [Kind.TRAIN])
    assert job is not None
    (tmp_path / "style").write_bytes(b"weights")
    style = await store.styles.add(
        job, tmp_path / "style", method="lora", family="sd1", trigger="x", concept=Concept.SUBJECT
    )
    first, second, third = [
        (await store.jobs.queue(make_job(Kind.SAMPLE, style=style.id))).id for _ in range(3)
    ]
    other = await store.jobs.queue(make_job(Kind.SAMPLE))
    assert await store.likes.count(style.id) == (0, 0)

    for member in (ALICE, BOB, EVE):
        await store.likes.set(first, member, liked=member != EVE)  # two against one
    await store.likes.set(second, ALICE, liked=True)
    await store.likes.set(second, ALICE, liked=False)
    await store.likes.set(third, ALICE, liked=True)
    await store.likes.set(third, BOB, liked=False)  # one each: not liked
    await store.likes.set(other.id, ALICE, liked=True)

    assert await store.likes.count(style.id) == (1, 3)
    await store.members.erase(BOB, keep_styles=True)
    assert await store.likes.count(style.id) == (
        1,
        3,
    )  # the first is one to one, the third is liked
