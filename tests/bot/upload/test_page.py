"""The upload page in a real browser: nothing is lost or doubled, and only its member gets in."""

from __future__ import annotations

import asyncio
import base64
import zipfile

import pytest

from benchmarks.speed.uploads import AGREE, cutting
from bot import wording
from bot.demo.browser import LOADED
from bot.wording import fill
from bot.wording.errors import ERRORS
from storage.crops import FramedBy
from tests.fakes.discord import draw_mask
from tests.fakes.page import list_cut_off, press
from tests.fakes.scheduler import FakeScheduler

ALL_SENT = "files.length && !files.some(isOpen)"
BAR = "document.querySelector('.file progress')"
ALSO = "document.querySelector('.photo select')"
TEXT = "document.querySelector('.photo textarea')"
FIELDS = "document.forms.captions.elements"
WEIGH = "document.querySelector('[name=repeats]')"
WHOLE = "document.querySelector('[name=whole]')"
HOLD = (
    "var held = new DataTransfer(); held.items.add(new File("
    "[Uint8Array.from(atob('{content}'), (sign) => sign.charCodeAt())], 'held.png'));"
)
DROP = "dispatchEvent(new DragEvent('drop', { dataTransfer: held }))"
PASTE = "dispatchEvent(new ClipboardEvent('paste', { clipboardData: held }))"
SHOWN = "[...document.querySelectorAll('.photo')]"


@pytest.fixture
def write_photos(tmp_path, site):
    """Write pictures of some seeds, no two alike."""

    def write(*seeds):
        paths = [tmp_path / f"{seed}.png" for seed in seeds]
        for seed, path in zip(seeds, paths, strict=True):
            path.write_bytes(site.draw_photo(seed, (160, 160)))
        return paths

    return write


async def send(browser, paths):
    """Choose files, and wait until all of them have arrived."""
    await browser.wait_until("document.querySelector('#choose').checkVisibility()")
    await browser.choose_files("#files", paths)
    await browser.wait_until(ALL_SENT)


def link(site, dataset, member=None):
    """Return a new link to the page."""
    return site.bot.web.upload_link(dataset, member or dataset.owner).url


@pytest.mark.slow(4)
async def test_cuts(site, tab, write_photos):
    """With the connection cut at every fifth photo, each arrives, once; so it says.

    What is there is asked about, never sent again.
    """
    alice = site.add_member("alice")
    dataset = await site.add_dataset(alice)
    paths = write_photos(*range(20))

    async with cutting(site.bot, every=5) as proxy, tab(link(site, dataset)) as browser:
        await send(browser, paths)
        await browser.wait_until(f"{SHOWN}.length === 20 && !document.querySelector('.file')")
        said = await browser.run("document.querySelector('#news').textContent")
        boxes = await browser.run("document.querySelectorAll('#photos li').length")
        before = proxy.files
        await send(browser, paths)

    assert proxy.cuts >= 4
    assert proxy.files == before
    assert len(await site.store.photos.list_for(dataset.id, alice.id)) == boxes == 20
    assert said == wording.upload.CAPTIONING or "20 new." in said


async def test_two_pages(site, tab, write_photos):
    """Two pages at once add each photo once; each shows what the other added."""
    alice = site.add_member("alice")
    dataset = await site.add_dataset(alice)
    both, only = write_photos(1, 2, 3), write_photos(4)

    async with tab(link(site, dataset)) as one, tab(link(site, dataset)) as other:
        await asyncio.gather(send(one, [*both, *only]), send(other, both))
        await one.call("Page.bringToFront")
        await one.run("wake()")
        await one.wait_until(f"{SHOWN}.length === 4")
        await other.call("Page.bringToFront")
        await other.wait_until(f"{SHOWN}.length === 4")

    assert len(await site.store.photos.list_for(dataset.id, alice.id)) == 4


async def test_what_a_link_does_not_open(site, tab):
    """An expired link, and one that was changed to another's dataset, show only why."""
    alice, bob = site.add_member("alice"), site.add_member("bob")
    hers = await site.add_dataset(alice, "secret name", photos=1)
    his = await site.add_dataset(bob)
    said = f"upload.{hers.id}.{alice.id}.1"
    expired = f"{site.bot.web.public}/upload#{said}.{site.bot.web._sign(said)}"
    head, _, rest = link(site, his).partition(f"upload.{his.id}.{bob.id}")
    changed = f"{head}upload.{hers.id}.{alice.id}{rest}"

    for url, code in (expired, "upload_expired"), (changed, "upload_forged"):
        async with tab(url) as browser:
            await browser.wait_for_text(ERRORS[code])
            assert not await browser.run("document.querySelector('#choose').checkVisibility()")
            assert not await browser.run("document.body.innerText.includes('secret')")


async def test_consent_first(site, tab, write_photos):
    """Photos that were chosen before the consent wait for it, then each one's bar fills."""
    alice = site.add_member("alice")
    await alice.slash(site.channel, "dataset new", name="my dog")
    dataset = await site.store.datasets.get_by_name(alice.id, "my dog")

    async with tab(link(site, dataset)) as browser:
        await browser.wait_until("document.querySelector('#terms').innerText")
        await browser.choose_files("#files", write_photos(1))
        await browser.wait_for_text(wording.upload.SCRIPT["consent"])
        before = await site.store.photos.list_for(dataset.id, alice.id)
        assert await browser.run(f"{BAR}.checkVisibility() && {BAR}.value") == 0
        await browser.run(AGREE)
        await browser.wait_until(ALL_SENT)
        assert await browser.run("files[0].bar.value") == 1

    assert before == []
    assert len(await site.store.photos.list_for(dataset.id, alice.id)) == 1


async def test_a_crop_is_dragged(site, tab):
    """What is kept of a photo is dragged, never out of it; a press keeps all, or what is found."""
    alice = site.add_member("alice")
    await FakeScheduler(site).publish_catalog()
    dataset = await site.add_dataset(alice)
    wide = await site.bot.darkroom.check(site.draw_photo(1, (900, 300)))
    await site.store.photos.add(dataset, wide)

    async def find_framing():
        (photo,) = await site.store.photos.list_for(dataset.id, alice.id)
        return photo.framing

    async with tab(link(site, dataset)) as browser:
        await browser.wait_until("document.querySelector('.crop')?.checkVisibility()")
        box = "document.querySelector('.crop').getBoundingClientRect()"
        x, y = await browser.run(f"(b => [b.x + b.width / 2, b.y + b.height / 2])({box})")
        mouse = {"y": y, "button": "left", "buttons": 1, "clickCount": 1}
        for kind, far in ("mousePressed", 0), ("mouseMoved", 5), ("mouseMoved", 999):
            await browser.call("Input.dispatchMouseEvent", type=kind, x=x + far, **mouse)
        await browser.call("Input.dispatchMouseEvent", type="mouseReleased", x=x + 999, **mouse)
        await browser.wait_for_text(wording.dataset.FRAMED_BY["member"])
        dragged = await find_framing()
        await press(browser, wording.upload.KEEP_WHOLE)
        await browser.wait_until(f"{WHOLE}.ariaPressed === 'true'")
        whole = await find_framing()
        await press(browser, wording.upload.KEEP_WHOLE)
        await browser.wait_until(f"{WHOLE}.ariaPressed === 'false'")

    assert 0.6 < dragged.x < 0.8  # as far right as what is kept goes
    assert (dragged.y, dragged.by, dragged.whole) == (0.5, FramedBy.MEMBER, False)
    assert whole.whole
    assert (await find_framing()) == wide.framing


async def test_what_cards_do(site, tab):
    """A photo counts twice and is put into another dataset; words change in all captions."""
    alice = site.add_member("alice")
    dataset, cats = await site.add_dataset(alice, photos=1), await site.add_dataset(alice, "cats")
    (photo,) = await site.store.photos.list_for(dataset.id, alice.id)
    await site.store.photos.set_caption(photo.id, alice.id, "on grass")

    async with tab(link(site, dataset)) as browser:
        await press(browser, wording.upload.TWICE)
        await browser.wait_until(f"{WEIGH}.ariaPressed === 'true'")
        await browser.run(f"{ALSO}.value = {cats.id}; {ALSO}.dispatchEvent(new Event('change'))")
        await browser.wait_until(f"!{ALSO}.checkVisibility()")
        await browser.run("document.querySelector('summary').click()")
        await browser.run(f"{FIELDS}.find.value = 'grass'; {FIELDS}.words.value = 'sand'")
        await press(browser, wording.upload.CHANGE)
        await browser.wait_until(f"{TEXT}.value === 'mydog, on sand'")
        for width in (390, 1280):
            await browser.resize(width, 844)
            assert await list_cut_off(browser) == []
        await press(browser, wording.upload.UNDO)
        await browser.wait_until(f"{TEXT}.value === 'mydog, on grass'")
        await browser.wait_until("!document.querySelector('#undo').checkVisibility()")

    (copied,) = await site.store.photos.list_for(cats.id, alice.id)
    assert copied.digest == photo.digest


async def test_what_is_done_there(site, tab, write_photos, tmp_path):
    """What is refused or known is said; masks find photos; captions change, photos go.

    Also masks of the same bytes find theirs. A zip gives its photos, and what it had is said.
    """
    alice = site.add_member("alice")
    dataset = await site.add_dataset(alice, photos=1)
    (tmp_path / "notes.png").write_bytes(b"no picture")
    (tmp_path / "heavy.png").write_bytes(bytes(26 << 20))
    wrong, heavy = tmp_path / "notes.png", tmp_path / "heavy.png"
    masks, (one, other) = [tmp_path / f"{seed}.mask.png" for seed in (7, 8)], write_photos(7, 8)
    for mask in masks:
        mask.write_bytes(draw_mask((160, 160)))
    packed = tmp_path / "b.zip"
    with zipfile.ZipFile(packed, "w") as archive:
        archive.write(other, "8.png")
        archive.writestr("8.txt", "on sand")

    async with tab(link(site, dataset)) as browser:
        await browser.resize(390, 2000)  # photos that are far below load later
        await send(browser, [*masks, one, one, other, wrong, heavy])
        await browser.wait_for_text("Photos with a mask: 2.")
        token = link(site, dataset).partition("#")[2].rpartition(".")[0].rpartition(".")[0]
        assert (await browser.run("document.querySelector('#token').value")).startswith(token)
        await browser.run("document.querySelector('#export summary').click()")
        await browser.wait_for_text(f"notes.png: {ERRORS['photo_unknown']}")
        await browser.wait_for_text(fill(wording.upload.SCRIPT["heavy"], megabytes=26, most=25))
        await browser.wait_until(f"{SHOWN}.length === 3")
        await browser.wait_for_text(wording.verdicts.ADVICE["tiny"])
        await browser.wait_until(
            LOADED.replace(".gallery-image, .component-thumbnail", ".photo img")
        )
        text = f"{SHOWN}[0].querySelector('textarea')"
        await browser.run(f"{text}.value = 'a red hat'; {text}.onchange()")
        await browser.wait_until(f"{text}.value === 'mydog, a red hat'")
        for width in (390, 1280):
            await browser.resize(width, 844)
            assert await list_cut_off(browser) == []
        for left in (2, 1, 0):
            for _ in range(2):
                await browser.run(f"{SHOWN}[0].querySelector('.remove').click()")
            await browser.wait_until(f"{SHOWN}.length === {left}")
        await send(browser, [one])
        await browser.wait_until(f"{SHOWN}.length === 1")
        await send(browser, [packed])
        await browser.wait_for_text(
            fill(wording.dataset.ZIP_READ, name="b.zip", captions=1, photos="1 photo", unused="")
        )
        await browser.wait_until(f"{SHOWN}.length === 2")
        for shown, event in ((3, DROP), (4, PASTE)):
            content = base64.b64encode(site.draw_photo(shown, (160, 160))).decode()
            await browser.run(HOLD.format(content=content) + event)
            await browser.wait_until(f"{SHOWN}.length === {shown}")

    assert len(await site.store.photos.list_for(dataset.id, alice.id)) == 4
