"""The upload page's requests: who may send them, and what they do."""

from __future__ import annotations

import asyncio
import io
import time
import zipfile
from functools import partial

import pytest

from bot import wording
from bot.web import UPLOAD_SECONDS
from storage.errors import UserError
from storage.records import Kind
from tests.bot.upload.conftest import digest_of


async def until(look, enough):
    """Look again and again, until it is enough."""
    async with asyncio.timeout(10):
        while not enough(found := await look()):
            await asyncio.sleep(0.02)
        return found


async def read_zip_lines(visit):
    """Return what is said of the one zip that was sent."""
    (lines,) = (await visit.ask("GET", "photos"))[1]["zips"].values()
    return lines


async def test_a_photo_is_added_once(site):
    """The same file twice, also as another file of the same pixels, is one photo."""
    alice = site.add_member("alice")
    visit = await site.visit(await site.add_dataset(alice))
    file, other = site.draw_photo(1), site.draw_photo(1, form="WEBP")
    same = site.draw_photo(1) + b"\0"

    first, again, twin = [await visit.put(each) for each in (file, file, same)]
    _, known = await visit.ask("POST", "known", {"digests": [digest_of(file), digest_of(other)]})

    assert [status for status, _ in (first, again, twin)] == [200] * 3
    assert [body["new"] for _, body in (first, again, twin)] == [True, False, False]
    assert known == {digest_of(file): first[1]["id"]}
    assert [photo["id"] for photo in await visit.photos()] == [first[1]["id"]]


async def test_two_pages_at_once(site):
    """Two pages that send the same files at the same time add each once."""
    alice = site.add_member("alice")
    dataset = await site.add_dataset(alice)
    files = [site.draw_photo(seed) for seed in range(4)]
    one, other = await site.visit(dataset), await site.visit(dataset)

    answers = await asyncio.gather(*(visit.put(each) for each in files for visit in (one, other)))

    assert {status for status, _ in answers} == {200}
    assert sum(body["new"] for _, body in answers) == len(files)
    assert len(await one.photos()) == len(files)


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


async def test_masks(site):
    """A mask, by its name, is no photo."""
    dataset = await site.add_dataset(site.add_member("alice"))
    visit = await site.visit(dataset)
    visit.headers["X-Name"] = "A.MASK.PNG"

    refused = await visit.put(site.draw_photo(1))

    assert (refused[0], refused[1]["code"]) == (422, "photo_mask")
    assert await visit.photos() == []


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


async def test_refusals(site):
    """What is no picture, too large, or not what its digest says is refused with its sentence."""
    visit = await site.visit(await site.add_dataset(site.add_member("alice")))
    digest = digest_of(b"x")

    wrong = await visit.put(b"not a picture")
    torn = await visit.ask("PUT", f"photos/{digest}", data=site.draw_photo(1))
    heavy = await visit.ask("PUT", f"photos/{digest}", data=io.BytesIO(bytes(26 << 20)))

    codes = [(status, body["code"]) for status, body in (wrong, torn, heavy)]
    assert codes == [(422, "photo_unknown"), (409, "upload_torn"), (422, "photo_heavy")]
    assert await visit.photos() == []


async def test_limits(site, monkeypatch):
    """Too many requests of one member are put off; a full dataset takes no more."""
    dataset = await site.add_dataset(site.add_member("alice"))
    visit = await site.visit(dataset)
    monkeypatch.setattr("bot.upload.intake.MAX_REQUESTS", 3)
    monkeypatch.setattr("storage.tables.photos.MAX_PHOTOS", 0)

    full = await visit.put(site.draw_photo(1))
    busy = [await visit.ask("GET", "photos") for _ in range(3)][-1]

    assert (full[0], full[1]["code"]) == (422, "photos_full")
    assert (busy[0], busy[1]["code"]) == (429, "upload_busy")


async def test_a_stalled_file(site, monkeypatch):
    """A file of which nothing comes any more is given up, and another takes its place."""
    visit = await site.visit(await site.add_dataset(site.add_member("alice")))
    monkeypatch.setattr("bot.upload.intake.STALL_SECONDS", 0.05)
    monkeypatch.setattr("bot.upload.intake.MAX_MEMBER_BODIES", 1)
    photo = site.draw_photo(1)

    async def send_half():
        yield photo[:1000]
        await asyncio.sleep(0.5)

    address = f"{visit.page}/photos/{digest_of(photo)}"
    async with visit.session.put(address, data=send_half(), headers=visit.headers) as answer:
        assert answer.status == 503

    assert (await visit.put(photo))[0] == 200


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


NO_OBJECTS = (b"", b"{", b"[]", b"[" * 100_000, b"\xff\xfe")


async def test_bodies(site):
    """A body that is no JSON object, or has something else in it, is refused."""
    visit = await site.visit(await site.add_dataset(site.add_member("alice"), photos=1))
    (photo,) = await visit.photos()
    many, statuses = b'{"digests": [%s 1]}' % (b"1," * 2000), []
    for method, path, wrong in (
        ("POST", "known", (b'{"digests": 7}', many)),
        ("PATCH", f"photos/{photo['id']}", (b'{"caption": 7}', b'{"crop": [NaN, 0]}')),
    ):
        for body in (*NO_OBJECTS, *wrong):
            address = f"{visit.page}/{path}"
            sending = visit.session.request(method, address, data=body, headers=visit.headers)
            async with sending as answer:
                statuses.append(answer.status)

    assert {*statuses} == {400}
    assert await visit.photos() == [photo]


async def test_edits(site):
    """A caption is changed and a photo is removed; what the captioner wrote is told apart."""
    alice = site.add_member("alice")
    dataset = await site.add_dataset(alice, photos=2)
    visit = await site.visit(dataset)
    first, second = await visit.photos()
    await site.store.photos.set_generated_caption(second["id"], "a dog")

    _, changed = await visit.ask("PATCH", f"photos/{first['id']}", {"caption": "on a sofa"})
    _, same = await visit.ask("PATCH", f"photos/{second['id']}", {"caption": "mydog, a dog"})
    long = await visit.ask("PATCH", f"photos/{first['id']}", {"caption": "x" * 900})
    await visit.ask("DELETE", f"photos/{first['id']}")

    assert (changed["caption"], changed["by"]) == ("mydog, on a sofa", wording.upload.BY_OWNER)
    assert same["by"] == wording.upload.BY_CAPTIONER
    assert (long[0], long[1]["code"]) == (422, "caption_long")
    assert [photo["id"] for photo in await visit.photos()] == [second["id"]]


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


async def test_a_crop_is_in_the_photo(site):
    """A place that is none in the photo is refused, and nothing changed."""
    alice = site.add_member("alice")
    dataset = await site.add_dataset(alice, photos=1)
    visit = await site.visit(dataset)
    (before,) = await site.store.photos.list_for(dataset.id, alice.id)

    address, refused = f"{visit.page}/photos/{before.id}", []
    for place in ([2, 0], ["a", 0], [0.5], "all", 7, {}, [None, None]):
        body = {"crop": place}
        async with visit.session.patch(address, json=body, headers=visit.headers) as answer:
            refused.append(answer.status)

    assert set(refused) == {400}
    assert await site.store.photos.list_for(dataset.id, alice.id) == [before]


@pytest.mark.usefixtures("scheduler")
async def test_what_is_said(site):
    """Each photo has its verdict, which a press accepts, and what the base ignores of it."""
    alice = site.add_member("alice")
    dataset = await site.add_dataset(alice)
    for size in ((60, 90), (61, 90), (600, 400)):
        await site.store.photos.add(
            dataset, await site.bot.darkroom.check(site.draw_photo(sum(size), size))
        )
    visit = await site.visit(dataset)
    first, *_, last = await visit.photos()
    await visit.ask("PATCH", f"photos/{last['id']}", {"caption": "very " * 90 + "late"})

    _, accepted = await visit.ask("PATCH", f"photos/{first['id']}", {"accept": True})
    _, state = await visit.ask("GET", "photos")

    assert (first["advised"], accepted["advised"]) == (True, False)
    assert [photo["number"] for photo in state["photos"]] == [1, 2, 3]
    assert "late" in state["photos"][2]["by"]
    assert state["grid"].count("\n") == 3
    assert "**" not in state["status"]


async def test_a_preview(site):
    """A photo's preview is shown to whoever has the link, and kept by no cache."""
    alice = site.add_member("alice")
    dataset = await site.add_dataset(alice, photos=1)
    visit = await site.visit(dataset)
    (photo,) = await visit.photos()

    address = f"{visit.page}/previews/{photo['id']}"
    async with visit.session.get(address, headers=visit.headers) as answer:
        preview = await answer.read()

    (stored,) = await site.store.photos.list_for(dataset.id, alice.id)
    assert preview == site.store.home.preview_file(stored.digest).read_bytes()
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.content_type == "image/webp"

    site.store.home.preview_file(stored.digest).unlink()
    assert (await visit.ask("GET", f"previews/{photo['id']}"))[0] == 404


@pytest.mark.usefixtures("scheduler")
async def test_a_zip(site):
    """A zip's photos are added with their captions, and what was not used is said once."""
    visit = await site.visit(await site.add_dataset(site.add_member("alice")))
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("a.png", site.draw_photo(1))
        archive.writestr("a.txt", "a dog on grass")
        archive.writestr("b.png", b"nothing")
    sent, again = await visit.put(out.getvalue(), "zips"), await visit.put(out.getvalue(), "zips")
    lines = await until(partial(read_zip_lines, visit), bool)

    assert (sent[0], again[0]) == (202, 202)
    assert [photo["caption"] for photo in await visit.photos()] == ["mydog, a dog on grass"]
    assert "1 new photo, 1 not added" in lines[0]
    assert any("b.png" in line for line in lines)
    assert not [*site.store.home.exports.iterdir()]


async def test_a_broken_zip(site):
    """A zip that can't be read says so, and leaves no file."""
    visit = await site.visit(await site.add_dataset(site.add_member("alice")))
    await visit.put(b"PK\x03\x04 and no more", "zips")
    lines = await until(partial(read_zip_lines, visit), bool)

    assert len(lines) == 1
    assert not [*site.store.home.exports.iterdir()]


@pytest.mark.usefixtures("scheduler")
async def test_captions(site, monkeypatch):
    """Photos are captioned some at a time, and the rest after a pause, in one job each."""
    alice = site.add_member("alice")
    visit = await site.visit(await site.add_dataset(alice))
    monkeypatch.setattr("bot.upload.captions.PAUSE_SECONDS", 0.2)
    monkeypatch.setattr("bot.upload.captions.BATCH", 2)
    for seed in range(3):
        assert (await visit.put(site.draw_photo(seed, (160, 160))))[0] == 200
    before = (await visit.ask("GET", "photos"))[1]["busy"]

    async def list_asked():
        jobs = await site.store.jobs.list_for(alice.id)
        return [len(job.request["photos"]) for job in jobs if job.kind is Kind.CAPTION]

    asked = await until(list_asked, lambda asked: sum(asked) == 3)
    assert asked == [1, 2]
    assert before == wording.upload.CAPTIONING


async def test_the_page(site):
    """The page has no script or style in it, names no member, and lets nothing else be loaded."""
    visit = await site.visit(await site.add_dataset(site.add_member("alice")))
    async with visit.session.get(visit.page) as answer:
        page, policy = await answer.text(), answer.headers["Content-Security-Policy"]
    async with visit.session.get(f"{visit.page}/page.js") as answer:
        script = await answer.text()

    assert "unsafe" not in policy
    assert policy.startswith("default-src 'none'; script-src 'self'; style-src 'self'")
    assert page.count("<script") == page.count("<script src=") == 1
    assert "<style" not in page
    assert " style=" not in page
    assert "my dog" not in page
    assert "innerHTML" not in script
    assert '="/' not in page  # a proxy may serve it below a path
    assert "`/" not in script
    assert len(script.encode()) <= 12 * 1024


async def test_the_link(site):
    """`/dataset upload` and the card's button answer the member alone with a link that ends."""
    alice = site.add_member("alice")
    await site.add_dataset(alice)

    typed = await alice.slash(site.channel, "dataset upload", name="my dog")
    pressed = await alice.click(await site.open_dataset(alice), label=wording.upload.LABEL)

    for answer in (typed, pressed):
        (button,) = [part for part in site.components(answer) if part.get("url")]
        assert button["url"].startswith(f"{site.bot.web.public}/upload#upload.1.{alice.id}.")
        assert typed.response.ephemeral
    assert UPLOAD_SECONDS <= 24 * 3600


async def test_without_an_address(kit):
    """Where no public address is set, the command says so, and the card has no button."""
    alice = kit.add_member("alice")
    await kit.add_dataset(alice)

    answer = await alice.slash(kit.channel, "dataset upload", name="my dog")

    assert kit.text(answer) == wording.errors.ERRORS["upload_unset"]
    assert wording.upload.LABEL not in kit.labels(await kit.open_dataset(alice))
