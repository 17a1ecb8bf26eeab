"""Who may use a link to the upload page: its member, for its dataset, until it ends."""

from __future__ import annotations

import time

import pytest

from bot import wording
from bot.web import UPLOAD_SECONDS
from storage.errors import UserError
from tests.fakes.discord import last_message


async def test_consent(site):
    """Nothing is taken before the consent; when it is taken back, the link has ended."""
    alice = site.add_member("alice")
    await alice.slash(site.channel, "dataset new", name="my dog")
    dataset = await site.store.datasets.get_by_name(alice.id, "my dog")
    visit = await site.visit(dataset)

    before = await visit.put(site.draw_photo(1))
    _, shown = await visit.ask("GET", "photos")
    asked, terms = shown["agreed"], shown["terms"]
    await visit.ask("POST", "consent", {})
    after = await visit.put(site.draw_photo(1))

    assert (before[0], before[1]["code"], asked) == (403, "consent_needed", False)
    assert after[0] == 200
    (receipt,) = await site.store.consents.list_for(alice.id)
    assert receipt.via == "page"
    assert wording.to_plain(receipt.terms).replace("- ", "• ") == terms

    await site.store.withdrawals.withdraw(alice.id, delete_styles=False)
    later = "UPDATE consents SET withdrawn = withdrawn + 1"  # links count whole seconds
    await site.store._database.execute(later)
    ended = await visit.ask("GET", "photos")
    await site.store._database.execute("UPDATE consents SET withdrawn = withdrawn - 1")
    anew = await site.visit(dataset)

    assert (ended[0], ended[1]["code"]) == (401, "upload_revoked")
    assert (await anew.put(site.draw_photo(1)))[1]["code"] == "consent_needed"


async def test_a_link_ends(site):
    """A link that has expired, was forged, or whose dataset is gone, gets a sentence."""
    alice = site.add_member("alice")
    dataset = await site.add_dataset(alice)
    late, forged, gone = [await site.visit(dataset) for _ in range(3)]
    said = f"upload.{dataset.id}.{alice.id}.{int(time.time()) - 1}"
    late.headers["Authorization"] = f"Bearer {said}.{site.bot.web._sign(said)}"
    forged.headers["Authorization"] = forged.headers["Authorization"][:-3] + "AAA"
    wrong = [await visit.ask("GET", "photos") for visit in (late, forged)]
    await site.store.datasets.delete(dataset.id, alice.id)
    wrong.append(await gone.ask("GET", "photos"))

    assert [status for status, _ in wrong] == [401] * 3
    codes = ["upload_expired", "upload_forged", "dataset_unknown"]
    assert [body["code"] for _, body in wrong] == codes
    assert all(wording.errors.ERRORS[body["code"]] == body["said"] for _, body in wrong)


async def test_anothers_dataset(site):
    """A link is for one dataset of one member: neither another's nor one's own other one."""
    alice, bob = site.add_member("alice"), site.add_member("bob")
    hers = await site.add_dataset(alice, photos=1)
    his, cats = await site.add_dataset(bob), await site.add_dataset(alice, "cats")
    (photo,) = await site.store.photos.list_for(hers.id, alice.id)
    token = site.bot.web.upload_link(hers, alice.id).url.partition("#upload.")[2]
    _, *rest = token.split(".")
    for name in (f"{his.id}.{rest[0]}", f"{his.id}.{bob.id}", f"{hers.id}.{bob.id}"):
        visit = await site.visit(hers)
        visit.headers["Authorization"] = f"Bearer upload.{name}.{'.'.join(rest[1:])}"
        assert (await visit.put(site.draw_photo(5)))[0] == 401
    for visit in (await site.visit(his), await site.visit(cats)):
        for method, path in (
            ("PATCH", f"photos/{photo.id}"),
            ("DELETE", f"photos/{photo.id}"),
            ("GET", f"previews/{photo.id}"),
        ):
            body = {"caption": "mine"} if method == "PATCH" else None
            status, answer = await visit.ask(method, path, body)
            assert (status, answer["code"]) == (404, "photo_gone")

    assert await site.store.photos.list_for(hers.id, alice.id) == [photo]
    assert await site.store.photos.list_for(his.id, bob.id) == []


async def test_a_changed_token(site):
    """A token of which anything was changed opens nothing, and no error tells why."""
    visit = await site.visit(await site.add_dataset(site.add_member("alice")))
    parts = visit.headers["Authorization"].removeprefix("Bearer ").split(".")
    said = []
    for place, part in enumerate(parts):
        for wrong in ("9" * len(part), "", "-1", "é", "0x1", part + "\u0661"):
            changed = ".".join([*parts[:place], wrong, *parts[place + 1 :]])
            visit.headers["Authorization"] = f"Bearer {changed}"
            said.append((await visit.ask("GET", "photos"))[1]["code"])

    assert set(said) == {"upload_forged"}


async def test_anothers_invitation(site):
    """An invited member agrees to the terms for that dataset, and sees and changes their own."""
    alice, bob = site.add_member("alice"), site.add_member("bob")
    dataset = await site.add_dataset(alice, photos=1)
    with pytest.raises(UserError, match="dataset_unknown"):
        await site.store.contributors.get_open(dataset.id, bob.id)
    early = await (await site.visit(dataset, bob.id)).ask("GET", "photos")
    await site.store.contributors.invite(dataset.id, alice.id, bob.id)
    his, hers = await site.visit(dataset, bob.id), await site.visit(dataset)

    _, asked = await his.ask("GET", "photos")
    await his.ask("POST", "consent", {"originals": True})
    _, added = await his.put(site.draw_photo(5))
    same = await his.put(site.draw_photo(0))
    (known,) = [photo["id"] for photo in await hers.photos() if photo["id"] != added["id"]]
    foreign = [
        await his.ask("PATCH", f"photos/{added['id']}", {"caption": "mine"}),
        await his.ask("DELETE", f"photos/{known}"),
    ]

    assert early[1]["code"] == "dataset_unknown"
    assert not asked["own"]
    assert wording.upload.OWNER in asked["terms"]
    assert f". {wording.upload.OWNER}" not in asked["terms"]  # a sentence begins in upper case
    assert str(alice.id) not in asked["terms"]
    assert [photo["id"] for photo in await his.photos()] == [added["id"]]
    assert same == (200, {"new": False})
    assert [body["code"] for _, body in foreign] == ["photo_gone", "photo_gone"]
    assert await site.store.contributors.list_releasing(dataset.id) == {bob.id}
    (photo,) = [p for p in await site.store.photos.list_for(dataset.id, alice.id) if p.id != known]
    assert photo.contributor == bob.id

    await site.store.withdrawals.withdraw(bob.id, dataset.id, delete_styles=False)
    assert (await his.ask("GET", "photos"))[1]["code"] == "upload_revoked"
    assert len(await hers.photos()) == 1


async def test_the_link(site):
    """`/dataset upload` and the card's button answer the member alone with a link that ends."""
    alice = site.add_member("alice")
    await site.add_dataset(alice)

    typed = await alice.slash(site.channel, "dataset upload", name="my dog")
    pressed = await alice.click(await site.open_dataset(alice), label=wording.upload.LABEL)

    for answer in (typed, pressed):
        (button,) = [part for part in site.components(answer) if part.get("url")]
        assert button["url"].startswith(f"{site.bot.web.public}/upload#upload.1.{alice.id}.")
        assert last_message(answer).ephemeral
    assert UPLOAD_SECONDS <= 24 * 3600


async def test_without_an_address(kit):
    """Where no public address is set, the command says so, and the card has no button."""
    alice = kit.add_member("alice")
    await kit.add_dataset(alice)

    answer = await alice.slash(kit.channel, "dataset upload", name="my dog")

    assert kit.text(answer) == wording.errors.ERRORS["upload_unset"]
    assert wording.upload.LABEL not in kit.labels(await kit.open_dataset(alice))
