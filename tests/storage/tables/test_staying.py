"""Photos that stay on the main machine."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from storage.records import CheckedPhoto, Concept, Kind, NewJob
from storage.store import Store
from storage.tables.claims import Preferences
from storage.tables.consents import Terms
from tests.fakes.claims import ALL_KINDS, claim
from tests.storage.conftest import ALICE, BOB, GUILD

MakeJob = Callable[..., NewJob]
AWAY = Preferences(away=True)


async def claim_elsewhere(store: Store) -> int | None:
    """Return the id of the job that a worker on another machine gets."""
    job = await store.jobs.claim("box/cuda0", ALL_KINDS, preferred=AWAY)
    return job.id if job else None


@pytest.mark.parametrize("said_by", ["member", "server"])
async def test_a_job_that_stays(store: Store, make_job: MakeJob, said_by: str) -> None:
    """What a member or a server says is recorded in the job, before or after it is queued."""
    new = make_job(Kind.SAMPLE)
    before = await store.jobs.queue(new)
    await store.staying.set(new.owner if said_by == "member" else new.guild, stays=True)
    after = await store.jobs.queue(make_job(Kind.SAMPLE))

    assert await claim_elsewhere(store) is None
    assert [(await claim(store)).id for _ in range(2)] == [before.id, after.id]


async def test_taken_back(store: Store, make_job: MakeJob) -> None:
    """Once it is taken back, new jobs may leave; those that were queued before stay."""
    await store.staying.set(ALICE, stays=True)
    assert await store.staying.has(ALICE)
    await store.jobs.queue(make_job(Kind.SAMPLE, owner=ALICE))
    await store.staying.set(ALICE, stays=False)
    later = await store.jobs.queue(make_job(Kind.SAMPLE, owner=ALICE))

    assert not await store.staying.has(ALICE)
    assert await claim_elsewhere(store) == later.id
    assert await claim_elsewhere(store) is None


async def test_of_others(store: Store, make_job: MakeJob) -> None:
    """Somebody else's word keeps no job here, and goes with all that is stored of them."""
    await store.staying.set(BOB, stays=True)
    free = await store.jobs.queue(make_job(Kind.SAMPLE, owner=ALICE))

    assert await claim_elsewhere(store) == free.id
    assert len((await store.members.export(BOB))["stays_home"]) == 1
    await store.members.erase(BOB, keep_styles=False)
    assert not await store.staying.has(BOB)


async def test_of_a_contributor(
    store: Store, make_job: MakeJob, make_photo: Callable[..., CheckedPhoto]
) -> None:
    """One contributor's word keeps every job here that has photos of theirs."""
    dataset = await store.datasets.create(ALICE, GUILD, "our dog", Concept.SUBJECT)
    for owner in (ALICE, BOB):
        await store.consents.add(owner, Terms(1), "form")
    await store.contributors.invite(dataset.id, ALICE, BOB)
    await store.contributors.join(dataset.id, BOB)
    await store.photos.add(dataset, make_photo(1), BOB)
    await store.staying.set(BOB, stays=True)
    await store.jobs.queue(make_job(dataset=dataset.id))

    assert await claim_elsewhere(store) is None


@pytest.mark.parametrize("named", ["style", "styles", "judged"])
async def test_of_a_styles_maker(
    store: Store, make_job: MakeJob, tmp_path: Path, named: str
) -> None:
    """A member's style stays, whoever draws with it, also in jobs that waited."""
    await store.jobs.queue(make_job(owner=ALICE))
    file = tmp_path / "made.safetensors"
    file.write_bytes(b"weights")
    facts = {"method": "lora", "family": "sd1", "trigger": "mydog"}
    made = await store.styles.add(await claim(store), file, concept=Concept.SUBJECT, **facts)
    one = {"style": made.id} if named == "style" else {}
    several = {} if one else {named: [{"style": made.id}]}
    await store.jobs.queue(make_job(Kind.SAMPLE, BOB, request=several, **one))
    await store.staying.set(ALICE, stays=True)
    await store.jobs.queue(make_job(Kind.SAMPLE, BOB, request=several, **one))

    assert await claim_elsewhere(store) is None


async def test_of_a_further_dataset(
    store: Store, make_job: MakeJob, make_photo: Callable[..., CheckedPhoto]
) -> None:
    """Photos of a training's other datasets count as well."""
    dataset = await store.datasets.create(ALICE, GUILD, "our dog", Concept.SUBJECT)
    await store.contributors.invite(dataset.id, ALICE, BOB)
    await store.contributors.join(dataset.id, BOB)
    await store.photos.add(dataset, make_photo(1), BOB)
    await store.staying.set(BOB, stays=True)
    await store.jobs.queue(make_job(request={"other_datasets": [{"dataset": dataset.id}]}))

    assert await claim_elsewhere(store) is None
