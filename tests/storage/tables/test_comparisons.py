"""Comparisons: one at a time, ordinary jobs that know them, and gone with their photos."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from storage.errors import UserError
from storage.planning.comparison import Grading, Stage
from storage.records import CheckedPhoto, Concept, Dataset, Job, Kind, Status
from storage.store import Store
from storage.tables.comparisons import (
    Comparison,
    ComparisonKind,
    ComparisonState,
    NewComparison,
    NewEntry,
)
from storage.tables.posts import PostKind
from tests.storage.conftest import ALICE, BOB, CHANNEL, GUILD

GOOD = Grading(0.5, 0.1, 0.6, 1.0, 0.0, beats=(1,))


@pytest.fixture
async def dog(store: Store, make_photo: Callable[..., CheckedPhoto]) -> Dataset:
    """Alice's dataset, with a photo of her own and one of Bob's."""
    dataset = await store.datasets.create(ALICE, GUILD, "dog", Concept.SUBJECT)
    await store.photos.add(dataset, make_photo(1))
    await store.contributors.invite(dataset.id, ALICE, BOB)
    await store.contributors.join(dataset.id, BOB)
    await store.photos.add(dataset, make_photo(2), BOB)
    return dataset


@pytest.fixture
def new(dog: Dataset) -> NewComparison:
    """Alice's comparison of two methods."""
    entries = [
        NewEntry(method, {"name": f"dog {method}", "method": method, "base": "embedded",
                          "trigger": "dog", "concept": "subject", "steps": 100})
        for method in ("lora", "lokr")
    ]  # fmt: skip
    return NewComparison(ComparisonKind.COMPARE, ALICE, GUILD, CHANNEL, dog.id, "dog", entries)


async def train(
    store: Store, comparison: Comparison, number: int, tmp_path: Path, stop_after: int = 0
) -> Job:
    """Train an entry to its end, or a part of the way."""
    entry = (await store.comparisons.list_entries(comparison.id))[number]
    await store.comparisons.train(comparison, entry, entry.request | {"stop_after": stop_after})
    job = await store.jobs.claim("w", [Kind.TRAIN])
    assert job is not None
    file = tmp_path / "style"
    file.write_bytes(b"weights of %d" % number)
    await store.styles.add(
        job, file, method="lora", family="sd1", trigger="x", concept=Concept.SUBJECT
    )
    await store.jobs.end_run(job.id, job.fence, Status.DONE)
    return job


async def judge(store: Store, comparison: Comparison) -> Job:
    """Queue what grades the entries, and have it run."""
    await store.comparisons.judge(comparison, {"name": "dog", "base": "embedded", "judged": []})
    job = await store.jobs.claim("w", [Kind.GRADE])
    assert job is not None
    folder = store.home.job_folder(job.folder)
    for place in (folder.photos, folder.result):
        place.mkdir(parents=True)
        (place / "0.png").write_bytes(b"picture")
    return job


async def test_course(store: Store, new: NewComparison, tmp_path: Path) -> None:
    """Its trainings and its grading know it, and how far each entry is can be read."""
    comparison = await store.comparisons.add(new)
    assert [each.find_stage(0) for each in await store.comparisons.list_entries(1)] == (
        [Stage.WAITING, Stage.WAITING]
    )
    trained = await train(store, comparison, 0, tmp_path)
    other = (await store.comparisons.list_entries(comparison.id))[1]
    await store.comparisons.train(comparison, other, dict(other.request))
    stages = [each.find_stage(0) for each in await store.comparisons.list_entries(comparison.id)]
    assert stages == [Stage.TRAINED, Stage.OPEN]
    assert (trained.comparison, trained.channel, trained.dataset) == (
        comparison.id, CHANNEL, new.dataset,
    )  # fmt: skip

    judging = await judge(store, comparison)
    assert (judging.comparison, judging.channel) == (comparison.id, 0)
    comparison = await store.comparisons.get(comparison.id)
    assert (comparison.state, comparison.judging) == (ComparisonState.JUDGING, judging.id)

    await store.comparisons.finish(comparison, {0: GOOD}, {"crossed": []})
    first, second = await store.comparisons.list_entries(comparison.id)
    assert (first.grades, first.out) == (GOOD, None)
    assert (second.grades, second.out) == (None, 0)
    posts = [post.kind for post in await store.posts.list_waiting()]
    assert posts == [PostKind.COMPARISON, PostKind.COMPARED]


async def test_one_at_a_time(store: Store, new: NewComparison) -> None:
    """A member has one comparison open; ended ones do not count."""
    comparison = await store.comparisons.add(new)
    with pytest.raises(UserError, match="comparison_busy"):
        await store.comparisons.add(new)
    await store.comparisons.add(replace(new, owner=BOB))

    await store.comparisons.cancel(comparison.id, ALICE)

    assert (await store.comparisons.add(new)).id == comparison.id + 2


async def test_quota(store: Store, new: NewComparison, tmp_path: Path) -> None:
    """All of its trainings count from the start, those that are cancelled with it no more."""
    comparison = await store.comparisons.add(new)
    assert await store.jobs.count_recent_trainings(ALICE, GUILD) == 2
    await train(store, comparison, 0, tmp_path)
    assert await store.jobs.count_recent_trainings(ALICE, GUILD) == 2

    await store.comparisons.cancel(comparison.id, ALICE)

    assert await store.jobs.count_recent_trainings(ALICE, GUILD) == 1


async def test_rounds(store: Store, new: NewComparison, tmp_path: Path) -> None:
    """What does not go on is out; what does is trained again in the next round."""
    comparison = await store.comparisons.add(replace(new, shares=(0.5, 1.0)))
    for number in (0, 1):
        await train(store, comparison, number, tmp_path)

    await store.comparisons.grade(comparison, {0: GOOD, 1: GOOD}, [0])

    comparison = await store.comparisons.get(comparison.id)
    first, second = await store.comparisons.list_entries(comparison.id)
    assert (comparison.round, comparison.state) == (1, ComparisonState.TRAINING)
    assert (first.out, second.out) == (None, 0)
    assert first.find_stage(1) is Stage.WAITING


@pytest.mark.parametrize("how", ["finish", "fail", "cancel"])
async def test_parts_go(store: Store, new: NewComparison, tmp_path: Path, how: str) -> None:
    """However a sweep ends, a style stays only if it was trained to its end."""
    comparison = await store.comparisons.add(replace(new, shares=(0.5, 1.0)))
    for number in (0, 1):
        await train(store, comparison, number, tmp_path, stop_after=50)
    assert len(await store.styles.list_for(ALICE)) == 2
    whole = await train(store, comparison, 1, tmp_path, stop_after=0)

    if how == "finish":
        await store.comparisons.finish(comparison, {0: GOOD, 1: GOOD}, {})
    elif how == "fail":
        await store.comparisons.fail(comparison, None)
    else:
        await store.comparisons.cancel(comparison.id, ALICE)

    (style,) = await store.styles.list_for(ALICE)
    assert style.job == whole.id
    assert [*store.home.styles.iterdir()] == [store.styles.file(style).parent]


async def test_cancel(store: Store, new: NewComparison, tmp_path: Path) -> None:
    """What is open of it is cancelled, and the styles that are finished stay."""
    comparison = await store.comparisons.add(new)
    await train(store, comparison, 0, tmp_path)
    other = (await store.comparisons.list_entries(comparison.id))[1]
    await store.comparisons.train(comparison, other, dict(other.request))

    await store.comparisons.cancel(comparison.id, BOB)
    await store.comparisons.cancel(comparison.id, BOB)

    _, second = await store.comparisons.list_entries(comparison.id)
    assert second.status == Status.CANCELLED
    assert (await store.jobs.get(second.job or 0)).requested_by == BOB
    assert (await store.comparisons.get(comparison.id)).state is ComparisonState.CANCELLED
    assert len(await store.styles.list_for(ALICE)) == 1
    assert await store.comparisons.list_open() == []


@pytest.mark.parametrize("running", [True, False])
@pytest.mark.parametrize("how", ["withdraw", "erase", "dataset"])
async def test_gone_with_its_photos(
    store: Store, new: NewComparison, tmp_path: Path, how: str, *, running: bool
) -> None:
    """Nothing that photos were compared with is left once they are taken back or deleted."""
    comparison = await store.comparisons.add(new)
    for number in (0, 1):
        await train(store, comparison, number, tmp_path)
    job = await judge(store, comparison)
    folder = store.home.job_folder(job.folder)
    if not running:
        await store.jobs.end_run(job.id, job.fence, Status.DONE)
        await store.comparisons.finish(
            await store.comparisons.get(comparison.id), {0: GOOD}, {"crossed": []}
        )

    if how == "withdraw":
        await store.withdrawals.withdraw(BOB, delete_styles=False)
    elif how == "erase":
        await store.members.erase(ALICE, keep_styles=True)
    else:
        await store.datasets.delete(new.dataset, ALICE)

    with pytest.raises(UserError, match="comparison_unknown"):
        await store.comparisons.get(comparison.id)
    assert not folder.photos.exists()
    await store.jobs.end_run(job.id, job.fence, Status.CANCELLED)
    await store.jobs.purge(job.id)
    assert not folder.path.exists()
    assert [post for post in await store.posts.list_waiting() if post.comparison] == []
    kept = 2 if how != "erase" else 0
    assert len(await store.styles.list_for(ALICE)) == kept


async def test_a_waiting_training(store: Store, new: NewComparison, dog: Dataset) -> None:
    """A training that waits in a comparison ends with it, whoever took photos back."""
    comparison = await store.comparisons.add(new)
    entry, _ = await store.comparisons.list_entries(comparison.id)
    await store.comparisons.train(comparison, entry, dict(entry.request))
    (job,) = await store.jobs.list_open()

    await store.withdrawals.withdraw(BOB, dog.id, delete_styles=False)

    ended = await store.jobs.get(job.id)
    assert (ended.status, ended.comparison) == (Status.CANCELLED, None)


async def test_a_running_training(store: Store, new: NewComparison, dog: Dataset) -> None:
    """A training that runs in a comparison ends for the photos that were taken back."""
    comparison = await store.comparisons.add(new)
    entry, _ = await store.comparisons.list_entries(comparison.id)
    await store.comparisons.train(comparison, entry, dict(entry.request))
    job = await store.jobs.claim("w", [Kind.TRAIN])
    assert job is not None

    await store.withdrawals.withdraw(BOB, dog.id, delete_styles=True)
    await store.jobs.end_run(job.id, job.fence, Status.CANCELLED)

    ended = await store.jobs.get(job.id)
    assert (ended.status, ended.comparison) == (Status.FAILED, None)
    assert ended.error == {"code": "photos_withdrawn"}
