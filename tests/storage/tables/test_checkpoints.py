"""Checkpoints of a finished training: one is chosen, and the others go in time."""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Callable
from dataclasses import replace

import pytest

from storage.errors import UserError
from storage.records import CheckedPhoto, Concept, Kind, NewJob, Status, Style
from storage.store import Store
from storage.tables.checkpoints import NEXT

ALICE, BOB, GUILD = 1001, 1002, 77


@pytest.fixture
async def style(
    store: Store, make_job: Callable[..., NewJob], make_photo: Callable[..., CheckedPhoto]
) -> Style:
    """Alice's style at step 100; steps 25 and 50 are kept, too."""
    dataset = await store.datasets.create(ALICE, GUILD, "dog", Concept.SUBJECT)
    await store.photos.add(dataset, make_photo(1))
    await store.jobs.queue(make_job(dataset=dataset.id))
    job = await store.jobs.claim("w", [Kind.TRAIN])
    assert job is not None
    folder = store.home.job_folder(job.folder)
    for path in (folder.kept, folder.result):
        path.mkdir(parents=True)
    for step in (25, 50, 100):
        folder.kept_style(step).write_bytes(b"weights of %d" % step)
    folder.kept_state.write_bytes(b"moments and captions")
    file = folder.result / "my dog.safetensors"
    os.link(folder.kept_style(100), file)
    known = {"method": "lora", "family": "sd1", "trigger": "mydog"}
    style = await store.styles.add(job, file, concept=Concept.SUBJECT, **known)
    await store.jobs.end_run(job.id, job.fence, Status.DONE)
    return style


async def choose(store: Store, style: Style, step: int, owner: int = ALICE) -> Style:
    """Choose a step, and return the style as it is then."""
    kept = {each.step: each for each in await store.checkpoints.list_for(style)}
    await store.checkpoints.choose(style, owner, kept[step])
    return await store.styles.get(style.id, ALICE, GUILD)


def read_kept(store: Store) -> list[str]:
    """List the files that are kept of trainings."""
    return sorted(path.name for path in store.home.runs.glob("*/kept/*"))


async def test_choose(store: Store, style: Style) -> None:
    """The chosen checkpoint becomes the style's file, with its digest and size; all are kept."""
    chosen = await choose(store, style, 25)

    assert store.styles.file(chosen).read_bytes() == b"weights of 25"
    assert chosen.digest == hashlib.sha256(b"weights of 25").hexdigest()
    assert (chosen.bytes, chosen.checkpoint) == (13, 25)
    again = await choose(store, style, 100)
    assert store.styles.file(again).read_bytes() == b"weights of 100"
    assert replace(again, checkpoint=None) == style
    assert [each.step for each in await store.checkpoints.list_for(style)] == [25, 50, 100]


async def test_refused(store: Store, style: Style) -> None:
    """Only the owner chooses, and only what is still kept; the style stays as it was."""
    (first, *_) = await store.checkpoints.list_for(style)
    with pytest.raises(UserError, match="style_unknown"):
        await store.checkpoints.choose(style, BOB, first)
    first.file.unlink()
    with pytest.raises(UserError, match="checkpoint_gone"):
        await store.checkpoints.choose(style, ALICE, first)

    assert await store.styles.list_for(ALICE) == [style]
    assert [path.name for path in store.styles.file(style).parent.iterdir()] == [
        "my dog.safetensors"
    ]


@pytest.mark.parametrize("committed", [True, False])
async def test_crash(store: Store, style: Style, *, committed: bool) -> None:
    """After a crash while choosing, file and row agree again: both new, or both old."""
    if committed:
        await choose(store, style, 25)
    file = store.styles.file(style)
    file.with_name(NEXT).write_bytes(b"weights of 25")
    file.write_bytes(b"weights of 100")

    await store.checkpoints.finish_choices()

    (found,) = await store.styles.list_for(ALICE)
    assert found.digest == hashlib.sha256(file.read_bytes()).hexdigest()
    assert file.read_bytes() == (b"weights of 25" if committed else b"weights of 100")
    assert not file.with_name(NEXT).exists()


async def test_retention(store: Store, style: Style) -> None:
    """What was not chosen goes by age; the style keeps the file that was."""
    await choose(store, style, 25)
    await store.checkpoints.remove_old(time.time() - 60)
    assert len(read_kept(store)) == 4
    await store.checkpoints.remove_old(time.time() + 60)

    assert await store.checkpoints.list_for(style) == []
    files = [path.read_bytes() for path in store.home.path.rglob("*.safetensors")]
    assert files == [b"weights of 25"]


@pytest.mark.usefixtures("style")
async def test_bytes(store: Store) -> None:
    """What is kept beside a style's own file counts as its owner's."""
    others = len(b"weights of 25") + len(b"weights of 50") + len(b"moments and captions")
    assert await store.checkpoints.sum_bytes(ALICE) == others
    assert await store.checkpoints.sum_bytes(BOB) == 0

    await store.checkpoints.remove_old(time.time() + 60)

    assert await store.checkpoints.sum_bytes(ALICE) == 0


@pytest.mark.parametrize("what", ["style", "dataset", "withdrawal", "leaving"])
async def test_deleted(store: Store, style: Style, what: str) -> None:
    """With the style, the dataset or a contributor's consent goes what is kept of a training."""
    job = await store.jobs.get(style.job or 0)
    if what == "style":
        await store.styles.delete(style.id, ALICE)
    elif what == "dataset":
        await store.datasets.delete(job.dataset or 0, ALICE)
    elif what == "leaving":
        await store.members.erase(ALICE, keep_styles=False)
    else:
        await store.withdrawals.withdraw(ALICE, delete_styles=False)

    assert read_kept(store) == []
    files = [path.read_bytes() for path in store.home.path.rglob("*") if path.is_file()]
    assert not any(b"moments" in content for content in files)
    kept = what in {"dataset", "withdrawal"}
    assert store.styles.file(style).exists() == kept
