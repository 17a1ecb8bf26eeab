"""Studies: one at a time, secret until closed, and gone with what they show."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from storage.errors import UserError
from storage.planning.study import Choice
from storage.records import Concept, Job, Kind, NewJob, Status, Style
from storage.store import Store
from storage.tables.studies import Drawing, NewStudy, Side, Study, StudyState
from tests.storage.conftest import ALICE, BOB, CHANNEL, GUILD

EVE = 1003
Draw = Callable[..., NewJob]


@pytest.fixture
async def style(store: Store, make_job: Draw, tmp_path: Path) -> Style:
    """Bob's style, shared with the server."""
    await store.jobs.queue(make_job(owner=BOB))
    job = await store.jobs.claim("w", [Kind.TRAIN])
    assert job is not None
    (tmp_path / "style").write_bytes(b"weights")
    style = await store.styles.add(
        job, tmp_path / "style", method="lora", family="sd1", trigger="x", concept=Concept.SUBJECT
    )
    await store.jobs.end_run(job.id, job.fence, Status.DONE)
    await store.styles.share(style.id, BOB, GUILD)
    return style


@pytest.fixture
def new(style: Style, make_job: Draw) -> NewStudy:
    """Alice's study of two prompts with two seeds."""

    def draw(prompt: str) -> Drawing:
        request = {"prompt": prompt, "count": 2, "seed": 7}
        jobs = [make_job(Kind.SAMPLE, request=request, style=one) for one in (style.id, None)]
        return Drawing(prompt, (jobs[0], jobs[1]))

    sides = (Side(style.id, "dog", 1.0), Side(None, "base", 1.0))
    drawings = [draw("a cat"), draw("a fox")]
    return NewStudy(ALICE, GUILD, CHANNEL, "Which?", 24, sides, drawings)


async def draw_all(store: Store, status: Status = Status.DONE) -> list[Job]:
    """End all jobs that wait, and return them."""
    jobs = []
    while job := await store.jobs.claim("w", [Kind.SAMPLE]):
        folder = store.home.job_folder(job.folder).result
        folder.mkdir(parents=True)
        (folder / "0.png").write_bytes(b"picture")
        error = {"code": "memory_full"} if status is Status.FAILED else None
        await store.jobs.end_run(job.id, job.fence, status, error)
        jobs.append(job)
    return jobs


async def open_study(store: Store, new: NewStudy) -> Study:
    """Add a study and draw it."""
    study = await store.studies.add(new)
    await draw_all(store)
    await store.studies.advance(time.time())
    return await store.studies.get(study.id)


async def test_add(store: Store, new: NewStudy) -> None:
    """Both sides draw the same prompts and seeds; one pair is the attention pair."""
    study = await store.studies.add(new)
    pairs = await store.studies.list_pairs(study.id)

    assert (study.state, study.sides, study.closes) == (StudyState.DRAWING, new.sides, None)
    shown = [(pair.prompt, pair.seed, pair.picture, pair.attention) for pair in pairs]
    assert shown == [
        ("a cat", 7, 0, False), ("a cat", 8, 1, False), ("a cat", 7, 0, True),
        ("a fox", 7, 0, False), ("a fox", 8, 1, False),
    ]  # fmt: skip
    jobs = [[await store.jobs.get(number) for number in (p.first, p.second)] for p in pairs]
    assert all(first.request == second.request for first, second in jobs)
    with pytest.raises(UserError, match="study_busy"):
        await store.studies.add(new)


async def test_course(store: Store, new: NewStudy) -> None:
    """It opens once all is drawn, closes by itself in time, and is told of once each."""
    study = await store.studies.add(new)
    await store.studies.advance(time.time())
    assert (await store.studies.get(study.id)).state is StudyState.DRAWING
    with pytest.raises(UserError, match="study_closed"):
        await store.studies.vote((await store.studies.list_pairs(study.id))[0], EVE, Choice.TIE)

    await draw_all(store)
    began = time.time()
    for seconds in (0, 10, 24 * 3600 - 10):
        await store.studies.advance(began + seconds)
        assert (await store.studies.get(study.id)).state is StudyState.OPEN
    for _ in range(2):
        await store.studies.advance(began + 24 * 3600 + 10)

    assert (await store.studies.get(study.id)).state is StudyState.CLOSED
    posts = [post.kind for post in await store.posts.list_waiting()]
    assert posts == ["study_open", "study_result"]
    assert [one.id for one in await store.studies.list_unretired()] == [study.id]
    await store.studies.retire(study.id)
    assert await store.studies.list_unretired() == []


async def test_votes(store: Store, new: NewStudy) -> None:
    """One vote a member a pair, the last one; none by the owner; none of a closed study stays."""
    study = await open_study(store, new)
    first, second, attention, *_ = await store.studies.list_pairs(study.id)
    for choice in (Choice.FIRST, Choice.FIRST, Choice.SECOND):
        await store.studies.vote(first, EVE, choice)
    await store.studies.vote(attention, EVE, Choice.FIRST)
    await store.studies.vote(second, BOB, Choice.TIE)
    with pytest.raises(UserError, match="study_own"):
        await store.studies.vote(first, ALICE, Choice.FIRST)
    assert await store.studies.list_voted(study.id, EVE) == {first.id, attention.id}
    assert await store.studies.count_voters(study.id) == 2

    await store.studies.close(study.id)
    await store.studies.close(study.id)

    with pytest.raises(UserError, match="study_closed"):
        await store.studies.vote(first, EVE, Choice.FIRST)
    closed = await store.studies.get(study.id)
    assert closed.result is not None
    assert sorted(closed.result["ballots"], key=str) == [
        [1, None, 0, None, None], [None, 2, None, None, None],
    ]  # fmt: skip
    assert await store.studies.count_voters(study.id) == 0
    assert (await store.members.export(EVE))["votes"] == []
    assert closed.summarise().second == 1


async def test_failed(store: Store, new: NewStudy) -> None:
    """If a picture cannot be drawn, its owner is told why, and the others go."""
    study = await store.studies.add(new)
    jobs = await draw_all(store, Status.FAILED)
    await store.studies.advance(time.time())

    failed = await store.studies.get(study.id)
    assert (failed.state, failed.result) == (StudyState.FAILED, {"error": {"code": "memory_full"}})
    assert [post.kind for post in await store.posts.list_waiting()] == ["study_failed"]
    with pytest.raises(UserError, match="job_unknown"):
        await store.jobs.get(jobs[0].id)
    assert not store.home.job_folder(jobs[0].folder).path.exists()
    await store.studies.add(new)


@pytest.mark.parametrize("how", ["delete", "unshare", "withdraw", "erase", "cancel"])
async def test_taken_back(store: Store, new: NewStudy, style: Style, how: str) -> None:
    """With one of its styles, or when it is cancelled, a study's pictures and votes go at once."""
    study = await open_study(store, new)
    pairs = await store.studies.list_pairs(study.id)
    await store.studies.vote(pairs[0], EVE, Choice.FIRST)
    folders = [
        store.home.job_folder((await store.jobs.get(number)).folder).path
        for number in (pairs[0].first, pairs[0].second)
    ]
    assert all(folder.exists() for folder in folders)

    match how:
        case "delete":
            await store.styles.delete(style.id, BOB)
        case "unshare":
            await store.styles.unshare(style.id, BOB, GUILD)
        case "withdraw":
            await store.styles.withdraw(style.id, GUILD)
        case "erase":
            await store.members.erase(BOB, keep_styles=False)
        case _:
            await store.studies.cancel(study.id)

    assert (await store.studies.get(study.id)).state is StudyState.WITHDRAWN
    assert await store.studies.list_pairs(study.id) == []
    assert not any(folder.exists() for folder in folders)
    with pytest.raises(UserError, match="study_unknown"):
        await store.studies.vote(pairs[0], EVE, Choice.FIRST)
    with pytest.raises(UserError, match="study_unknown"):
        await store.studies.get_pair(pairs[0].id)


async def test_own_style(store: Store, new: NewStudy, style: Style) -> None:
    """Unsharing one's own style leaves one's study; a running job of a cancelled study goes."""
    study = await store.studies.add(replace(new, owner=BOB))
    await store.styles.unshare(style.id, BOB, GUILD)
    assert (await store.studies.get(study.id)).state is StudyState.DRAWING
    running = await store.jobs.claim("w", [Kind.SAMPLE])
    assert running is not None

    await store.studies.cancel(study.id)

    assert [job.id for job in await store.jobs.list_open()] == [running.id]
    await store.jobs.end_run(running.id, running.fence, Status.CANCELLED)
    assert [job.id for job in await store.jobs.list_purgeable()] == [running.id]


@pytest.mark.parametrize(("kept", "name"), [(True, "dog"), (False, "…")])
async def test_name_forgotten(store: Store, new: NewStudy, name: str, *, kept: bool) -> None:
    """When a style's owner has everything deleted, a closed study of another forgets its name."""
    study = await open_study(store, new)
    await store.studies.close(study.id)
    sides = (await store.members.export(ALICE))["study_sides"]
    assert [side["name"] for side in sides] == ["dog", "base"]

    await store.members.erase(BOB, keep_styles=kept)

    assert [side.name for side in (await store.studies.get(study.id)).sides] == [name, "base"]


async def test_erased(store: Store, new: NewStudy) -> None:
    """A voter who has everything deleted has never voted; an owner's studies go."""
    study = await open_study(store, new)
    pair, *_ = await store.studies.list_pairs(study.id)
    await store.studies.vote(pair, EVE, Choice.FIRST)
    assert [vote["choice"] for vote in (await store.members.export(EVE))["votes"]] == [0]

    await store.members.erase(EVE, keep_styles=True)
    assert await store.studies.count_voters(study.id) == 0
    await store.members.erase(ALICE, keep_styles=True)

    assert await store.studies.list_for(GUILD) == []
