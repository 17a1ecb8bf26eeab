"""Jobs are controlled from their cards and `/jobs`, by their owner and by moderators only."""

from __future__ import annotations

import discord
import pytest

from bot import wording
from bot.wording.errors import ERRORS
from storage.events import Cancelled, CheckpointSaved, Paused
from storage.records import JobCommand, Kind, Status
from tests.fakes.discord import running
from tests.fakes.scheduler import FakeScheduler

DATASET = {"dataset": "my dog"}


async def start_training(kit, scheduler, *, claim=True):
    """Let alice start a training; return her, the job and its card."""
    alice = kit.add_member("alice")
    await scheduler.add_dataset(alice)
    shown = (await alice.slash(kit.channel, "train lora", **DATASET)).response
    await alice.click(shown, label="Start")
    (job,) = await kit.store.jobs.list_open()
    if claim:
        job = await scheduler.claim()
        await scheduler.let_bot_poll()
    return alice, job, await message(kit, job)


async def message(kit, job):
    """Return the job's card."""
    job = await kit.store.jobs.get(job.id)
    return await kit.bot.get_channel(job.channel).fetch_message(job.message)


@pytest.mark.parametrize(
    ("label", "command", "said"),
    [
        ("Pause", JobCommand.PAUSE, "Pausing after this step"),
        ("Cancel", JobCommand.CANCEL, "Stopping after this step"),
        ("Finish now", JobCommand.FINISH, "Finishing with what it has learnt"),
    ],
)
async def test_commands(kit, scheduler, label, command, said):
    """A press becomes a command for the job, and the card confirms it at once."""
    alice, job, card = await start_training(kit, scheduler)

    await alice.click(card, label=label)

    job = await kit.store.jobs.get(job.id)
    assert (job.requested, job.requested_by) == (command, alice.id)
    assert said in kit.text(await message(kit, job))


async def test_pause_resume(kit, scheduler):
    """A paused job shows its step and is queued again with Resume."""
    alice, job, card = await start_training(kit, scheduler)
    await scheduler.report_step(job, 25)
    await alice.click(card, label="Pause")
    await scheduler.add_event(job, CheckpointSaved(25, "", ""))
    await scheduler.add_event(job, Paused(25))
    await kit.store.jobs.end_run(job.id, job.fence, Status.PAUSED)
    await scheduler.let_bot_poll()

    card = await message(kit, job)
    assert "Paused at step 25/100" in kit.text(card)
    assert kit.labels(card) == ["Resume", "Cancel", "Finish now", "Tell me", "Details"]
    await alice.click(card, label="Resume")

    assert (await kit.store.jobs.get(job.id)).status is Status.QUEUED
    assert kit.says(await message(kit, job), wording.job.RESUMING_NEXT)


async def test_cancel_waiting(kit, scheduler):
    """A waiting job is cancelled at once, and nobody is pinged."""
    alice, job, card = await start_training(kit, scheduler, claim=False)

    await alice.click(card, label="Cancel")
    await scheduler.let_bot_poll()

    assert (await kit.store.jobs.get(job.id)).status is Status.CANCELLED
    assert kit.says(await message(kit, job), wording.job.CANCELLED_WAITING)
    assert len(kit.channel.history()) == 1


async def test_train_again(kit, scheduler):
    """A training that was cancelled can be queued again from its card."""
    alice, job = await scheduler.start_training()
    await scheduler.let_bot_poll()
    await kit.store.jobs.send_command(job.id, JobCommand.CANCEL, alice.id)
    await scheduler.add_event(job, Cancelled())
    await kit.store.jobs.end_run(job.id, job.fence, Status.CANCELLED)
    await scheduler.let_bot_poll()

    await alice.click(kit.channel.history()[0], label="Train again")

    (again,) = await kit.store.jobs.list_open()
    assert again.request == job.request
    assert again.id != job.id


async def test_cancelled_by_moderator(kit, scheduler):
    """A moderator can cancel any job in the server, and its owner is told who did."""
    alice, job, card = await start_training(kit, scheduler)
    mo = kit.add_moderator()

    await mo.click(card, label="Cancel")
    await scheduler.add_event(job, Cancelled(10))
    await kit.store.jobs.end_run(job.id, job.fence, Status.CANCELLED)
    await scheduler.let_bot_poll()

    assert f"Cancelled by <@{mo.id}>" in kit.text(await message(kit, job))
    (thread,) = kit.channel.threads
    assert "was cancelled" in kit.text(thread.last_message)
    assert f"<@{alice.id}>" in kit.text(thread.last_message)


async def test_stranger(kit, scheduler):
    """Another member's press changes nothing and is answered with a sentence."""
    _, job, card = await start_training(kit, scheduler)
    bob = kit.add_member("bob")

    for label in ("Pause", "Cancel", "Finish now"):
        answer = await bob.click(card, label=label)
        assert kit.says(answer, ERRORS["job_unknown"])
        assert answer.followups[-1].ephemeral

    assert (await kit.store.jobs.get(job.id)).requested is None


async def test_ended(kit, scheduler):
    """A button on an outdated card is answered and has no effect."""
    alice, job, card = await start_training(kit, scheduler)
    await kit.bot.jobs.close()
    await scheduler.fail(job, step=1)

    answer = await alice.click(card, label="Pause")

    assert "has already ended" in kit.text(answer)


async def test_after_restart(kit, scheduler):
    """Buttons on a card from before a restart work."""
    alice, job, card = await start_training(kit, scheduler)
    await kit.restart()

    await alice.click(card, label="Cancel")

    assert (await kit.store.jobs.get(job.id)).requested is JobCommand.CANCEL


async def test_mine(kit, scheduler):
    """`/jobs` lists a member's jobs with their queue positions, and shows each one's card."""
    alice, job, _ = await start_training(kit, scheduler)
    bob = kit.add_member("bob")
    await scheduler.add_dataset(bob, "cat")
    shown = (await bob.slash(kit.channel, "train lora", dataset="cat")).response
    await bob.click(shown, label="Start")

    listed = await bob.slash(kit.channel, "jobs")

    said = kit.text(listed)
    assert "cat · waiting, place 1" in said
    assert "my dog" not in said
    number = (await kit.store.jobs.list_for(bob.id))[0].id
    card = await bob.select(listed.response, [str(number)])
    assert "cat · LoRA" in kit.text(card.response)
    await bob.click(card.response, label="Cancel")
    assert (await kit.store.jobs.get(number)).status is Status.CANCELLED
    assert "Cancelled" in kit.text(await message(kit, await kit.store.jobs.get(number)))
    assert "my dog · running" in kit.text(await alice.slash(kit.channel, "jobs"))
    assert job.kind is Kind.TRAIN


async def test_full_disk(small_disk):
    """On a full disk commands say so and do nothing; those that only show still show."""
    async with running(small_disk.path / "home", min_free_mib=0) as kit:
        scheduler = FakeScheduler(kit)
        await scheduler.publish_catalog()
        alice, job, _ = await start_training(kit, scheduler)
        small_disk.fill()
        full = [
            kit.text(await alice.slash(kit.channel, "jobs")),
            kit.text(await alice.slash(kit.channel, "dataset new", name="x", kind="subject")),
            kit.text(await alice.slash(kit.channel, "sample", prompt="x" * 1000)),
        ]
        messages = len(kit.channel.history())
        small_disk.free()
        listed = kit.text(await alice.slash(kit.channel, "jobs"))
        jobs = await kit.store.jobs.list_for(alice.id)

    assert kit.says(full[0], wording.job.NOTES["disk_full"])
    assert "my dog · running" in full[0]
    assert wording.job.NOTES["disk_full"] not in listed
    assert full[1:] == [ERRORS["disk_full"]] * 2
    assert messages == 1
    assert [each.id for each in jobs] == [job.id]


async def test_none(kit):
    """Without jobs, `/jobs` says how to start one."""
    alice = kit.add_member("alice")

    assert "Nothing yet" in kit.text(await alice.slash(kit.channel, "jobs"))


async def test_server(kit, scheduler):
    """The server's list is for moderators, who can cancel jobs from it."""
    alice, job, _ = await start_training(kit, scheduler)
    mo = kit.add_moderator()

    refused = await alice.slash(kit.channel, "jobs", whose="server")
    listed = await mo.slash(kit.channel, "jobs", whose="server")

    assert "Only members with the permission" in kit.text(refused)
    card = await mo.select(listed.response, [str(job.id)])
    await mo.click(card.response, label="Cancel")
    assert (await kit.store.jobs.get(job.id)).requested is JobCommand.CANCEL


async def test_elsewhere(kit, scheduler):
    """A moderator has no rights over another server's jobs."""
    _, job, _ = await start_training(kit, scheduler)
    await kit.store.jobs.set_card(job.id, job.channel, 1, None)
    other = kit.env.create_guild("Elsewhere")
    lab = other.create_text_channel("lab")
    may = other.create_role("Mods", permissions=discord.Permissions(manage_guild=True))
    boss = other.add_member(kit.env.create_user("boss"), roles=[may])

    listed = await boss.slash(lab, "jobs", whose="server")

    assert "Nothing yet" in kit.text(listed)
