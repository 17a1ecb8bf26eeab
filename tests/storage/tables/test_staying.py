"""Photos that stay on the main machine."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from storage.records import CheckedPhoto, Concept, Dataset, Kind, NewJob, Status
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


async def share_dataset(store: Store) -> Dataset:
    """Make a dataset of Alice's that Bob has joined."""
    dataset = await store.datasets.create(ALICE, GUILD, "our dog", Concept.SUBJECT)
    await store.contributors.invite(dataset.id, ALICE, BOB)
    await store.contributors.join(dataset.id, BOB)
    return dataset


@pytest.mark.parametrize("said_by", ["member", "server"])
async def test_a_job_that_stays(store: Store, make_job: MakeJob, said_by: str) -> None:
    """What a member or a server says keeps jobs here, said before or after they are queued."""
    new = make_job(Kind.SAMPLE)
    before = await store.jobs.queue(new)
    await store.staying.set(new.owner if said_by == "member" else new.guild, stays=True)
    after = await store.jobs.queue(make_job(Kind.SAMPLE))

    assert await claim_elsewhere(store) is None
    assert [(await claim(store)).id for _ in range(2)] == [before.id, after.id]


async def test_taken_back(store: Store, make_job: MakeJob) -> None:
    """Once it is taken back, new jobs may leave; those that were queued meanwhile stay."""
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
    dataset = await share_dataset(store)
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


@pytest.mark.parametrize("own", [True, False])
async def test_agreed_while_alone(
    store: Store, make_job: MakeJob, make_photo: Callable[..., CheckedPhoto], *, own: bool
) -> None:
    """Photos of who agreed to the main machine alone stay there until they agree to others.

    What somebody agreed to for their own photos says nothing of those in another's dataset.
    """
    dataset = await share_dataset(store)
    who, key = (ALICE, None) if own else (BOB, dataset.id)
    await store.consents.add(ALICE, Terms(2, other_machines=not own), "form")
    await store.consents.add(BOB, Terms(2, other_machines=True), "form")
    if not own:
        await store.consents.add(BOB, Terms(2, dataset=key), "form")
    await store.photos.add(dataset, make_photo(1), who)
    waits = await store.jobs.queue(make_job(dataset=dataset.id))

    assert await claim_elsewhere(store) is None
    assert await store.staying.list_waiting() == {waits.id}
    assert await store.staying.agreed_here(ALICE) == own
    await store.consents.add(who, Terms(2, dataset=key, other_machines=True), "button")
    later = await store.jobs.queue(make_job(dataset=dataset.id, request={"steps": 200}))
    assert await claim_elsewhere(store) == later.id
    assert await claim_elsewhere(store) is None


async def test_photos_that_come_later(
    store: Store, make_job: MakeJob, make_photo: Callable[..., CheckedPhoto]
) -> None:
    """A contributor's photos keep a job here that waited before they were added."""
    dataset = await share_dataset(store)
    await store.staying.set(BOB, stays=True)
    waits = await store.jobs.queue(make_job(dataset=dataset.id))
    before = await store.staying.list_waiting()
    await store.photos.add(dataset, make_photo(1), BOB)

    assert before == set()
    assert await store.staying.list_waiting() == {waits.id}
    assert await claim_elsewhere(store) is None


@pytest.mark.parametrize("says", ["stays", "agreed before"])
async def test_of_a_styles_contributor(
    store: Store, make_job: MakeJob, make_photo: Callable[..., CheckedPhoto],
    tmp_path: Path, says: str,
) -> None:  # fmt: skip
    """A style that learnt from others' photos stays like these, also once they are gone."""
    dataset = await share_dataset(store)
    photo = await store.photos.add(dataset, make_photo(1), BOB)
    await store.jobs.queue(make_job(dataset=dataset.id))
    file = tmp_path / "made.safetensors"
    file.write_bytes(b"weights")
    facts = {"method": "lora", "family": "sd1", "trigger": "mydog"}
    trained = await claim(store)
    made = await store.styles.add(trained, file, concept=Concept.SUBJECT, **facts)
    await store.jobs.end_run(trained.id, trained.fence, Status.DONE)
    await store.photos.remove(photo.id, ALICE)
    if says == "stays":
        await store.staying.set(BOB, stays=True)
    else:
        await store.consents.add(BOB, Terms(2, dataset=dataset.id), "form")
    await store.jobs.queue(make_job(Kind.SAMPLE, style=made.id))

    assert await claim_elsewhere(store) is None


async def test_of_a_further_dataset(
    store: Store, make_job: MakeJob, make_photo: Callable[..., CheckedPhoto]
) -> None:
    """Photos of a training's other datasets count as well."""
    dataset = await share_dataset(store)
    await store.photos.add(dataset, make_photo(1), BOB)
    await store.staying.set(BOB, stays=True)
    await store.jobs.queue(make_job(request={"other_datasets": [{"dataset": dataset.id}]}))

    assert await claim_elsewhere(store) is None
