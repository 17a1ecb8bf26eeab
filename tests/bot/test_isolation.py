"""A member's datasets cannot be reached by others: by name, number or press."""

from __future__ import annotations

import pytest

from bot.card import Card
from bot.cards import captions
from bot.cards import dataset as cards
from bot.cards.collecting import Done
from bot.cards.components import row
from bot.cards.consent import ADD, COLLECT, Agree
from bot.cards.dataset_deletion import Delete
from bot.cards.export import Export
from bot.cards.upload_link import Upload
from bot.wording.errors import ERRORS

COMMANDS = tuple(
    f"dataset {name}"
    for name in ("show", "add", "upload", "captions", "delete", "collect", "export")
)


@pytest.mark.parametrize("command", COMMANDS)
async def test_by_name(collecting_kit, command):
    """Another member's dataset is answered like an unknown one."""
    kit, alice, bob = (
        collecting_kit,
        collecting_kit.add_member("alice"),
        collecting_kit.add_member("bob"),
    )
    await kit.add_dataset(alice, "alices dog")

    answer = await bob.slash(kit.channel, command, name="alices dog")

    assert kit.says(answer, ERRORS["datasets_none"])


async def test_autocomplete(kit):
    """Typing never suggests another member's names."""
    alice, bob = kit.add_member("alice"), kit.add_member("bob")
    await kit.add_dataset(alice, "alices dog")

    assert await bob.autocomplete(kit.channel, "dataset show", "name", "") == []


async def test_by_press(collecting_kit):
    """No control of alice's data works for bob."""
    kit, alice, bob = (
        collecting_kit,
        collecting_kit.add_member("alice"),
        collecting_kit.add_member("bob"),
    )
    dataset = await kit.add_dataset(alice, photos=1)
    (photo,) = await kit.store.photos.list_for(dataset.id, alice.id)
    before = await kit.store.members.export(alice.id)
    number = dataset.id
    controls = [
        cards.Open(number),
        cards.TurnPage(number, 0, label="Turn"),
        cards.Refresh(number, 0),
        cards.Add(number),
        Upload(number),
        cards.Caption(number),
        Delete(number),
        Export(number, 0),
        captions.OpenCaptions(number),
        captions.Turn(number, 0, label="Turn"),
        captions.EditPage(number, 0),
        captions.Replace(number, 0),
        captions.AddWord(number, 0),
        captions.RemoveWord(number, 0),
        captions.Rename(number, 0),
        captions.Undo(number, 0, 1),
        cards.Edit(photo.id),
        cards.Remove(photo.id, 0),
        Agree(number, ADD),
        Agree(number, COLLECT),
        Done(number),
    ]
    channel = kit.bot.get_channel(kit.channel.id)

    for control in controls:
        message = await channel.send(view=Card(row(control)))  # as if alice's card were public
        answer = await bob.click(kit.channel.last_message, custom_id=control.custom_id)
        assert kit.text(answer) in {ERRORS["dataset_unknown"], ERRORS["photo_gone"]}
        await message.delete()

    assert await kit.store.members.export(alice.id) == before
    assert await kit.store.datasets.get_collecting(bob.id, kit.channel.id) is None


async def test_pick(kit):
    """A select's photo number is checked against the member who picks."""
    alice, bob = kit.add_member("alice"), kit.add_member("bob")
    dataset = await kit.add_dataset(alice, photos=1)
    shown = list(enumerate(await kit.store.photos.list_for(dataset.id, alice.id), 1))
    pick = cards.Pick(dataset.id, options=[cards.photo_option(*one) for one in shown])
    channel = kit.bot.get_channel(kit.channel.id)
    await channel.send(view=Card(row(pick)))

    answer = await bob.select(kit.channel.last_message, [str(shown[0][1].id)])

    assert "no longer in the dataset" in kit.text(answer)


async def test_erase(kit):
    """Erasing one member leaves another's rows unchanged."""
    alice, bob = kit.add_member("alice"), kit.add_member("bob")
    await kit.add_dataset(alice, photos=1)
    await kit.add_dataset(bob, photos=1)
    before = await kit.store.members.export(bob.id)

    card = (await alice.slash(kit.channel, "me")).response
    await alice.click(card, label="Delete everything")
    await alice.click(card, label="Delete everything")

    assert await kit.store.members.export(bob.id) == before
