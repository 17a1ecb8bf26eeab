"""Photos posted as messages are collected only if enabled, only the member's own, until Done."""

from __future__ import annotations

from discord import Intents

from bot import wording
from bot.bot import make_intents
from bot.wording.errors import ERRORS
from storage.records import Kind
from storage.tables.consents import Terms


async def post(kit, who, *seeds, channel=None):
    """Post pictures in one message, and return it as it is afterwards."""
    sent = [(f"photo{seed}.png", kit.draw_photo(seed)) for seed in seeds]
    message = await who.send(channel or kit.channel, "look", attachments=sent)
    return reload_message(kit, message, channel)


def reload_message(kit, message, channel=None):
    """Return a message with its present reactions."""
    history = (channel or kit.channel).history()
    return next(one for one in history if one.id == message.id)


def list_reactions(message):
    """Return the reactions on a message."""
    return [str(reaction.emoji) for reaction in message.reactions]


async def begin(kit, who, name="my dog"):
    """Start collecting and return the answer."""
    return await who.slash(kit.channel, "dataset collect", name=name)


async def test_off(kit):
    """If disabled, the command explains why and how an operator enables it."""
    alice = kit.add_member("alice")
    dataset = await kit.add_dataset(alice)

    answer = await begin(kit, alice)
    message = await post(kit, alice, 1)

    assert "rule 21" in kit.text(answer)
    assert "SAFELIGHT" in kit.text(answer)
    assert list_reactions(message) == []
    assert await kit.store.photos.list_for(dataset.id, alice.id) == []


def test_intents():
    """Privileged intents are requested only if collecting is enabled."""
    privileged = Intents(members=True, presences=True, message_content=True).value

    assert make_intents(collect=False).value & privileged == 0
    assert make_intents(collect=True).value & privileged == Intents(message_content=True).value


async def test_collect(collecting_kit):
    """Photos that a member posts are added and marked, until Done."""
    kit, alice = collecting_kit, collecting_kit.add_member("alice")
    dataset = await kit.add_dataset(alice)

    answer = await begin(kit, alice)
    first = await post(kit, alice, 1, 2)
    await alice.click(answer.response, label="Done")
    second = await post(kit, alice, 3)

    assert list_reactions(first) == ["✅"]
    assert list_reactions(second) == []
    assert len(await kit.store.photos.list_for(dataset.id, alice.id)) == 2
    assert "2 photos" in kit.text(answer.response)
    assert [job.kind for job in await kit.store.jobs.list_for(alice.id)] == [Kind.CAPTION]


async def test_only_theirs(collecting_kit):
    """Other members' photos are ignored, and the member's own in another channel."""
    kit, alice, bob = (
        collecting_kit,
        collecting_kit.add_member("alice"),
        collecting_kit.add_member("bob"),
    )
    dataset = await kit.add_dataset(alice)
    other = kit.guild.create_text_channel("other")

    await begin(kit, alice)
    bobs = await post(kit, bob, 1)
    elsewhere = await post(kit, alice, 2, channel=other)
    text = reload_message(kit, await alice.send(kit.channel, "no photo here"))

    assert list_reactions(bobs) == list_reactions(elsewhere) == list_reactions(text) == []
    assert await kit.store.photos.list_for(dataset.id, alice.id) == []


async def test_refused(collecting_kit):
    """A refused file is marked, named and explained under the message."""
    kit, alice = collecting_kit, collecting_kit.add_member("alice")
    dataset = await kit.add_dataset(alice)

    await begin(kit, alice)
    sent = [("good.png", kit.draw_photo(1)), ("bad.png", b"nothing")]
    message = reload_message(kit, await alice.send(kit.channel, attachments=sent))
    reply = kit.channel.last_message

    assert list_reactions(message) == ["⚠️"]
    assert "1 new photo, 1 not added" in kit.text(reply)
    assert "bad.png" in kit.text(reply)
    assert len(await kit.store.photos.list_for(dataset.id, alice.id)) == 1


async def test_eleven(collecting_kit):
    """Eleven files in one message are refused altogether with a sentence."""
    kit, alice = collecting_kit, collecting_kit.add_member("alice")
    dataset = await kit.add_dataset(alice)

    await begin(kit, alice)
    message = await post(kit, alice, *range(11))

    assert list_reactions(message) == ["⚠️"]
    assert "11 files are too many" in kit.text(kit.channel.last_message)
    assert await kit.store.photos.list_for(dataset.id, alice.id) == []


async def test_restart(collecting_kit):
    """Collecting continues after a restart, and Done still ends it."""
    kit, alice = collecting_kit, collecting_kit.add_member("alice")
    dataset = await kit.add_dataset(alice)
    answer = await begin(kit, alice)

    await kit.restart()
    first = await post(kit, alice, 1)
    await alice.click(answer.response, label="Done")
    second = await post(kit, alice, 2)

    assert (list_reactions(first), list_reactions(second)) == (["✅"], [])
    assert len(await kit.store.photos.list_for(dataset.id, alice.id)) == 1


async def test_consent_first(collecting_kit):
    """Nothing is collected before the member consents; consenting starts it."""
    kit, alice = collecting_kit, collecting_kit.add_member("alice")
    await alice.slash(kit.channel, "dataset new", name="my dog")

    asked = await begin(kit, alice)
    before = await post(kit, alice, 1)
    await alice.click(asked.response, label="I agree")
    after = await post(kit, alice, 2)

    assert (list_reactions(before), list_reactions(after)) == ([], ["✅"])


async def test_newer_terms(collecting_kit):
    """A collection goes on only as long as the member agrees to the present terms."""
    kit, alice = collecting_kit, collecting_kit.add_member("alice")
    dataset = await kit.add_dataset(alice)
    await begin(kit, alice)
    older = "UPDATE consents SET version = version - 1"
    await kit.store._database.execute(older)

    refused = await post(kit, alice, 1)

    assert list_reactions(refused) == ["⚠️"]
    assert await kit.store.photos.list_for(dataset.id, alice.id) == []


async def test_no_reactions_allowed(collecting_kit):
    """Photos are added even if the bot may not react."""
    kit, alice = collecting_kit, collecting_kit.add_member("alice")
    dataset = await kit.add_dataset(alice)
    await begin(kit, alice)

    kit.env.inject_error("PUT", "*/reactions/*", status=403, code=50013)
    await post(kit, alice, 1)

    assert len(await kit.store.photos.list_for(dataset.id, alice.id)) == 1


async def test_menu(collecting_kit):
    """The menu of a member's own message adds its photos to the dataset they choose."""
    kit, alice = collecting_kit, collecting_kit.add_member("alice")
    await alice.slash(kit.channel, "dataset new", name="my dog")
    await alice.slash(kit.channel, "dataset new", name="my cat")
    cat, dog = await kit.store.datasets.list_for(alice.id)
    message = await post(kit, alice, 1, 2)

    form = await alice.context_menu(kit.channel, wording.dataset.MENU_ADD, message)
    filled = {"dataset": [str(dog.id)], "consent": ["yes"]}
    answer = await alice.submit_modal(form, filled)
    again = await alice.context_menu(kit.channel, wording.dataset.MENU_ADD, message)

    assert kit.text(answer) == "### 2 new photos. My dog has 2."
    assert await kit.store.photos.list_for(cat.id, alice.id) == []
    assert await kit.store.consents.has(alice.id, Terms(wording.CONSENT))
    assert "consent" not in str(again.modal)
    assert [job.kind for job in await kit.store.jobs.list_for(alice.id)] == [Kind.CAPTION]


async def test_menu_refuses(collecting_kit):
    """Another member's message, one without files, and a member without datasets are refused."""
    kit, alice, bob = (
        collecting_kit,
        collecting_kit.add_member("alice"),
        collecting_kit.add_member("bob"),
    )
    bobs, empty = await post(kit, bob, 1), await alice.send(kit.channel, "no photo here")

    answers = [
        await who.context_menu(kit.channel, wording.dataset.MENU_ADD, message)
        for who, message in ((alice, bobs), (alice, empty), (bob, bobs))
    ]

    for answer, code in zip(
        answers, ("photos_foreign", "photos_missing", "datasets_none"), strict=True
    ):
        assert kit.says(answer, ERRORS[code])


async def test_menu_off(kit):
    """If collecting is off, the menu has no such command."""
    names = [command.name for command in kit.bot.tree.walk_commands()]
    names += [command.name for command in kit.bot.tree.get_commands()]

    assert wording.dataset.MENU_ADD not in names
