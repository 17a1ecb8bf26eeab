"""The advice card: its sentences, its questions, and what Start orders."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bot import wording
from bot.demo.mascot import TRAINED, picture_files
from bot.wording.errors import ERRORS
from storage.photos.pixels import check_picture
from storage.records import Base, Commercial, Dial, Domain, Method, Rule, Server

DATASET = {"dataset": "my dog"}
METHODS = {
    "dreambooth": "DreamBooth",
    "embedding": "Embedding",
    "lora": "LoRA",
    "pivotal": "LoRA with a word",
}


async def gpu(kit, memory=24_000):
    """Publish the catalog of a scheduler with a GPU and two bases."""
    catalog = await kit.store.catalog.read()
    plain = Base("sdxl", "SDXL", "sdxl", "hub/sdxl", 64, "RAIL", "", present=True, memory_mib=9000)
    plain = replace(plain, commercial=Commercial.CONDITIONS, terms="keep *its* list")
    photo = replace(plain, name="realvis", title="RealVisXL", domain=Domain.PHOTO)
    photo = replace(photo, commercial=Commercial.UNSEEN)
    like = catalog.rules[0]
    rules = tuple(
        Rule(m, b.name, r.concept, r.dial, 90, 10, 100, 400, 0 if m == "dreambooth" else 8,
             1e-3, 4, 1 << 20, like.source, num_class_images=4 if m == "dreambooth" else 0)
        for m in METHODS for b in (plain, photo) for r in catalog.rules
        if (r.method, r.base) == (like.method, like.base)
    )  # fmt: skip
    await kit.store.catalog.publish(
        replace(
            catalog,
            bases=(plain, photo),
            methods=tuple(Method(name, title=title) for name, title in METHODS.items()),
            rules=rules,
            memory_mib=memory,
        )
    )


def selects(kit, shown):
    """Return the chosen values of a card's selects."""
    return [
        option["value"]
        for part in kit.components(shown) if part.get("type") == 3
        for option in part["options"] if option.get("default")
    ]  # fmt: skip


async def choose(kit, who, shown, which, value):
    """Choose in one of a card's selects."""
    (named,) = [
        part["custom_id"] for part in kit.components(shown)
        if part.get("type") == 3 and f":{which}:" in part["custom_id"]
    ]  # fmt: skip
    return await who.select(shown.response, [value], custom_id=named)


async def test_advice(kit, scheduler):
    """`/train auto` shows the advice with three reasons and an alternative, and starts nothing."""
    alice = kit.add_member("alice")
    await scheduler.add_dataset(alice, photos=8)

    answer = await alice.slash(kit.channel, "train auto", **DATASET)

    said = kit.text(answer)
    assert answer.ephemeral
    assert "My advice for my dog" in said
    assert "**Fine\\-tuned model** on **Safelight emoji** · balanced" in said
    assert [f"**{line}:**" in said for line in ("Method", "Base", "Time")] == [True] * 3
    assert wording.advice.BASES["base_no_gpu"] in said
    assert "Or: **LoRA**" in said
    assert "8 photos ready" in said
    assert kit.labels(answer) == ["Start", "Change settings", "Switch to LoRA", "Not now"]
    assert selects(kit, answer) == ["animal", "fun"]
    assert await kit.store.jobs.list_open() == []


@pytest.mark.usefixtures("scheduler")
async def test_transparent_pictures(kit):
    """Pictures on transparent ground are taken for a drawn character."""
    alice = kit.add_member("alice")
    dataset = await kit.add_dataset(alice, "my dog")
    for picture in picture_files(TRAINED[:3]):
        await kit.store.photos.add(dataset, check_picture(picture.read_bytes()))

    answer = await alice.slash(kit.channel, "train auto", **DATASET)

    assert selects(kit, answer) == ["figure", "fun"]


async def test_start(kit, scheduler):
    """Start orders what was advised, with the given word."""
    alice = kit.add_member("alice")
    await scheduler.add_dataset(alice, photos=3)

    card = await alice.slash(kit.channel, "train auto", **DATASET, word="dog", private=True)
    await alice.click(card.response, label="Start")

    (job,) = await kit.store.jobs.list_open()
    asked = [job.request[name] for name in ("method", "base", "dial", "class_word")]
    assert asked == ["finetune", "embedded", "balanced", "dog"]
    assert job.private


async def test_other(kit, scheduler):
    """The alternative can be shown and started, and the first advice shown again."""
    alice = kit.add_member("alice")
    await scheduler.add_dataset(alice, photos=8)
    card = await alice.slash(kit.channel, "train auto", **DATASET)

    other = await alice.click(card.response, label="Switch to LoRA")
    assert "**LoRA** on **Safelight emoji**" in kit.text(other)
    assert "Or: **Fine\\-tuned model**" in kit.text(other)
    first = await alice.click(other.response, label="Switch to Fine-tuned model")
    assert "**Fine\\-tuned model** on **Safelight emoji**" in kit.text(first)


async def test_motif(kit, scheduler):
    """One select asks what the photos show, which changes the advice."""
    alice = kit.add_member("alice")
    await scheduler.add_dataset(alice, photos=8)
    await gpu(kit)
    card = await alice.slash(kit.channel, "train auto", **DATASET)
    assert "on **RealVisXL**" in kit.text(card)

    asked = await choose(kit, alice, card, "motif", "thing")

    assert "on **SDXL**" in kit.text(asked)
    assert selects(kit, asked) == ["thing", "fun"]


async def test_purpose(kit, scheduler):
    """Commercial use gets the licence's terms, and a base that allows it."""
    alice = kit.add_member("alice")
    await scheduler.add_dataset(alice, photos=8)
    await gpu(kit)
    card = await alice.slash(kit.channel, "train auto", **DATASET)

    asked = await choose(kit, alice, card, "purpose", "money")

    assert "on **SDXL**" in kit.text(asked)
    assert kit.says(asked, wording.advice.TERMS, terms="keep *its* list")
    assert selects(kit, asked) == ["animal", "money"]


async def test_no_licence(kit, scheduler):
    """If no base allows it, a sentence says so and nothing is ordered."""
    alice = kit.add_member("alice")
    await scheduler.add_dataset(alice, photos=8)

    answer = await alice.slash(kit.channel, "train auto", **DATASET, commercial=True)

    assert kit.says(answer, ERRORS["advice_licence"])
    assert await kit.store.jobs.list_open() == []


async def test_class(kit, scheduler):
    """A few photos of a person get DreamBooth with class pictures of persons."""
    alice = kit.add_member("alice")
    await scheduler.add_dataset(alice, photos=4)
    await gpu(kit, memory=80_000)
    await kit.restart(public_url="https://safelight.example")
    card = await alice.slash(kit.channel, "train auto", **DATASET)
    asked = await choose(kit, alice, card, "motif", "person")

    assert "kept here for 30 days" in kit.text(asked)
    await alice.click(asked.response, label="Start")

    (job,) = await kit.store.jobs.list_open()
    asked = [job.request[name] for name in ("method", "class_word", "dial")]
    assert asked == ["dreambooth", "person", "quick"]


async def test_no_room(kit, scheduler):
    """If memory is short for a whole model, a smaller method is advised."""
    alice = kit.add_member("alice")
    await scheduler.add_dataset(alice, photos=4)
    await gpu(kit, memory=80_000)
    catalog = await kit.store.catalog.read()
    large = [replace(r, file_bytes=r.file_bytes if r.rank else 2 << 30) for r in catalog.rules]
    await kit.store.catalog.publish(replace(catalog, rules=tuple(large)))
    await kit.restart(public_url="https://safelight.example", member_quota_mib=100)
    card = await alice.slash(kit.channel, "train auto", **DATASET)

    asked = await choose(kit, alice, card, "motif", "person")

    assert "**LoRA** on **RealVisXL** · quick" in kit.text(asked)


async def test_minutes(kit, scheduler):
    """A server's time limit shortens the advised training instead of refusing it."""
    alice = kit.add_member("alice")
    await scheduler.add_dataset(alice, photos=40)
    await kit.store.servers.save(Server(kit.guild.id, minutes=5))
    catalog = await kit.store.catalog.read()
    quick = [replace(r, max_steps=100) if r.dial is Dial.QUICK else r for r in catalog.rules]
    await kit.store.catalog.publish(replace(catalog, rules=tuple(quick)))
    await scheduler.add_timing(2.0, 0.0)

    answer = await alice.slash(kit.channel, "train auto", **DATASET)

    assert "· quick" in kit.text(answer)
    assert wording.advice.DIALS["dial_time"] in kit.text(answer)


async def test_beside_an_order(kit, scheduler):
    """An order that equals the advice says why; any other names the advice and links to it."""
    alice = kit.add_member("alice")
    await scheduler.add_dataset(alice, photos=8)

    same = await alice.slash(kit.channel, "train finetune", **DATASET)
    assert "**Method:**" in kit.text(same)
    assert kit.labels(same) == ["Start", "Steps and samples", "More options", "Not now"]

    other = await alice.slash(kit.channel, "train embedding", **DATASET)
    assert kit.says(
        other, wording.advice.SUGGESTION, method="Fine-tuned model", base="Safelight emoji"
    )
    assert kit.labels(other) == [
        "Start",
        "Steps and samples",
        "More options",
        "Advise me",
        "Not now",
    ]
    advised = await alice.click(other.response, label="Advise me")
    assert "My advice for my dog" in kit.text(advised)


async def test_from_the_dataset(kit, scheduler):
    """A dataset's card has a button for advice once it has enough photos."""
    alice = kit.add_member("alice")
    await scheduler.add_dataset(alice, photos=2)
    assert "Train" not in kit.labels(await kit.open_dataset(alice))
    await scheduler.add_dataset(alice, "my cat", photos=3)

    advised = await alice.click(await kit.open_dataset(alice, "my cat"), label="Train")

    assert "My advice for my cat" in kit.text(advised)


async def test_after_a_restart(kit, scheduler):
    """The card's controls work after a restart of the bot."""
    alice = kit.add_member("alice")
    await scheduler.add_dataset(alice, photos=8)
    card = await alice.slash(kit.channel, "train auto", **DATASET)
    await kit.restart()

    other = await alice.click(card.response, label="Switch to LoRA")
    assert "**LoRA**" in kit.text(other)
