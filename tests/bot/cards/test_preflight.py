"""What the card of a training changes, and when it starts none."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from PIL import Image, ImageOps

from bot import wording
from bot.wording.errors import ERRORS
from storage.limits import STEPS
from storage.measurements import Examination
from storage.planning.plan import plan_training
from storage.planning.prompts import MAX_OWN_PROMPT_CHARS, MAX_OWN_PROMPTS
from storage.records import CheckedPhoto, Dial

DATASET = {"dataset": "my dog"}
FACE = Path(__file__).parents[2] / "storage/photos/pictures/face.webp"


@pytest.mark.parametrize(("allowed", "nudity"), [(False, 0.9), (True, 0.9), (False, 0.5)])
async def test_explicit(kit, scheduler, allowed, nudity):
    """Photos that look explicit are not trained on, unless the operator allows it."""
    alice = kit.add_member("alice")
    dataset = await scheduler.add_dataset(alice)
    photos = await kit.store.photos.list_for(dataset.id, alice.id)
    await kit.store.photos.set_examination(photos[2].digest, Examination(nudity))
    kit.bot.settings = kit.bot.settings.model_copy(update={"allow_explicit": allowed})

    answer = await alice.slash(kit.channel, "train lora", **DATASET)

    refused = not allowed and nudity > 0.8
    assert kit.says(answer, ERRORS["photos_explicit"], photos="photo 3") is refused
    assert ("Start" in kit.labels(answer)) is not refused


async def test_people(kit, scheduler, monkeypatch):
    """With the operator's switch the start asks once whether the people in the photos agree."""
    monkeypatch.setattr("bot.actions.training.can_find_faces", lambda: False)
    alice = kit.add_member("alice")
    dataset = await scheduler.add_dataset(alice)
    kit.bot.settings = kit.bot.settings.model_copy(update={"attest_people": True})
    card = (await alice.slash(kit.channel, "train lora", **DATASET)).response

    await alice.click(card, label="Start")
    assert kit.says(card, wording.training.ATTEST_ASK, names="my dog")
    assert await kit.store.jobs.list_open() == []
    await alice.click(card, label=wording.training.ATTEST)

    assert len(await kit.store.jobs.list_open()) == 1
    assert (await kit.store.datasets.get(dataset.id, alice.id)).attested is not None
    again = (await alice.slash(kit.channel, "train embedding", **DATASET)).response
    await alice.click(again, label="Start")
    assert len(await kit.store.jobs.list_open()) == 2


async def test_faces(kit, scheduler):
    """Where faces can be looked for, only photos with one ask, and each later one again."""
    alice = kit.add_member("alice")
    await scheduler.add_dataset(alice)
    kit.bot.settings = kit.bot.settings.model_copy(update={"attest_people": True})
    portrait = Image.open(FACE).convert("RGB")
    later = {"mirrored.png": ImageOps.mirror(portrait), "portrait.png": portrait}
    asked = []

    for picture in ("", "mirrored.png", "", "portrait.png"):
        if picture:
            later[picture].save(file := io.BytesIO(), "PNG")
            await kit.send_photos(alice, [(picture, file.getvalue())])
        card = (await alice.slash(kit.channel, "train lora", **DATASET)).response
        await alice.click(card, label="Start")
        asked.append(kit.says(card, wording.training.ATTEST_ASK, names="my dog"))
        if asked[-1]:
            await alice.click(card, label=wording.training.ATTEST)

    assert asked == [False, True, False, True]


async def test_same_shots(kit, scheduler):
    """The card names photos of one shot; on a base for photos the steps leave them out."""
    alice = kit.add_member("alice")
    dataset = await scheduler.add_dataset(alice)
    for at in range(4):
        again = CheckedPhoto(f"{at:064x}", 0, 64, 64, b"png", b"webp", ())
        await kit.store.photos.add(dataset, again)

    card = (await alice.slash(kit.channel, "train lora", **DATASET, base="sd15")).response

    catalog = await kit.store.catalog.read()
    choices = {"method": "lora", "base": "sd15", "dial": Dial.BALANCED, "concept": dataset.concept}
    plan = plan_training(catalog, **choices, photos=9, different=5)
    assert kit.says(card, wording.dataset.SAME_SHOTS, same="4 photos")
    assert kit.says(card, wording.training.STEPS_FIRST, steps=plan.steps)
    assert plan.steps != plan_training(catalog, **choices, photos=9).steps


def list_selects(kit, answer):
    """Return the options of each select on a card, by its custom id; true is the chosen one."""
    return {
        each["custom_id"]: {one["value"]: one.get("default", False) for one in each["options"]}
        for each in kit.components(answer)
        if each.get("options")
    }


async def test_dial_and_base(kit, scheduler):
    """Dial and base are changed on the card; steps and time follow, own steps give way."""
    alice = kit.add_member("alice")
    await scheduler.add_dataset(alice)
    await scheduler.add_timing(0.2)
    card = (await alice.slash(kit.channel, "train lora", **DATASET, steps=77)).response
    before = kit.text(card)
    (dial, dials), (_, bases) = list_selects(kit, card).items()

    thorough = kit.text(await alice.select(card, ["thorough"], custom_id=dial))
    _, base = list_selects(kit, card)
    other = kit.text(await alice.select(card, ["sd15"], custom_id=base))
    await alice.click(card, label="Start")

    assert [each for each in dials if dials[each]] == ["balanced"]
    assert [each for each in bases if bases[each]] == ["embedded"]
    assert "**Steps:** 77 · about 15 s" in before
    assert "**Steps:** 130 · about 26 s" in thorough
    assert kit.says(other, wording.training.STEPS_FIRST, steps=130)
    (job,) = await kit.store.jobs.list_open()
    assert [job.request[each] for each in ("dial", "base", "steps")] == ["thorough", "sd15", 130]


async def test_steps_and_samples(kit, scheduler):
    """Own steps and sample prompts come by a form, which says how many and how long they are."""
    alice = kit.add_member("alice")
    await scheduler.add_dataset(alice)
    card = (await alice.slash(kit.channel, "train lora", **DATASET)).response

    form = await alice.click(card, label=wording.training.ADJUST)
    typed = "  mydog  surfing \n\n@everyone and <@1>"
    changed = await alice.submit_modal(form, {"steps": "90", "prompts": typed})
    said = kit.text(changed)
    await alice.click(card, label="Start")

    hint = wording.training.PROMPTS_FIELD.format(count=MAX_OWN_PROMPTS, most=MAX_OWN_PROMPT_CHARS)
    assert hint in [label["description"] for label in form.modal["components"]]
    assert "**Steps:** 90" in said
    assert "<@1>" not in said.replace("\\<", "")
    assert "@everyone" not in said
    (job,) = await kit.store.jobs.list_open()
    assert job.request["steps"] == 90
    assert job.request["sample_prompts"] == ["mydog surfing", "@everyone and <@1>"]


@pytest.mark.parametrize(
    ("labels", "phrase", "options"),
    [
        (
            (wording.training.FIND_RATE, wording.training.USUAL_RATE),
            "Look for the learning rate first", {"find_learning_rate": True},
        ),
        ((wording.training.FOLDS, wording.training.NO_FOLDS), "held out in turn", {"folds": 3}),
    ],
)  # fmt: skip
async def test_tries(kit, scheduler, labels, phrase, options):
    """A thorough training offers to try something first, and takes that back."""
    label, undo = labels
    alice = kit.add_member("alice")
    await scheduler.add_dataset(alice)
    quick = await alice.slash(kit.channel, "train lora", **DATASET, dial="quick")
    card = (await alice.slash(kit.channel, "train lora", **DATASET, dial="thorough")).response

    on = await alice.click(card, label=label)
    said = kit.text(on)
    await alice.click(card, label=undo)
    off = kit.text(card)
    await alice.click(card, label=label)
    await alice.click(card, label="Start")

    assert label not in kit.labels(quick)
    assert phrase in said
    assert phrase not in off
    (job,) = await kit.store.jobs.list_open()
    assert job.request["options"] == options


@pytest.mark.parametrize(
    ("values", "code", "facts"),
    [
        ({"steps": "0"}, "out_of_range", {}),
        ({"steps": "many"}, "number_bad", {}),
        ({"steps": str(STEPS[1] + 1)}, "out_of_range", {}),
        ({"prompts": "a\nb\nc\nd\ne"}, "prompts_many", {"count": 5, "most": MAX_OWN_PROMPTS}),
        ({"prompts": "a" * 301}, "prompt_long", {"length": 301, "most": MAX_OWN_PROMPT_CHARS}),
    ],
)
async def test_steps_and_samples_refused(kit, scheduler, values, code, facts):
    """A number or prompt that cannot be is refused with a sentence; the card stays."""
    alice = kit.add_member("alice")
    await scheduler.add_dataset(alice)
    card = (await alice.slash(kit.channel, "train lora", **DATASET)).response

    form = await alice.click(card, label=wording.training.ADJUST)
    answer = await alice.submit_modal(form, {"steps": "", "prompts": ""} | values)

    assert kit.says(answer, ERRORS[code], **facts)


async def test_change_what_is_advised(kit, scheduler):
    """What the advisor suggests can be changed, too: its card turns into the order's own."""
    alice = kit.add_member("alice")
    await scheduler.add_dataset(alice)
    card = (await alice.slash(kit.channel, "train auto", **DATASET)).response

    changed = await alice.click(card, label=wording.training.CHANGE)

    assert wording.training.ADJUST in kit.labels(changed)
    assert len(list_selects(kit, card)) == 2


async def test_pressed_twice(kit, scheduler):
    """While a first press queues a training, a second one of its member is refused."""
    alice = kit.add_member("alice")
    await scheduler.add_dataset(alice)
    card = (await alice.slash(kit.channel, "train lora", dataset="my dog")).response
    kit.bot.running_commands.add((alice.id, "", "train"))

    answer = await alice.click(card, label="Start")
    kit.bot.running_commands.clear()

    assert kit.says(answer, ERRORS["still_busy"])
    assert await kit.store.jobs.list_open() == []
