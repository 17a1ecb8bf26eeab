"""A zip of photos is taken wherever photos are, with its captions."""

from __future__ import annotations

import pytest

from benchmarks.hostile.archives import pack
from bot import wording
from bot.actions.photos import cut_caption
from storage.records import Kind
from storage.tables.photos import MAX_CAPTION_CHARS


def make_zip(kit, **files):
    """Return a zip; files of no content are pictures, each another one."""
    return pack(
        {
            name: kit.draw_photo(at) if content is None else content
            for at, (name, content) in enumerate(files.items())
        }
    )


async def test_form(kit):
    """Photos in a zip are added with their captions; the rest is captioned, or said."""
    alice = kit.add_member("alice")
    dataset = await kit.add_dataset(alice)
    files = {"a.png": None, "a.txt": b"a dog on grass", "b.png": None, "b.caption": b"\xe9t\xe9",
             "c.png": None, "d.png": b"", "Thumbs.db": b"x", "more/e.png": None,
             "a.mask.png": kit.draw_photo(0), "z-masklabel.png": kit.draw_photo(0)}  # fmt: skip

    sent = [("photos.zip", make_zip(kit, **files)), ("f.png", kit.draw_photo(9))]
    answer = await kit.send_photos(alice, sent)

    said = kit.text(answer)
    photos = await kit.store.photos.list_for(dataset.id, alice.id)
    assert "4 new photos, 1 not added. My dog has 4." in said
    unused = wording.fill(wording.dataset.ZIP_UNUSED, files="Thumbs.db")
    facts = {"captions": 2, "photos": "4 photos", "unused": unused}
    assert kit.says(said, wording.dataset.ZIP_READ, **facts)
    assert kit.says(said, wording.dataset.ZIP_NOTES["folders_left"], folders="more")
    assert kit.says(said, wording.dataset.ZIP_NOTES["captions_decoded"], count=1)
    assert kit.says(said, wording.dataset.PHOTOS_MASKED, photos="1 photo")
    assert [photo.masked for photo in photos] == [False, True, False, False]
    assert kit.says(said, wording.dataset.ZIP_NOTES["masks_orphaned"], files="z-masklabel.png")
    assert "0 bytes" in said
    assert [photo.caption for photo in photos] == ["", "a dog on grass", "été", ""]
    (job,) = await kit.store.jobs.list_for(alice.id)
    assert (job.kind, job.request["photos"]) == (Kind.CAPTION, [photos[0].id, photos[3].id])
    assert list(kit.store.home.exports.iterdir()) == []


async def test_command(kit):
    """A zip in the command waits for consent as photos do, and its folders are all taken."""
    alice = kit.add_member("alice")
    await alice.slash(kit.channel, "dataset new", name="my dog")
    packed = make_zip(kit, **{"x/a.png": None, "y/b.png": None})

    asked = await alice.slash(kit.channel, "dataset add", name="my dog", photo1=("my.zip", packed))
    answer = await alice.click(asked.response, label=wording.consent.AGREE)

    assert "2 new photos. My dog has 2." in kit.text(answer)


@pytest.mark.parametrize(
    ("files", "code"),
    [({"../a.png": None}, "zip_path"), ({"a.txt": b"x"}, "zip_empty"), ({}, "zip_empty"),
     ({"a.png": None, "b.zip": b"x"}, "zip_nested")],
)  # fmt: skip
async def test_refused(kit, files, code):
    """A zip that is refused is named with the reason, and good photos beside it go in."""
    alice = kit.add_member("alice")
    await kit.add_dataset(alice)

    photo = ("a.png", kit.draw_photo(1))
    answer = await kit.send_photos(alice, [("my.zip", make_zip(kit, **files)), photo])

    assert "1 new photo, 1 not added" in kit.text(answer)
    assert kit.says(answer, wording.ERRORS[code])


async def test_many(kit):
    """What is said of many photos of one zip is said once."""
    alice = kit.add_member("alice")
    await kit.add_dataset(alice)
    files = {f"{number}.jpg": b"no picture" for number in range(15)} | {"a.png": None}

    said = kit.text(await kit.send_photos(alice, [("my.zip", make_zip(kit, **files))]))

    assert "1 new photo, 15 not added" in said
    assert said.count(wording.ERRORS["photo_unknown"]) == 1
    assert "10 more" in said


def test_cut_caption():
    """A caption that is too long ends behind a word, if it has any."""
    assert cut_caption("a dog") == "a dog"
    assert cut_caption("mydog " * 200).endswith(" mydog")
    assert {len(cut_caption(each * 900)) for each in "xé"} == {MAX_CAPTION_CHARS}


async def test_captions_come_back(kit):
    """A zip of photos that are there already brings their edited captions, and Undo undoes it."""
    alice = kit.add_member("alice")
    dataset = await kit.add_dataset(alice, photos=3)
    first, *_ = await kit.store.photos.list_for(dataset.id, alice.id)
    await kit.store.photos.set_caption(first.id, alice.id, "as before")
    seeds = {"a": 0, "b": 2, "c": 1, "d": 9, "e": 9}
    texts = {"a": b"edited", "b": b"new", "e": b"of a copy"}
    files = {f"10_sks dog/{name}.png": kit.draw_photo(seed) for name, seed in seeds.items()}
    files |= {f"10_sks dog/{name}.txt": text for name, text in texts.items()}

    answer = await kit.send_photos(alice, [("my.zip", make_zip(kit, **files))])
    photos = await kit.store.photos.list_for(dataset.id, alice.id)
    edit = await kit.store.captions.find_newest_edit(dataset.id, alice.id)
    await kit.store.captions.undo(dataset.id, alice.id, edit)

    assert "1 new photo, 4 you had already. My dog has 4." in kit.text(answer)
    assert kit.says(answer, wording.captions.RECAPTIONED, photos="2 photos")
    assert [photo.caption for photo in photos] == ["edited", "", "new", "sks dog"]
    undone = await kit.store.photos.list_for(dataset.id, alice.id)
    assert [photo.caption for photo in undone] == ["as before", "", "", "sks dog"]
