"""Datasets that several members add photos to, each with their own consent."""

from __future__ import annotations

import io
import json
import zipfile

import pytest

from bot import wording
from bot.cards.dataset_text import loss_lines
from bot.wording.errors import ERRORS


@pytest.fixture
async def invited(kit, scheduler):
    """Return alice with a dataset of two photos, bob, and the invitation."""
    alice, bob = kit.add_member("alice"), kit.add_member("bob")
    await scheduler.add_dataset(alice, photos=2)
    await alice.slash(kit.channel, "dataset invite", name="my dog", member=bob)
    return alice, bob, kit.channel.last_message


async def join(kit, bob, invitation, *, originals=False, seeds=(7, 8, 9)):
    """Let bob press Join, agree and add photos."""
    form = await bob.click(invitation, label=wording.contribution.JOIN)
    photos = [(f"{seed}.png", kit.draw_photo(seed)) for seed in seeds]
    ticked = ["yes", *(["originals"] if originals else [])]
    return form, await bob.submit_modal(form, {"photos": photos, "consent": ticked})


async def test_join(kit, invited):
    """An invited member agrees to terms of their own, and their photos are known as theirs.

    The owner's card says whose they are, and what a style would lose without them.
    """
    alice, bob, invitation = invited
    (dataset,) = await kit.store.datasets.list_for(alice.id)
    before = await loss_lines(kit.bot, dataset)

    form, answer = await join(kit, bob, invitation)
    card = await kit.open_dataset(alice)

    facts = {"member": bob.id, "photos": "3 photos", "left": "2 photos"}
    assert before == []
    assert kit.says(card, wording.contribution.LOSS, few=wording.contribution.LOSS_FEW, **facts)
    photos = await kit.store.photos.list_for(dataset.id, alice.id)
    (receipt,) = await kit.store.consents.list_for(bob.id)
    assert str(bob.id) in kit.text(invitation)
    assert f"styles that <@{alice.id}> starts" in json.dumps(form.modal, ensure_ascii=False)
    assert "3 new photos. My dog has 5." in kit.text(answer)
    assert [photo.contributor for photo in photos] == [alice.id] * 2 + [bob.id] * 3
    assert (receipt.dataset, receipt.originals) == (dataset.id, False)


async def test_strangers(kit, invited):
    """An invitation is for the invited member alone, and each is invited once."""
    alice, _, invitation = invited
    carol = kit.add_member("carol")

    pressed = [
        await who.click(invitation, label=label)
        for who in (alice, carol)
        for label in (wording.contribution.JOIN, wording.consent.DECLINE)
    ]
    again = await alice.slash(kit.channel, "dataset invite", name="my dog", member=carol)
    twice = await alice.slash(kit.channel, "dataset invite", name="my dog", member=carol)

    assert all(kit.says(each, ERRORS["invite_unknown"]) for each in pressed)
    assert wording.contribution.JOIN in kit.labels(again)
    assert kit.says(twice, ERRORS["invite_again"])


async def test_decline(kit, invited):
    """Who declines is told alone, no photo of theirs is taken; the owner can uninvite them."""
    alice, bob, invitation = invited

    answer = await bob.click(invitation, label=wording.consent.DECLINE)

    removed = await alice.slash(kit.channel, "dataset uninvite", name="my dog", member=bob)
    late = await bob.click(invitation, label=wording.contribution.JOIN)

    assert kit.says(removed, wording.contribution.REMOVED, name="my dog", photos="0 photos")
    assert kit.says(late, ERRORS["invite_unknown"])
    assert kit.says(answer, wording.contribution.DECLINED)
    assert await kit.store.contributors.list_joined(bob.id) == []


async def test_own_card(kit, invited):
    """A contributor sees only their photos, adds more by command, and removes one."""
    _, bob, invitation = invited
    await join(kit, bob, invitation)
    (choice,) = await bob.autocomplete(kit.channel, "dataset show", "name", "dog")

    more = await bob.slash(
        kit.channel, "dataset add", name="my dog", photo1=("x.png", kit.draw_photo(11))
    )
    card = (await bob.slash(kit.channel, "dataset show", name=choice["value"])).response
    before = kit.text(card)
    mine = [photo.id for photo in await kit.store.photos.list_for(1, (await owner(kit)))][2:]
    await bob.select(card, [str(mine[0])])

    assert "1 new photo. My dog has 6." in kit.text(more)
    assert kit.says(before, wording.contribution.TITLE, name="my dog", photos="4 photos")
    assert kit.says(card, wording.contribution.TITLE, name="my dog", photos="3 photos")


async def owner(kit):
    """Return the owner of the first dataset."""
    rows = await kit.store._database.execute("SELECT owner FROM datasets WHERE id = 1")
    return rows[0]["owner"]


async def test_take_back(kit, invited):
    """A contributor takes their photos back, which leaves the owner's; they may join again."""
    alice, bob, invitation = invited
    await join(kit, bob, invitation)

    card = (await bob.slash(kit.channel, "dataset show", name="my dog")).response
    await bob.click(card, label=wording.consent.TAKE_BACK)
    asked = kit.text(card)
    await bob.click(card, label=wording.consent.TAKE_BACK)
    left = await kit.store.photos.list_for(1, alice.id)
    form, _ = await join(kit, bob, invitation, seeds=(20,))

    assert kit.says(asked, wording.consent.WITHDRAW_LEFT, left="2 photos")
    assert kit.says(card, wording.consent.WITHDRAWN, photos="3 photos")
    assert [photo.contributor for photo in left] == [alice.id] * 2
    assert "consent" in json.dumps(form.modal)
    assert len(await kit.store.photos.list_for(1, alice.id)) == 3


@pytest.mark.parametrize("originals", [True, False])
async def test_export(kit, invited, originals):
    """The owner's export has another's originals only if they agreed; theirs has them always."""
    alice, bob, invitation = invited
    await join(kit, bob, invitation, originals=originals)

    card = (await alice.slash(kit.channel, "dataset export", name="my dog")).response
    answer = await alice.click(card, label=wording.dataset.FORMS["plain"])
    alices = await export_all(kit, alice)
    bobs = await export_all(kit, bob)

    assert len([n for n in await packed(answer) if n.endswith(".png")]) == (5 if originals else 2)
    assert kit.says(answer, wording.contribution.WITHHELD, photos="3 photos") != originals
    assert len([name for name in alices if name.endswith(".png")]) == 2
    assert sorted(bobs) == [
        *(f"photos/my dog (1)/{number}.png" for number in (3, 4, 5)),
        "safelight.json",
    ]


async def packed(answer):
    """Return the names in the zip that was sent."""
    (attached,) = answer.response.attachments
    return zipfile.ZipFile(io.BytesIO(await attached.read())).namelist()


async def export_all(kit, who):
    """Return the names in a member's export."""
    card = (await who.slash(kit.channel, "me")).response
    return await packed(await who.click(card, label="Export"))
