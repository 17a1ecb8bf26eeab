"""What a dataset's owner changes on the page, as by the buttons and forms of its cards."""

from __future__ import annotations

import io

from PIL import Image

from bot import wording
from bot.wording import fill
from tests.storage.photos.scenes import draw_scene


async def test_buttons_of_a_photo(site):
    """A photo counts twice, is put into another dataset, too, and loses its bars, as in chat."""
    alice = site.add_member("alice")
    dataset, cats = await site.add_dataset(alice), await site.add_dataset(alice, "cats")
    barred = Image.new("RGB", (600, 700))
    barred.paste(draw_scene(1, (600, 600)), (0, 50))
    barred.save(file := io.BytesIO(), "PNG")
    visit = await site.visit(dataset)
    _, sent = await visit.put(file.getvalue())
    address = f"photos/{sent['id']}"
    (before,) = await visit.photos()

    for change in before["acts"]["repeats"][1], before["acts"]["cut"][1], {"also": str(cats.id)}:
        status, answer = await visit.ask("PATCH", address, change)
        assert status == 200
    twice = await visit.ask("PATCH", address, {"also": cats.id})
    first, cut = await visit.photos()

    assert before["also"]
    assert not first["also"]
    assert "cats" in first["verdict"]
    assert "cats" in answer["said"]
    assert twice[1]["code"] == "photo_twice"
    assert first["badge"] == "1" + fill(wording.dataset.REPEATED, repeats=2)
    assert first["acts"]["repeats"] == [True, {"repeats": 1}]
    assert "cut" not in cut["acts"]
    (copied,) = await site.store.photos.list_for(cats.id, alice.id)
    assert copied.repeats == 2


async def test_the_same_shot(site):
    """Photos of the same shot are told; a press keeps the best of each, or all."""
    alice = site.add_member("alice")
    visit = await site.visit(await site.add_dataset(alice))
    for width in (640, 320):
        draw_scene(1, (640, 600)).resize((width, width)).save(file := io.BytesIO(), "PNG")
        await visit.put(file.getvalue())
    _, before = await visit.ask("GET", "photos")
    wrong = await visit.session.post(
        f"{visit.page}/shots", json={"keep": "none"}, headers=visit.headers
    )

    _, answer = await visit.ask("POST", "shots", {"keep": "best"})
    _, after = await visit.ask("GET", "photos")

    assert wrong.status == 400
    assert before["same"]
    assert answer["said"]
    assert (after["same"], len(after["photos"])) == ("", 1)


async def test_words_of_all_captions(site):
    """Words are replaced, added and removed in all captions, and the newest change is undone."""
    alice, bob = site.add_member("alice"), site.add_member("bob")
    dataset = await site.add_dataset(alice, photos=2)
    for photo in await site.store.photos.list_for(dataset.id, alice.id):
        await site.store.photos.set_caption(photo.id, alice.id, "a dog on grass")
    visit = await site.visit(dataset)

    async def change(**fields):
        status, answer = await visit.ask("POST", "captions", fields)
        assert status == 200
        _, state = await visit.ask("GET", "photos")
        (caption,) = {photo["caption"] for photo in state["photos"]}
        return answer["said"], caption.removeprefix("mydog, "), state["undo"]

    replaced = await change(find="grass", words="sand")
    added = await change(find="", words="at dusk")
    removed = await change(find="on sand", words="")
    undone = await change(undo=str(removed[2]))
    await site.store.contributors.invite(dataset.id, alice.id, bob.id)
    await site.store.contributors.join(dataset.id, bob.id)
    refused = await (await site.visit(dataset, bob.id)).ask("POST", "captions", {"words": "x"})

    said = [each[1] for each in (replaced, added, removed, undone)]
    assert said[:2] == ["a dog on sand", "a dog on sand, at dusk"]
    assert said[2:] == ["a dog, at dusk", "a dog on sand, at dusk"]
    assert "“grass”" in replaced[0]
    assert (await visit.ask("POST", "captions", {"words": " "}))[1]["code"] == (
        "caption_words_missing"
    )
    assert refused[1]["code"] == "photo_gone"
