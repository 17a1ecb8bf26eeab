"""The form of more options: its effects, and options that a method does not support."""

from __future__ import annotations

import pytest

from bot import wording
from bot.wording.errors import ERRORS

DATASET = {"dataset": "my dog"}
FORM = {
    "optimizer": ["prodigy"],
    "switches": ["shuffle_caption", "caption_dropout_rate", "noise_offset", "random_backgrounds"],
    "dropout": "0,1",
}


async def test_more_options(kit, scheduler):
    """The form's values are on the card and in the job; a further dataset is a concept."""
    alice = kit.add_member("alice")
    await scheduler.add_dataset(alice)
    cat = await scheduler.add_dataset(alice, name="my cat")
    card = await alice.slash(kit.channel, "train lora", **DATASET)

    form = await alice.click(card.response, label="More options")
    again = await alice.submit_modal(form, {"other_datasets": [str(cat.id)], **FORM})
    said = kit.text(again)
    await alice.click(again.response or card.response, label="Start")

    assert "my dog + my cat" in said
    assert "Shuffle the parts" in said
    assert "Dropout 0.1" in said
    assert "Drop a tenth of the captions" in said
    (job,) = await kit.store.jobs.list_open()
    request = job.request
    assert request["learning_rate"] == 1.0
    assert request["options"] == {
        "optimizer": "prodigy", "dropout": 0.1, "shuffle_caption": True,
        "caption_dropout_rate": 0.1, "noise_offset": 0.05,
    }  # fmt: skip
    assert [each["trigger"] for each in request["other_datasets"]] == [cat.trigger]


async def test_what_a_base_does_by_itself(kit, scheduler):
    """The form shows what a small base does without being asked, and switches it off."""
    alice = kit.add_member("alice")
    await scheduler.add_dataset(alice)
    shown = []
    card = await alice.slash(kit.channel, "train lora", **DATASET)
    for _ in range(2):
        form = await alice.click(card.response, label="More options")
        fields = [label["component"] for label in form.modal["components"]]
        (switches,) = [each for each in fields if each["custom_id"] == "switches"]
        shown.append([each["value"] for each in switches["options"] if each.get("default")])
        said = kit.text(await alice.submit_modal(form, FORM | {"switches": [], "dropout": "0"}))
    await alice.click(card.response, label="Start")

    assert shown == [["random_backgrounds"], []]
    assert kit.says(said, wording.training.SWITCHED_OFF)
    (job,) = await kit.store.jobs.list_open()
    assert job.request["options"] == {"optimizer": "prodigy", "random_backgrounds": 0}


@pytest.mark.parametrize(
    ("method", "values", "code"),
    [
        ("embedding", {"dropout": "0.1"}, "dropout_method"),
        ("lora", {"dropout": "1"}, "out_of_range"),
        ("lora", {"dropout": "much"}, "number_bad"),
        ("embedding", {"other_datasets": "mine"}, "concepts_method"),
        ("lora", {"other_datasets": "mine", "num_class_images": "5"}, "prior_concepts"),
        ("lora", {"other_datasets": "twin"}, "trigger_twice"),
    ],
)
async def test_options_refused(kit, scheduler, method, values, code):
    """An unsupported option is refused with a sentence."""
    alice = kit.add_member("alice")
    dog = await scheduler.add_dataset(alice)
    cat = await scheduler.add_dataset(alice, name="my cat")
    card = await alice.slash(kit.channel, f"train {method}", **DATASET, word="dog")
    filled = {
        "optimizer": ["adamw"],
        "switches": [],
        "dropout": "0",
        "other_datasets": [],
    } | values
    if values.get("other_datasets") == "twin":
        await kit.store.captions.rename_trigger(cat.id, alice.id, dog.trigger.upper())
    if "other_datasets" in values:
        filled["other_datasets"] = [str(cat.id)]

    form = await alice.click(card.response, label="More options")
    answer = await alice.submit_modal(form, filled)

    assert kit.says(answer, ERRORS[code])
    assert await kit.store.jobs.list_open() == []


async def test_dreambooth(kit, scheduler):
    """DreamBooth needs a class word; the card shows its class pictures and how long it is kept."""
    alice = kit.add_member("alice")
    await scheduler.add_dataset(alice)

    refused = await alice.slash(kit.channel, "train dreambooth", **DATASET)
    card = await alice.slash(kit.channel, "train dreambooth", **DATASET, word="dog")
    said = kit.text(card)
    small = await alice.slash(kit.channel, "train dreambooth", **DATASET, word="dog", rank=8)
    await alice.click(card.response, label="Start")

    assert "what the photos show, in one word" in kit.text(refused)
    assert "24 of a dog" in said
    assert kit.says(said, wording.training.FILE_SMALL, size="22.9 MB", limit="20 MB")
    assert "kept here for 30 days" in said
    assert "about 1 MB" in kit.text(small)
    assert "kept here" not in kit.text(small)
    (job,) = await kit.store.jobs.list_open()
    asked = [job.request[name] for name in ("method", "rank", "num_class_images", "class_word")]
    assert asked == ["dreambooth", 0, 24, "dog"]


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("50", wording.training.CLASS),
        ("", wording.training.TITLE),
        ("many", ERRORS["number_bad"]),
        ("5000", ERRORS["out_of_range"]),
    ],
)
async def test_class_pictures(kit, scheduler, typed, said):
    """Any method takes class pictures; impossible combinations are refused with a sentence."""
    alice = kit.add_member("alice")
    await scheduler.add_dataset(alice)
    card = await alice.slash(kit.channel, "train lora", **DATASET, word="dog")
    form = await alice.click(card.response, label="More options")

    answer = await alice.submit_modal(form, FORM | {"num_class_images": typed})

    assert kit.says(answer, said)
    assert ("Class pictures" in kit.text(answer)) is (typed == "50")
