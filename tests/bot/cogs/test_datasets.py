"""The dataset commands."""

from __future__ import annotations

import io

import pytest
from PIL import Image

from bot import wording
from bot.cards.dataset import AddForm
from bot.wording.errors import ERRORS
from storage.records import Kind
from storage.requests import CaptionRequest
from storage.tables.consents import Terms


def files(kit, *seeds):
    """Return pictures of some seeds, as a form takes them."""
    return [(f"photo{seed}.png", kit.draw_photo(seed)) for seed in seeds]


async def test_new(kit):
    """A new dataset is answered with its card, which only its owner sees."""
    alice = kit.add_member("alice")

    answer = await alice.slash(kit.channel, "dataset new", name="my dog", kind="look")

    assert answer.response.ephemeral
    assert "my dog" in kit.text(answer)
    assert "mydog" in kit.text(answer)
    assert "Add photos" in kit.labels(answer)
    assert [d.concept for d in await kit.store.datasets.list_for(alice.id)] == ["look"]


@pytest.mark.parametrize(
    "name", ["../../etc/passwd", "a/b", "<@1> @everyone", "x" * 200, "  ", "a\nb"]
)
async def test_bad_name(kit, name):
    """A name that is no valid file name or would mention somebody is refused with a sentence."""
    alice = kit.add_member("alice")

    answer = await alice.slash(kit.channel, "dataset new", name=name)

    assert kit.says(answer, ERRORS["name_bad"])
    assert await kit.store.datasets.list_for(alice.id) == []


async def test_name_taken(kit):
    """A member's second dataset of a name is refused; another member may use it."""
    alice, bob = kit.add_member("alice"), kit.add_member("bob")
    await kit.add_dataset(alice)

    again = await alice.slash(kit.channel, "dataset new", name="My Dog")
    other = await bob.slash(kit.channel, "dataset new", name="my dog")

    assert "already have" in kit.text(again)
    assert "0 photos" in kit.text(other)


async def test_form(kit):
    """The form adds photos, records consent, names refused files, and queues captions."""
    alice = kit.add_member("alice")
    await alice.slash(kit.channel, "dataset new", name="my dog")

    answer = await kit.send_photos(alice, [*files(kit, 1, 2), ("notes.txt", b"not a picture")])

    said = kit.text(answer)
    assert "2 new photos, 1 not added. My dog has 2." in said
    assert "notes.txt" in said
    assert "not a picture I can read" in said
    assert await kit.store.consents.has(alice.id, Terms(wording.CONSENT))
    (job,) = await kit.store.jobs.list_for(alice.id)
    assert (job.kind, CaptionRequest(**job.request).trigger) == (Kind.CAPTION, "mydog")
    assert len(job.request["photos"]) == 2


async def test_attachments(kit):
    """With consent on record, attachments are added at once."""
    alice = kit.add_member("alice")
    await kit.add_dataset(alice)

    answer = await alice.slash(
        kit.channel,
        "dataset add",
        name="my dog",
        photo1=("a.png", kit.draw_photo(1)),
        photo2=("b.jpg", kit.draw_photo(2, form="JPEG")),
        photo5=("c.webp", kit.draw_photo(3, form="WEBP")),
    )

    assert "3 new photos. My dog has 3." in kit.text(answer)


async def test_same_photo_twice(kit):
    """Photos that are there already are counted and not stored again; with enough, train."""
    alice = kit.add_member("alice")
    await kit.add_dataset(alice, photos=1)

    answer = await kit.send_photos(alice, files(kit, 0, 5, 5))
    more = await kit.send_photos(alice, files(kit, 6, 5))

    assert kit.text(answer) == "### 1 new photo, 2 you had already. My dog has 2."
    assert kit.text(more) == "### 1 new photo, 1 you had already. My dog has 3."
    assert wording.dataset.TRAIN not in kit.labels(answer)
    assert wording.dataset.TRAIN in kit.labels(more)


async def test_consent_once(kit):
    """The form asks for consent until it is given; one opened before it was taken back fails."""
    alice = kit.add_member("alice")
    await alice.slash(kit.channel, "dataset new", name="my dog")
    first = await alice.slash(kit.channel, "dataset add", name="my dog")
    await alice.submit_modal(first, {"photos": files(kit, 1), "consent": ["yes"]})
    card = await kit.open_dataset(alice)

    second = await alice.click(card, label=wording.dataset.ADD_PHOTOS)
    await kit.store.members.erase(alice.id, keep_styles=False)
    late = await alice.submit_modal(second, {"photos": files(kit, 2)})

    assert [wording.consent.TICK in str(form.modal) for form in (first, second)] == [True, False]
    assert kit.says(late, ERRORS["consent_needed"])


def make_bad_file(kind):
    """Return a file that cannot be added."""
    image, out = Image.new("RGB", (300, 280), "teal"), io.BytesIO()
    match kind:
        case "truncated":
            Image.effect_noise((300, 300), 90).convert("RGB").save(out, "PNG")
            return out.getvalue()[: len(out.getvalue()) // 2]
        case "small":
            Image.new("RGB", (1, 1)).save(out, "PNG")
        case "bomb":
            Image.new("1", (20000, 20000)).save(out, "PNG")
        case "cmyk":
            image.convert("CMYK").save(out, "JPEG")
    return out.getvalue()


async def test_bad_files(kit):
    """Each refused file is named with its reason; the good ones are added."""
    alice = kit.add_member("alice")
    dataset = await kit.add_dataset(alice)
    sent = [
        ("empty.png", b""),
        ("cut.png", make_bad_file("truncated")),
        ("dot.png", make_bad_file("small")),
        ("bomb.png", make_bad_file("bomb")),
        ("page.png", b"<html>"),
        ("A.MASK.PNG", make_bad_file("cmyk")),
        ("print.gif", make_bad_file("cmyk")),  # a good JPEG under a wrong name
    ]

    said = kit.text(await kit.send_photos(alice, sent))

    assert "1 new photo, 6 not added" in said
    lines = {line.split()[1].replace("\\", ""): line for line in said.splitlines()[1:]}
    assert "0 bytes" in lines["empty.png:"]
    assert ERRORS["photo_damaged"] in lines["cut.png:"]
    assert "too small" in lines["dot.png:"]
    assert "400 megapixels" in lines["bomb.png:"]
    assert "not a picture" in lines["page.png:"]
    assert ERRORS["photo_mask"] in lines["A.MASK.PNG:"]
    assert len(await kit.store.photos.list_for(dataset.id, alice.id)) == 1


async def test_show(kit):
    """The card shows nine photos a page, with alt text, captions and warnings."""
    alice = kit.add_member("alice")
    dataset = await kit.add_dataset(alice, photos=10)
    first = (await kit.store.photos.list_for(dataset.id, alice.id))[0]
    await kit.store.photos.set_caption(first.id, alice.id, "a dog on grass")

    card = await kit.open_dataset(alice)
    (gallery,) = [part for part in kit.components(card) if part["type"] == 12]
    await alice.click(card, label=wording.dataset.LATER)
    second = kit.text(card)

    assert len(gallery["items"]) == 9
    assert gallery["items"][0]["description"] == "Photo 1 of my dog: mydog, a dog on grass"
    assert "**10** · no caption yet" in second
    assert "Page 2 of 2" in second


async def test_warnings(kit):
    """Tiny, blurred, animated and near-duplicate photos are added with a warning."""
    alice = kit.add_member("alice")
    await kit.add_dataset(alice)
    frames, flat = (
        [Image.new("RGB", (100, 100), colour) for colour in ("teal", "red")],
        io.BytesIO(),
    )
    frames[0].save(flat, "PNG", save_all=True, append_images=frames[1:])

    said = kit.text(await kit.send_photos(alice, [("flat.png", flat.getvalue())]))

    assert "1 new photo. My dog has 1." in said
    assert "small" in said
    assert "only its first frame" in said
    assert "small" in kit.text(await kit.open_dataset(alice))


async def test_caption(kit):
    """A caption edited in the form is not overwritten by later captioning."""
    alice = kit.add_member("alice")
    dataset = await kit.add_dataset(alice, photos=1)
    (photo,) = await kit.store.photos.list_for(dataset.id, alice.id)
    card = await kit.open_dataset(alice)

    await alice.select(card, [str(photo.id)])
    form = await alice.click(card, label="Edit caption")
    await alice.submit_modal(form, {"caption": "Rex, asleep"})
    await kit.store.photos.set_generated_caption(photo.id, "a cat")

    assert "Rex, asleep" in kit.text(card)
    assert (await kit.store.photos.get(photo.id, alice.id)).caption == "Rex, asleep"


async def test_remove(kit):
    """Remove deletes one photo with its file, and returns to the page."""
    alice = kit.add_member("alice")
    dataset = await kit.add_dataset(alice, photos=2)
    photo, other = await kit.store.photos.list_for(dataset.id, alice.id)
    card = await kit.open_dataset(alice)

    await alice.select(card, [str(photo.id)])
    await alice.click(card, label="Remove")

    assert "1 photo" in kit.text(card)
    assert await kit.store.photos.list_for(dataset.id, alice.id) == [other]
    assert not kit.store.home.photo_file(photo.digest).exists()


async def test_removed_meanwhile(kit):
    """Pressing on a photo that is gone is answered with a sentence."""
    alice = kit.add_member("alice")
    dataset = await kit.add_dataset(alice, photos=1)
    (photo,) = await kit.store.photos.list_for(dataset.id, alice.id)
    card = await kit.open_dataset(alice)
    await kit.store.photos.remove(photo.id, alice.id)

    answer = await alice.select(card, [str(photo.id)])

    assert "no longer in the dataset" in kit.text(answer)


async def test_caption_again(kit):
    """Caption again queues every photo once; the button is disabled while that runs."""
    alice = kit.add_member("alice")
    await kit.add_dataset(alice, photos=2)
    card = await kit.open_dataset(alice)

    await alice.click(card, label="Caption again")

    (job,) = await kit.store.jobs.list_for(alice.id)
    (button,) = [part for part in kit.components(card) if part.get("label") == "Caption again"]
    assert len(job.request["photos"]) == 2
    assert button["disabled"]
    assert wording.dataset.CAPTIONS_PENDING in kit.text(card)


async def test_delete(kit):
    """Delete asks first, then removes the dataset, its photos and their files."""
    alice = kit.add_member("alice")
    dataset = await kit.add_dataset(alice, photos=1)
    (photo,) = await kit.store.photos.list_for(dataset.id, alice.id)

    asked = await alice.slash(kit.channel, "dataset delete", name="my dog")
    kept = await kit.store.datasets.list_for(alice.id)
    await alice.click(asked.response, label="Delete for good")

    assert [one.id for one in kept] == [dataset.id]
    assert kit.says(asked.response, wording.dataset.DELETED, name="my dog", photos="1 photo")
    assert await kit.store.datasets.list_for(alice.id) == []
    assert not kit.store.home.photo_file(photo.digest).exists()


async def test_delete_not(kit):
    """Without confirmation everything is kept."""
    alice = kit.add_member("alice")
    await kit.add_dataset(alice)

    asked = await alice.slash(kit.channel, "dataset delete", name="my dog")
    await alice.click(asked.response, label=wording.dataset.KEEP)

    assert wording.dataset.UNCHANGED in kit.text(asked.response)
    assert len(await kit.store.datasets.list_for(alice.id)) == 1


async def test_unknown(kit):
    """Every command answers an unknown dataset with a sentence."""
    alice = kit.add_member("alice")

    for command in ("add", "show", "delete"):
        answer = await alice.slash(kit.channel, f"dataset {command}", name="nothing")
        assert kit.says(answer, ERRORS["datasets_none"])


async def test_autocomplete(kit):
    """Typing suggests the member's own names, newest first, 25 at most."""
    alice, bob = kit.add_member("alice"), kit.add_member("bob")
    await kit.add_dataset(bob, "bobs cat")
    for number in range(30):
        await kit.add_dataset(alice, f"dog {number}")

    every = await alice.autocomplete(kit.channel, "dataset show", "name", "")
    some = await alice.autocomplete(kit.channel, "dataset show", "name", "DOG 2")

    assert len(every) == 25
    assert every[0]["name"] == "dog 29"
    assert [choice["value"] for choice in some][-1] == "dog 2"


async def test_second_while_first_runs(kit):
    """The same command twice at once runs once; the second gets a sentence."""
    alice = kit.add_member("alice")
    dataset = await kit.add_dataset(alice)
    kit.bot.running_commands.add((alice.id, "dataset add", "my dog"))

    photo = ("a.png", kit.draw_photo(1))
    second = await alice.slash(kit.channel, "dataset add", name="my dog", photo1=photo)
    kit.bot.running_commands.clear()
    third = await alice.slash(kit.channel, "dataset add", name="my dog", photo1=photo)

    assert "still working" in kit.text(second)
    assert "1 new photo" in kit.text(third)
    assert kit.bot.running_commands == set()
    assert len(await kit.store.photos.list_for(dataset.id, alice.id)) == 1


async def test_disk_low(kit):
    """With too little disk space photos are refused with the reason."""
    alice = kit.add_member("alice")
    dataset = await kit.add_dataset(alice)
    await kit.restart(min_free_mib=1 << 40)

    answer = await kit.send_photos(alice, files(kit, 1))

    assert "disk is nearly full" in kit.text(answer)
    assert await kit.store.photos.list_for(dataset.id, alice.id) == []


async def test_restart(kit):
    """Every control on a card from before a restart still works."""
    alice = kit.add_member("alice")
    dataset = await kit.add_dataset(alice, photos=10)
    photos = await kit.store.photos.list_for(dataset.id, alice.id)
    card = await kit.open_dataset(alice)

    await kit.restart()
    await alice.click(card, label=wording.dataset.LATER)
    await kit.restart()
    await alice.select(card, [str(photos[9].id)])
    await kit.restart()
    await alice.click(card, label="Remove")

    assert "9 photos" in kit.text(card)


async def test_form_over_restart(kit):
    """A form that was open during a restart is answered with a sentence."""
    alice = kit.add_member("alice")
    await kit.add_dataset(alice)
    form = await alice.slash(kit.channel, "dataset add", name="my dog")

    await kit.restart()
    late = await alice.submit_modal(form, {"photos": files(kit, 1)})

    assert "older version" in kit.text(late)


async def test_ten_at_once(kit):
    """Ten photos in one form are all added, in the order they were picked."""
    alice = kit.add_member("alice")
    dataset = await kit.add_dataset(alice)

    said = kit.text(await kit.send_photos(alice, files(kit, *range(10))))
    photos = await kit.store.photos.list_for(dataset.id, alice.id)
    digests = [(await kit.bot.darkroom.check(kit.draw_photo(seed))).digest for seed in range(10)]

    assert "10 new photos. My dog has 10." in said
    assert [photo.digest for photo in photos] == digests


@pytest.mark.parametrize(("limit", "said"), [(10, "10 MB"), (500, "25 MB")])
async def test_form_limit(kit, limit, said):
    """The form names the smaller of Discord's limit and ours."""
    dataset = await kit.add_dataset(kit.add_member("alice"))

    form = AddForm(dataset, limit << 20)

    assert kit.says(form.children[0].description, wording.dataset.ADD_HINT, limit=said)
