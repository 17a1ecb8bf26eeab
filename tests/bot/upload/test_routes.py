"""The upload page's requests, and what they do."""

from __future__ import annotations

import asyncio
import io

import pytest

from bot import wording
from bot.wording import fill
from tests.bot.upload.conftest import digest_of


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


NO_OBJECTS = (b"", b"{", b"[]", b"[" * 100_000, b"\xff\xfe")


async def test_bodies(site):
    """A body that is no JSON object, or has something else in it, is refused."""
    visit = await site.visit(await site.add_dataset(site.add_member("alice"), photos=1))
    (photo,) = await visit.photos()
    many, statuses = b'{"digests": [%s 1]}' % (b"1," * 2000), []
    for method, path, wrong in (
        ("POST", "known", (b'{"digests": 7}', many)),
        ("PATCH", f"photos/{photo['id']}", (b'{"caption": 7}', b'{"crop": [NaN, 0]}')),
        ("PATCH", f"photos/{photo['id']}", (b'{"repeats": 1.5}', b'{"also": true}')),
        (
            "POST",
            "captions",
            (b'{"find": 7}', b'{"undo": "-1"}', b'{"words": "%s"}' % (b"x" * 200)),
        ),
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

    await visit.ask("PATCH", f"photos/{first['id']}", {"caption": "on a sofa"})
    await visit.ask("PATCH", f"photos/{second['id']}", {"caption": "mydog, a dog"})
    changed, same = await visit.photos()
    long = await visit.ask("PATCH", f"photos/{first['id']}", {"caption": "x" * 900})
    await visit.ask("DELETE", f"photos/{first['id']}")

    assert (changed["caption"], changed["by"]) == ("mydog, on a sofa", wording.upload.BY_OWNER)
    assert same["by"] == wording.upload.BY_CAPTIONER
    assert (long[0], long[1]["code"]) == (422, "caption_long")
    assert [photo["id"] for photo in await visit.photos()] == [second["id"]]


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

    await visit.ask("PATCH", f"photos/{first['id']}", {"accept": True})
    _, state = await visit.ask("GET", "photos")

    assert wording.verdicts.ADVICE["tiny"] in first["verdict"]
    assert wording.verdicts.LOOKS["nudity"] in state["details"]
    assert first["acts"]["accept"][1] == {"accept": True}
    why = fill(wording.verdicts.WHY["tiny"], width=60, height=90)
    assert f"⚠️ {why} {wording.verdicts.ADVICE['tiny']}" in first["verdict"]
    assert not last["verdict"].startswith("⚠️")
    assert "accept" not in state["photos"][0]["acts"]
    assert [photo["number"] for photo in state["photos"]] == [1, 2, 3]
    assert "late" in state["photos"][2]["by"]
    assert state["grid"].count("\n") == 3
    assert wording.verdicts.LOOKS["content"] in state["details"]  # not checked
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
