"""From `/train` to the job's card: what is shown, refused and queued."""

from __future__ import annotations

from dataclasses import replace

import discord
import pytest

from bot import wording
from bot.wording.errors import ERRORS
from storage.errors import UserError
from storage.planning.durations import TimingKey
from storage.records import Concept, Kind, Server, Status, Timing
from storage.tables.consents import Terms

DATASET = {"dataset": "my dog"}


async def test_preflight(kit, scheduler):
    """The pre-flight card has photos, steps, time, queue, file and reason, and starts nothing."""
    alice = kit.add_member("alice")
    await scheduler.add_dataset(alice, photos=6, warned=2)
    await scheduler.add_timing(0.2, 12.0)

    answer = await alice.slash(kit.channel, "train lora", **DATASET)

    said = kit.text(answer)
    assert answer.ephemeral
    assert "6 photos ready" in said
    assert kit.says(said, wording.training.PHOTOS_WITH_WARNINGS, photos="2 photos")
    assert "**Steps:** 140" in said
    reason = wording.training.REASONS["steps_photos"]
    assert kit.says(said, reason, steps="140", photos="6 photos", dial="balanced")
    assert kit.says(said, wording.training.SOURCE, source="subject_balanced")
    assert "about 40 s on two cores" in said
    assert wording.training.STARTS_NOW in said
    assert kit.says(said, wording.training.FILE, size="1 MB", limit="20 MB")
    assert kit.labels(answer) == [
        "Start",
        "Steps and samples",
        "More options",
        "Advise me",
        "Not now",
    ]
    assert await kit.store.jobs.list_open() == []


async def test_unknown_pace(kit, scheduler):
    """Before any training the card says that the time is unknown."""
    alice = kit.add_member("alice")
    await scheduler.add_dataset(alice)

    answer = await alice.slash(kit.channel, "train embedding", **DATASET, base="sd15")

    assert kit.says(answer, wording.training.STEPS_FIRST)
    assert "tiny emoji" not in kit.text(answer)
    assert "4 KB" in kit.text(answer)


async def test_near_pace(kit, scheduler):
    """An untrained kind is estimated by another, which the card names, and never refused."""
    alice = kit.add_member("alice")
    await scheduler.add_dataset(alice)
    await scheduler.add_timing(10.0)
    await kit.store.servers.save(Server(kit.guild.id, minutes=5))

    answer = await alice.slash(kit.channel, "train embedding", **DATASET)

    assert kit.says(answer, wording.training.STEPS_LIKE, time="22 min", device="two cores")
    assert kit.says(answer, wording.training.STEPS_LIKE, like="LoRA")


async def test_workers_that_differ(kit, scheduler):
    """With several workers, the card says where it would run, and how long it takes there."""
    alice = kit.add_member("alice")
    await scheduler.add_dataset(alice)
    little = await kit.store.catalog.read()
    gpu = replace(little, device="RTX 4090", memory_mib=24_000)
    small = tuple(replace(base, present=base.small) for base in little.bases)
    await kit.store.catalog.publish(replace(little, bases=small), "box/cpu", ["box/cuda0"])
    await kit.store.catalog.publish(gpu, "box/cuda0", ["box/cpu"])
    for device, seconds in (("two cores", 9.0), ("RTX 4090", 0.1)):
        key = TimingKey(device, "sd15", 512, "lora", Concept.SUBJECT, 4)
        await kit.store.durations.add_run(key, Timing(seconds, 0.0, 0.0, 10.0))
    order = {**DATASET, "base": "sd15"}

    there = await alice.slash(kit.channel, "train lora", **order)
    await kit.store.catalog.publish(replace(gpu, away=True), "box/cuda0", ["box/cpu"])
    await kit.store.catalog.publish(little, "box/cpu", ["box/cuda0"])
    here = await alice.slash(kit.channel, "train lora", **order)

    where = "RTX 4090 (box/cuda0)"
    assert kit.says(there, wording.training.STEPS, device=where, time="23 s")
    assert kit.says(here, wording.training.STEPS, device="two cores", time="20 min")


async def test_photos_that_stay(kit, scheduler):
    """Photos that stay on the main machine get its time; others' bases are refused for them."""
    alice = kit.add_member("alice")
    await scheduler.add_dataset(alice)
    little = await kit.store.catalog.read()
    gpu = replace(little, device="RTX 4090", memory_mib=24_000)
    small = tuple(replace(base, present=base.small) for base in little.bases)
    await kit.store.catalog.publish(replace(little, bases=small), "box/cpu", ["lab/cuda0"])
    await kit.store.catalog.publish(gpu, "lab/cuda0", ["box/cpu"])
    for place, remote in (("box/cpu", False), ("lab/cuda0", True)):
        await kit.store.nodes.note(place, remote=remote, here=True)
    for device, seconds in (("two cores", 9.0), ("RTX 4090", 0.1)):
        key = TimingKey(device, "embedded", 64, "lora", Concept.SUBJECT, 4)
        await kit.store.durations.add_run(key, Timing(seconds, 0.0, 0.0, 10.0))

    await kit.store.consents.add(alice.id, Terms(wording.CONSENT, other_machines=True), "form")
    before = await alice.slash(kit.channel, "train lora", **DATASET)
    await kit.store.staying.set(alice.id, stays=True)
    after = await alice.slash(kit.channel, "train lora", **DATASET)
    refused = await alice.slash(kit.channel, "train lora", **DATASET, base="sd15")

    assert kit.says(before, wording.training.STEPS, device="RTX 4090 (lab/cuda0)", time="23 s")
    assert kit.says(after, wording.training.STEPS, device="two cores", time="20 min")
    assert kit.says(refused, wording.errors.ERRORS["base_elsewhere"], base="Stable Diffusion")


@pytest.mark.parametrize(
    ("whole", "words"),
    [(0, ""), (12_288, "about 5.5 of the GPU's 12 GB"), (4096, "more than the GPU's 4")],
)
async def test_memory(kit, scheduler, whole, words):
    """With a GPU, the card shows how much of its memory the training takes."""
    alice = kit.add_member("alice")
    await scheduler.add_dataset(alice)
    catalog = await kit.store.catalog.read()
    rules = tuple(replace(rule, memory_mib=5632) for rule in catalog.rules)
    await kit.store.catalog.publish(replace(catalog, rules=rules, memory_mib=whole))

    said = kit.text(await alice.slash(kit.channel, "train lora", **DATASET, base="sd15"))

    assert ("**Memory:**" in said) == bool(whole)
    assert words in said


async def test_start(kit, scheduler):
    """Start queues the job and posts its card as the bot's own message."""
    alice = kit.add_member("alice")
    dataset = await scheduler.add_dataset(alice)

    card = await alice.slash(kit.channel, "train lora", **DATASET, dial="quick", word="dog")
    started = await alice.click(card.response, label="Start")

    (job,) = await kit.store.jobs.list_open()
    assert (job.kind, job.dataset, job.channel) == (Kind.TRAIN, dataset.id, kit.channel.id)
    assert job.request["dial"] == "quick"
    assert job.request["class_word"] == "dog"
    assert job.request["steps"] == 130
    posted = kit.channel.last_message
    assert posted.id == job.message
    assert posted.interaction_metadata is None
    assert "my dog · LoRA" in kit.text(posted)
    assert "Waiting · next" in kit.text(posted)
    assert kit.labels(posted) == ["Pause", "Cancel", "Finish now", "Tell me", "Details"]
    assert f"<#{kit.channel.id}>" in kit.text(started)
    assert kit.labels(started) == []


async def test_own_numbers(kit, scheduler):
    """A member's own steps, rank and learning rate replace the dial's; the file size follows."""
    alice = kit.add_member("alice")
    await scheduler.add_dataset(alice)

    card = await alice.slash(kit.channel, "train lora", **DATASET, steps=77, rank=16, rate=0.0002)
    assert "about 2 MB" in kit.text(card)
    await alice.click(card.response, label="Start")

    (job,) = await kit.store.jobs.list_open()
    assert [job.request[name] for name in ("steps", "rank", "learning_rate")] == [77, 16, 0.0002]


async def test_twice(kit, scheduler):
    """An identical training while the first is open is refused, naming the first's number."""
    alice = kit.add_member("alice")
    await scheduler.add_dataset(alice)
    card = (await alice.slash(kit.channel, "train lora", **DATASET)).response
    again = (await alice.slash(kit.channel, "train lora", **DATASET)).response
    await alice.click(card, label="Start")

    answer = await alice.click(again, label="Start")

    assert kit.says(answer, ERRORS["job_twice"], job=1)
    assert len(await kit.store.jobs.list_open()) == 1


@pytest.mark.parametrize(
    ("options", "code"),
    [
        ({"steps": -1}, "out_of_range"),
        ({"steps": 10**9}, "out_of_range"),
        ({"rank": 4096}, "out_of_range"),
        ({"rate": 7.0}, "out_of_range"),
        ({"base": "../../etc"}, "base_unknown"),
        ({"base": "away"}, "base_missing"),
        ({"word": "two words"}, "trigger_bad"),
        ({"dataset": "nobody's"}, "dataset_name_unknown"),
    ],
)
async def test_refused(kit, scheduler, options, code):
    """Impossible settings are refused with a sentence before anything is queued."""
    alice = kit.add_member("alice")
    await scheduler.add_dataset(alice)

    answer = await alice.slash(kit.channel, "train lora", **(DATASET | options))

    assert kit.says(answer, ERRORS[code])
    assert await kit.store.jobs.list_open() == []


@pytest.mark.parametrize(("photos", "code"), [(0, "no_photos"), (2, "few_photos")])
async def test_few(kit, scheduler, photos, code):
    """Without photos, or with too few, the training is refused."""
    alice = kit.add_member("alice")
    await scheduler.add_dataset(alice, photos=photos)

    answer = await alice.slash(kit.channel, "train lora", **DATASET)

    assert kit.says(answer, ERRORS[code])


async def test_scheduler_away(kit, scheduler):
    """Before a scheduler has published its catalog, nothing is offered."""
    alice = kit.add_member("alice")
    await scheduler.publish_catalog(bases=())
    await scheduler.add_dataset(alice)

    answer = await alice.slash(kit.channel, "train lora", **DATASET)

    assert kit.says(answer, ERRORS["scheduler_away"])


async def test_minutes(kit, scheduler):
    """A training longer than the server allows is refused with both times."""
    alice = kit.add_member("alice")
    await scheduler.add_dataset(alice)
    await scheduler.add_timing(10.0, 0.0)
    await kit.store.servers.save(Server(kit.guild.id, minutes=5))

    answer = await alice.slash(kit.channel, "train lora", **DATASET)

    assert kit.says(answer, ERRORS["minutes_over"], minutes=22, most=5)


async def test_quota(kit, scheduler):
    """The daily limit also holds when Start is pressed."""
    alice = kit.add_member("alice")
    await scheduler.add_dataset(alice)
    await kit.store.servers.save(Server(kit.guild.id, jobs=1))
    first = (await alice.slash(kit.channel, "train lora", **DATASET)).response
    second = (await alice.slash(kit.channel, "train lora", **DATASET, dial="quick")).response
    await alice.click(first, label="Start")

    answer = await alice.click(second, label="Start")

    assert kit.says(answer, ERRORS["quota_used"], jobs=1)


async def test_what_is_queued_takes_room(kit, scheduler):
    """A member's waiting trainings count as used storage."""
    alice = kit.add_member("alice")
    await scheduler.add_dataset(alice)
    kit.bot.settings.member_quota_mib = 1
    card = (await alice.slash(kit.channel, "train lora", **DATASET)).response
    await alice.click(card, label="Start")

    answer = await alice.slash(kit.channel, "train lora", **DATASET, dial="quick")

    assert kit.says(answer, ERRORS["quota_full"])


async def test_disk(kit, scheduler):
    """A full disk stops new trainings with a sentence."""
    alice = kit.add_member("alice")
    await scheduler.add_dataset(alice)
    kit.bot.settings.min_free_mib = 1 << 40

    answer = await alice.slash(kit.channel, "train lora", **DATASET)

    assert "disk is nearly full" in kit.text(answer)


async def test_training_channel(kit, scheduler):
    """A server's training channel gets the cards, wherever the command was used."""
    alice, lab = kit.add_member("alice"), kit.guild.create_text_channel("training")
    await scheduler.add_dataset(alice)
    await kit.store.servers.save(Server(kit.guild.id, channel=lab.id))

    card = (await alice.slash(kit.channel, "train lora", **DATASET)).response
    await alice.click(card, label="Start")

    assert "my dog · LoRA" in kit.text(lab.last_message)


async def test_closed_channel(kit, scheduler):
    """Where the bot may not write, nothing is queued, and the missing permission is named."""
    alice = kit.add_member("alice")
    await scheduler.add_dataset(alice)
    deny = {kit.guild.me: discord.PermissionOverwrite(send_messages=False)}
    closed = kit.guild.create_text_channel("closed", overwrites=deny)

    card = (await alice.slash(closed, "train lora", **DATASET)).response
    answer = await alice.click(card, label="Start")

    assert "Send Messages" in kit.text(answer)
    assert await kit.store.jobs.list_open() == []


async def test_private(kit, scheduler):
    """A private training is posted in a private thread with its owner."""
    alice = kit.add_member("alice")
    await scheduler.add_dataset(alice)

    card = (await alice.slash(kit.channel, "train lora", **DATASET, private=True)).response
    await alice.click(card, label="Start")

    (job,) = await kit.store.jobs.list_open()
    (thread,) = kit.channel.threads
    assert job.channel == job.thread == thread.id
    assert "my dog · LoRA" in kit.text(thread.last_message)
    assert kit.bot.get_channel(thread.id).is_private()


async def test_start_after_restart(kit, scheduler):
    """Start on a card from before a restart starts what the card says."""
    alice = kit.add_member("alice")
    await scheduler.add_dataset(alice)
    card = (await alice.slash(kit.channel, "train lora", **DATASET, steps=77)).response
    await kit.restart()

    await alice.click(card, label="Start")

    (job,) = await kit.store.jobs.list_open()
    assert job.request["steps"] == 77


async def test_not_now(kit, scheduler):
    """Not now starts nothing."""
    alice = kit.add_member("alice")
    await scheduler.add_dataset(alice)
    card = (await alice.slash(kit.channel, "train lora", **DATASET)).response

    answer = await alice.click(card, label="Not now")

    assert "Nothing was started" in kit.text(answer)
    assert await kit.store.jobs.list_open() == []


async def test_place(kit, scheduler):
    """The pre-flight card counts the trainings before this one."""
    alice, bob = kit.add_member("alice"), kit.add_member("bob")
    for who in (alice, bob):
        await scheduler.add_dataset(who)
    card = (await alice.slash(kit.channel, "train lora", **DATASET)).response
    await alice.click(card, label="Start")

    answer = await bob.slash(kit.channel, "train lora", **DATASET)

    assert "place 2" in kit.text(answer)
    job = await scheduler.claim()
    assert job.status is Status.RUNNING


async def test_room(kit, scheduler):
    """A member whose styles use up their storage is told what to do."""
    alice = kit.add_member("alice")
    await scheduler.add_style(alice)
    await scheduler.add_dataset(alice, "my cat")
    kit.bot.settings.member_quota_mib = 1

    answer = await alice.slash(kit.channel, "train finetune", dataset="my cat")

    assert kit.says(answer, ERRORS["quota_full"], most=1)
    assert "/style delete" in kit.text(answer)


async def test_class_photos(kit, scheduler):
    """A dataset of others of its kind is on the card, and no concept in the job."""
    alice = kit.add_member("alice")
    await scheduler.add_dataset(alice)
    kind = await scheduler.add_dataset(alice, name="dogs")
    asked = {"dataset": "my dog", "class_photos": "dogs"}

    same = await alice.slash(kit.channel, "train lora", dataset="my dog", class_photos="my dog")
    wordless = await alice.slash(kit.channel, "train lora", **asked)
    card = await alice.slash(kit.channel, "train lora", **asked, word="dog")
    assert kit.says(card, wording.training.CLASS_PHOTOS, name="dogs", word="dog")
    await alice.click(card.response, label="Start")

    assert kit.says(same, ERRORS["class_photos_same"], name="my dog")
    assert kit.says(wordless, ERRORS["word_missing"])
    (job,) = await kit.store.jobs.list_open()
    assert job.request["num_class_images"] == 0
    assert [(each["dataset"], each["class_photos"]) for each in job.request["other_datasets"]] == [
        (kind.id, True)
    ]
    with pytest.raises(UserError, match="dataset_busy"):
        await kit.store.datasets.delete(kind.id, alice.id)
