"""`/train compare`: what it costs, one card while it runs, one result."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bot import wording
from bot.wording.errors import ERRORS
from storage.crops import FramedBy, Framing
from storage.records import CheckedPhoto, Kind, Server
from storage.tables.comparisons import ComparisonState
from tests.fakes.comparisons import advance, judge, start, train


async def test_two_methods(kit, scheduler, alice):
    """It says what all cost; one card shows where each is; the result says which is better."""
    await scheduler.add_timing(1.0)
    await scheduler.add_timing(2.0, method="embedding")
    shown = await start(kit, alice)
    assert "LoRA" in shown
    assert "Embedding" in shown
    assert "2 trainings" in shown
    (message,) = kit.find_messages("Comparing")
    assert "**LoRA:** in the queue" in kit.text(message)
    assert "**Embedding:** waits" in kit.text(message)
    assert message.attachments == []

    first, _ = await train(kit, scheduler)
    (message,) = kit.find_messages("Comparing")
    assert "**LoRA:** trained" in kit.text(message)
    assert [each.filename for each in message.attachments] == ["newest.png"]
    second, _ = await train(kit, scheduler)
    await judge(kit, scheduler, 0.52, 0.41, beats=[1])

    assert first.request["seed"] == second.request["seed"]
    assert [first.request["name"], second.request["name"]] == ["my dog LoRA", "my dog Embedding"]
    (result,) = kit.find_messages("is better")
    said = kit.text(result)
    assert "**LoRA** is better: 52 ± 3 against Embedding with 41 ± 3" in said
    assert "score\u00a052\u00a0±\u00a03 · likeness\u00a060 · obedience\u00a080 · variety" in said
    assert "48 s" in said
    assert f"<@{alice.id}>" in said
    assert [each.filename for each in result.attachments] == ["0.png"]
    (message,) = kit.find_messages("Comparing")
    assert wording.comparison.ENDED in kit.text(message)
    assert kit.labels(message) == []
    assert (await kit.store.comparisons.get(1)).state is ComparisonState.DONE
    assert await kit.store.comparisons.list_unretired() == []
    assert kit.find_messages("my dog LoRA ") == []  # no card of its own


async def test_no_difference(kit, scheduler, alice):
    """Of two that cannot be told apart the smaller is recommended, and its style can be shown."""
    await start(kit, alice)
    await train(kit, scheduler, size=4096)
    _, style = await train(kit, scheduler, size=1024)
    await judge(kit, scheduler, 0.52, 0.5)

    (result,) = kit.find_messages("No difference")
    assert "take **Embedding**, whose file is smaller" in kit.text(result)
    shown = await alice.select(result, values=["1"])
    assert style.name in kit.text(shown.response)
    bob = kit.add_member("bob")
    refused = await bob.select(result, values=["1"])
    assert kit.says(refused, ERRORS["comparison_not_own"])


async def test_two_bases(kit, scheduler, alice):
    """What each base brings is told, and a square shows styles on each other's base."""
    catalog = await kit.store.catalog.read()
    first = catalog.find_base("embedded")
    twin = replace(first, name="twin", title="Twin")
    rules = [*catalog.rules, *(replace(r, base="twin") for r in catalog.rules)]
    await scheduler.publish_catalog(bases=(first, twin), rules=tuple(rules))
    chosen = {"other_method": "", "base": "embedded", "other_base": "twin", "word": "dog"}
    order = await start(kit, alice, **chosen)
    assert wording.comparison.CROSSED in order
    assert "without your photos" in order
    jobs = [(await train(kit, scheduler))[0] for _ in range(2)]
    await judge(kit, scheduler, 0.52, 0.41, beats=[1], bases=["embedded", "twin"])

    assert [job.base for job in jobs] == ["embedded", "twin"]
    (result,) = kit.find_messages("is better")
    assert "**Twin** by itself: what it draws of “dog” is 50 % as close" in kit.text(result)
    assert [each.filename for each in result.attachments] == ["0.png", "1.png"]


@pytest.mark.parametrize(
    ("options", "code"),
    [
        ({"other_method": ""}, "comparison_few"),
        ({"other_method": "lora"}, "comparison_twice"),
        ({"other_base": "sd15"}, "comparison_both"),
        ({"other_method": "", "other_base": "sd15"}, "comparison_mixed"),
        ({"other_method": "", "other_base": "away"}, "base_missing"),
    ],
)
async def test_refused(kit, alice, options, code):
    """What cannot be compared is refused before anything starts."""
    options = {"dataset": "my dog", "method": "lora", "other_method": "embedding"} | options
    options = {name: value for name, value in options.items() if value}

    answer = await alice.slash(kit.channel, "train compare", **options)

    assert kit.says(answer, ERRORS[code])
    assert await kit.store.comparisons.list_open() == []


async def test_autocomplete(kit, alice):
    """Methods are offered by their titles."""
    offered = await alice.autocomplete(kit.channel, "train compare", "other_method", "emb")

    assert [each["value"] for each in offered] == ["embedding"]


async def test_quota(kit, alice):
    """Every training counts."""
    server = await kit.store.servers.get(kit.guild.id)
    await kit.store.servers.save(replace(server, jobs=1))
    options = {"dataset": "my dog", "method": "lora", "other_method": "embedding"}

    answer = await alice.slash(kit.channel, "train compare", **options)

    assert kit.says(answer, ERRORS["quota_few"])


async def test_one_at_a_time(kit, alice):
    """Another one is refused before it opens a thread."""
    card = (await alice.slash(kit.channel, "train sweep", dataset="my dog", private=True)).response
    await start(kit, alice)

    answer = await alice.click(card, label="Start")

    assert kit.says(answer, ERRORS["comparison_busy"])
    assert kit.channel.threads == []


@pytest.mark.parametrize("command", ["compare", "sweep"])
async def test_people(kit, alice, command):
    """Where the operator wants it, it starts once the consent of people in photos is attested."""
    kit.bot.settings = kit.bot.settings.model_copy(update={"attest_people": True})
    dataset = await kit.store.datasets.get_by_name(alice.id, "my dog")
    face = Framing(by=FramedBy.FACE)
    portrait = CheckedPhoto("f" * 64, 1 << 40, 64, 64, b"png", b"webp", (), framing=face)
    await kit.store.photos.add(dataset, portrait)
    chosen = {"method": "lora", "other_method": "embedding"} if command == "compare" else {}
    card = (
        await alice.slash(kit.channel, f"train {command}", dataset="my dog", **chosen)
    ).response

    await alice.click(card, label="Start")
    assert kit.labels(card) == [wording.training.ATTEST, wording.comparison.NOT_NOW]
    assert await kit.store.comparisons.list_open() == []
    await alice.click(card, label=wording.training.ATTEST)

    assert len(await kit.store.comparisons.list_open()) == 1
    assert (await kit.store.datasets.get_by_name(alice.id, "my dog")).attested is not None


async def test_cautions(kit, scheduler, alice):
    """Medical pictures are known by their words, and told to be no diagnosis."""
    dataset = await kit.store.datasets.get_by_name(alice.id, "my dog")
    await kit.store.captions.change(dataset.id, alice.id, lambda *_: "an MRI scan of a knee")

    order = await start(kit, alice)
    await train(kit, scheduler)
    await train(kit, scheduler)
    await judge(kit, scheduler, 0.5, 0.4)

    assert wording.comparison.MEDICAL in order
    assert kit.find_messages(wording.comparison.NOT_DIAGNOSTIC)


async def test_reported(kit, scheduler, alice):
    """Anybody can report its pictures; a moderator who removes them deletes their files."""
    await start(kit, alice)
    for _ in range(2):
        await train(kit, scheduler)
    job = await judge(kit, scheduler, 0.52, 0.41, beats=[1])
    (result,) = kit.find_messages("is better")
    room, bob, mo = (
        kit.guild.create_text_channel("log"),
        kit.add_member("bob"),
        kit.add_moderator(),
    )
    await kit.store.servers.save(Server(kit.guild.id, log=room.id))
    form = await bob.click(result, label=wording.report.REPORT)
    await bob.submit_modal(form, {"reason": "rude"})

    assert [each.filename for each in room.last_message.attachments] == ["0.png"]
    await mo.click(room.last_message, label=wording.report.REMOVE)

    assert kit.find_messages("is better") == []
    assert not kit.store.home.job_folder(job.folder).result.exists()


@pytest.mark.parametrize("how", ["erase", "withdraw"])
async def test_gone_with_its_photos(kit, scheduler, alice, how):
    """The card goes with the photos, and no card of a training comes in its place."""
    await start(kit, alice)
    await train(kit, scheduler)
    assert kit.find_messages("Comparing")

    if how == "erase":
        await kit.store.members.erase(alice.id, keep_styles=False)
    else:
        await kit.store.withdrawals.withdraw(alice.id, delete_styles=True)
    await advance(kit)

    assert kit.find_messages("my dog") == []


async def test_cancel(kit, scheduler, alice):
    """Its owner or a moderator ends it, with the training that runs; nobody else can."""
    await start(kit, alice)
    job = await scheduler.claim(Kind.TRAIN)
    (message,) = kit.find_messages("Comparing")
    refused = await kit.add_member("bob").click(message, label=wording.comparison.CANCEL)
    assert kit.says(refused, ERRORS["comparison_not_own"])

    asked = await alice.click(message, label=wording.comparison.CANCEL)
    await alice.click(asked.response, label=wording.comparison.CANCEL_GO)
    await kit.env.advance_time(10)

    assert (await kit.store.jobs.get(job.id)).requested == "cancel"
    (message,) = kit.find_messages("Comparing")
    assert wording.comparison.ENDED_CANCELLED in kit.text(message)


async def test_failure(kit, scheduler, alice):
    """Why nothing came of it is posted; a job of it can be controlled in /jobs."""
    await start(kit, alice)
    job = await scheduler.claim(Kind.TRAIN)
    listed = (await alice.slash(kit.channel, "jobs")).response
    picked = await alice.select(listed, values=[str(job.id)])
    assert "Pause" in kit.labels(picked.response)
    await scheduler.fail(job, step=3)
    await advance(kit)
    await scheduler.fail(await scheduler.claim(Kind.TRAIN), step=3)
    await advance(kit)

    assert kit.find_messages("ended without a result: ")
    assert len(kit.find_messages("my dog")) == 2


async def test_a_restart(kit, scheduler, alice):
    """Another bot goes on with the same card, and posts the result once."""
    await start(kit, alice)
    await train(kit, scheduler)
    await kit.restart()
    await train(kit, scheduler)
    (message,) = kit.find_messages("Comparing")
    assert "**Embedding:** trained" in kit.text(message)
    await judge(kit, scheduler, 0.52, 0.41, beats=[1])
    await kit.restart()
    await kit.env.advance_time(10)

    assert len(kit.find_messages("Comparing")) == 1
    assert len(kit.find_messages("is better")) == 1


@pytest.mark.parametrize("command", ["compare", "sweep"])
async def test_private(kit, scheduler, alice, command):
    """Card and result are in a private thread, to which only its owner is invited."""
    chosen = {"method": "lora", "other_method": "embedding"} if command == "compare" else {}
    options = {"dataset": "my dog", "private": True} | chosen

    card = (await alice.slash(kit.channel, f"train {command}", **options)).response
    assert wording.training.PRIVATE in kit.text(card)
    assert kit.channel.threads == []
    await alice.click(card, label="Start")
    await advance(kit)
    for _ in range(2):
        await train(kit, scheduler)

    (thread,) = kit.channel.threads
    assert kit.bot.get_channel(thread.id).is_private()
    assert "my dog" in kit.text(thread.last_message)
    assert (await kit.store.comparisons.get(1)).channel == thread.id
    jobs = [job for job in await kit.store.jobs.list_for(alice.id) if job.kind is Kind.TRAIN]
    assert {job.channel for job in jobs} == {thread.id}
    assert not [each for each in kit.channel.history() if each.components]
