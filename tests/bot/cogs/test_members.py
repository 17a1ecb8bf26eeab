"""`/me`: a member's data can be seen, exported and deleted."""

from __future__ import annotations

import io
import json
import zipfile
from dataclasses import asdict

import discord
import pytest

from bot import wording
from bot.actions.export import write_zips
from storage.records import Concept, Kind, NewJob
from storage.requests import SampleRequest
from tests.fakes.discord import BUTTON


async def add_style(kit, who, *, shared=True):
    """Add a member's style, shared with the server if wanted."""
    request = asdict(SampleRequest("embedded", "a dog"))
    new = NewJob(
        Kind.TRAIN, who.id, kit.guild.id, kit.channel.id, request | {"name": "my dog"}, "embedded"
    )
    job = await kit.store.jobs.queue(new)
    file = kit.home / "made.safetensors"
    file.write_bytes(b"weights")
    style = await kit.store.styles.add(
        job, file, method="lora", family="sd1", trigger="mydog", concept=Concept.SUBJECT
    )
    if shared:
        await kit.store.styles.share(style.id, who.id, kit.guild.id)
    return style


async def test_me(kit):
    """The card counts what is stored and shows the consent."""
    alice = kit.add_member("alice")
    await kit.add_dataset(alice, photos=2)

    answer = await alice.slash(kit.channel, "me")

    said = kit.text(answer)
    assert answer.response.ephemeral
    assert "1 dataset · 2 photos · 0 styles" in said
    assert kit.says(said, wording.member.CONSENT, version=wording.CONSENT)
    assert "0 of 10" in said


async def test_photos_stay_here(kit):
    """Where another machine has joined, a member decides whether photos may go there."""
    alice = kit.add_member("alice")
    alone = kit.text((await alice.slash(kit.channel, "me")).response)
    await kit.store.nodes.note("lab/cuda0", remote=True, here=True)
    card = (await alice.slash(kit.channel, "me")).response
    before = kit.text(card)

    await alice.click(card, label=wording.member.STAY_LABELS[True])
    stays, said = await kit.store.staying.has(alice.id), kit.text(card)
    await alice.click(card, label=wording.member.STAY_LABELS[False])

    assert wording.member.MAY_LEAVE not in alone
    assert wording.member.MAY_LEAVE in before
    assert stays
    assert wording.member.STAYS in said
    assert not await kit.store.staying.has(alice.id)


async def test_agreed_while_alone(kit):
    """Who agreed before other machines joined keeps their photos here until they agree anew."""
    alice = kit.add_member("alice")
    await kit.add_dataset(alice, photos=2)
    await kit.store.nodes.note("lab/cuda0", remote=True, here=True)
    card = (await alice.slash(kit.channel, "me")).response
    before = kit.text(card)

    await alice.click(card, label=wording.member.STAY_LABELS[False])
    asked, receipts = kit.text(card), await kit.store.consents.list_for(alice.id)
    await alice.click(card, label=wording.consent.AGREE)

    newest = (await kit.store.consents.list_for(alice.id))[-1]
    assert wording.member.STAYS in before
    assert kit.says(asked, wording.consent.TERMS, where=wording.consent.OTHER_MACHINES)
    assert not any(receipt.other_machines for receipt in receipts)
    assert newest.other_machines
    assert newest.terms in asked
    assert wording.member.MAY_LEAVE in kit.text(card)


async def test_not_now(kit):
    """Who does not want other machines says so on the same card."""
    alice = kit.add_member("alice")
    await kit.add_dataset(alice, photos=2)
    await kit.store.nodes.note("lab/cuda0", remote=True, here=True)
    card = (await alice.slash(kit.channel, "me")).response

    await alice.click(card, label=wording.member.STAY_LABELS[False])
    await alice.click(card, label=wording.member.STAY_LABELS[True])

    assert await kit.store.staying.has(alice.id)
    assert wording.member.STAYS in kit.text(card)
    assert len(await kit.store.consents.list_for(alice.id)) == 1


async def test_export(kit):
    """The export has every row and every photo's pixels."""
    alice, bob = kit.add_member("alice"), kit.add_member("bob")
    await kit.add_dataset(alice, photos=2)
    await kit.add_dataset(bob, "bobs cat", photos=1, seed=7)

    card = (await alice.slash(kit.channel, "me")).response
    answer = await alice.click(card, label="Export")

    (attached,) = answer.response.attachments
    packed = zipfile.ZipFile(io.BytesIO(await attached.read()))
    listed = json.loads(packed.read("safelight.json"))
    assert answer.response.ephemeral
    assert sorted(packed.namelist()) == [
        "photos/my dog/1.png",
        "photos/my dog/2.png",
        "safelight.json",
    ]
    assert [dataset["name"] for dataset in listed["datasets"]] == ["my dog"]
    assert str(bob.id) not in packed.read("safelight.json").decode()


def test_pack(tmp_path):
    """An export larger than one upload is split, and every file is in one of the parts."""
    photos = []
    for number in range(5):
        path = tmp_path / f"{number}.png"
        path.write_bytes(bytes(10_000))
        photos.append((f"photos/dog/{number}.png", path, False))

    parts = write_zips({"member": 1}, photos, tmp_path, 25_000)

    names = [name for part in parts for name in zipfile.ZipFile(part).namelist()]
    assert all(part.stat().st_size <= 25_000 for part in parts)
    assert len(parts) == 3
    assert sorted(names) == sorted(["safelight.json", *(name for name, *_ in photos)])


async def test_erase(kit):
    """Delete everything asks first, then removes all data of the member and no other's."""
    alice, bob = kit.add_member("alice"), kit.add_member("bob")
    dataset = await kit.add_dataset(alice, photos=2)
    await kit.add_dataset(bob, photos=1)  # the same picture as alice's first
    shared, own = await kit.store.photos.list_for(dataset.id, alice.id)

    card = (await alice.slash(kit.channel, "me")).response
    await alice.click(card, label="Delete everything")
    asked = kit.text(card)
    await alice.click(card, label="Delete everything")

    rows = await kit.store.members.export(alice.id)
    assert "2 photos" in asked
    assert kit.says(card, wording.member.ERASED, photos="2 photos")
    assert [name for name, found in rows.items() if found and name != "member"] == []
    assert kit.store.home.photo_file(shared.digest).exists()
    assert not kit.store.home.photo_file(own.digest).exists()


async def test_erase_styles(kit):
    """Shared styles are deleted or kept without a name, as the member chooses."""
    alice, bob = kit.add_member("alice"), kit.add_member("bob")
    left, removed = await add_style(kit, alice), await add_style(kit, bob)

    for who, label in ((alice, wording.member.ERASE_LEAVE), (bob, wording.member.ERASE_REMOVE)):
        card = (await who.slash(kit.channel, "me")).response
        await who.click(card, label="Delete everything")
        assert kit.says(card, wording.member.ERASE_SHARED)
        *reds, cancel = [part for part in kit.components(card) if part.get("type") == BUTTON]
        assert {part["style"] for part in reds} == {discord.ButtonStyle.danger.value}
        assert cancel["style"] != discord.ButtonStyle.danger.value
        await who.click(card, label=label)
        kept = label == wording.member.ERASE_LEAVE
        template = wording.member.ERASED_STYLES_LEFT if kept else wording.member.ERASED
        assert kit.says(card, template, photos="0 photos")

    usable = await kit.store.styles.list_usable(1, kit.guild.id)
    assert [(style.id, style.owner) for style in usable] == [(left.id, None)]
    assert not kit.store.styles.file(removed).exists()


async def test_keep(kit):
    """Without confirmation everything is kept."""
    alice = kit.add_member("alice")
    await kit.add_dataset(alice, photos=1)

    card = (await alice.slash(kit.channel, "me")).response
    await alice.click(card, label="Delete everything")
    await alice.click(card, label=wording.dataset.KEEP)

    assert wording.dataset.UNCHANGED in kit.text(card)
    assert len(await kit.store.datasets.list_for(alice.id)) == 1


@pytest.mark.parametrize("label", [wording.consent.KEEP_STYLES, wording.consent.DELETE_STYLES])
async def test_withdraw(kit, scheduler, label):
    """A consent can be taken back: photos go, styles if wished, and the card shows the receipt."""
    alice = kit.add_member("alice")
    dataset = await scheduler.add_dataset(alice, photos=2)
    style = await scheduler.add_style(alice, "other")
    trained = "INSERT INTO style_contributors VALUES (:style, :dataset, :member)"
    facts = {"style": style.id, "dataset": dataset.id, "member": alice.id}
    await kit.store._database.execute(trained, **facts)

    card = (await alice.slash(kit.channel, "me")).response
    await alice.click(card, label=wording.consent.TAKE_BACK)
    asked = kit.text(card)
    await alice.click(card, label=label)
    after = await alice.slash(kit.channel, "me")

    assert kit.says(asked, wording.consent.WITHDRAW_PHOTOS, photos="2 photos")
    assert kit.says(asked, wording.consent.WITHDRAW_STYLES, styles="1 style")
    assert kit.says(card, wording.consent.WITHDRAWN, photos="2 photos")
    deleted = label == wording.consent.DELETE_STYLES
    assert kit.says(card, wording.consent.WITHDRAWN_STYLES) == deleted
    assert (await kit.store.styles.list_for(alice.id) == []) == deleted
    assert "and took it back on" in kit.text(after)
    assert wording.consent.TAKE_BACK not in kit.labels(after)
    assert "0 photos" in kit.text(after)
