"""The chapter of the journey in which photos come through the upload page, in a browser."""

from __future__ import annotations

from bot import wording
from bot.demo.browser import Tab, find_chromium, open_browser, open_tab
from bot.demo.chapters import DATASET
from bot.demo.mascot import HELD_OUT, TRAINED, picture_files
from bot.demo.messages import walk_components
from bot.demo.player import Player, save
from bot.demo.world import OWNER
from storage.records import Photo

WIDTHS = {"upload": 1280, "upload-phone": 390}  #: pixels of the screenshots
HEIGHT = 900  #: pixels
ALL_SENT = "files.length > 0 && !files.some(isOpen)"
CAPTIONED = "[...document.querySelectorAll('.photo textarea')].every(each => each.value)"
#: previews are fetched once they come near the window
LOADED = (
    "[...document.querySelectorAll('.photo img')].every("
    "each => each.naturalWidth || each.getBoundingClientRect().top > innerHeight)"
)
TYPE = (
    "(each => {{ each.value = {caption!r}; each.onchange(); }})"
    "([...document.querySelectorAll('.photo textarea')].at(-1))"
)
WRITTEN = (
    "[...document.querySelectorAll('.photo .by')].at(-1).textContent"
    f" === {wording.upload.BY_OWNER!r}"
)
REMOVE = "[...document.querySelectorAll('.photo .remove')].at(-1).click()"
OWN_WORDS = "a lamp that walks home"


async def upload_photos(player: Player) -> None:
    """Send two new pictures and a known one on the page, write a caption, remove both again."""
    transcript = player.transcript
    transcript.begin_chapter("The upload page")
    answer = await player.slash(OWNER, "dataset upload", name=DATASET)
    card = transcript.check_message(answer.message, DATASET)
    urls = [part["url"] for part in walk_components(card) if "url" in part]
    transcript.check(len(urls) == 1, "it has a link")
    program = find_chromium()
    if program is None:
        transcript.add_action(OWNER, "has no browser here")
        return
    async with open_browser(program) as address, open_tab(address, urls[0]) as tab:
        await send_pictures(player, tab)
        for name, width in WIDTHS.items():
            await tab.resize(width, HEIGHT)
            await tab.wait_until(LOADED)
            save(player.out / f"{name}.png", await tab.screenshot())
        await change_pictures(player, tab)


async def send_pictures(player: Player, tab: Tab) -> None:
    """Choose the pictures, and wait until they and their captions are there."""
    transcript, many = player.transcript, len(TRAINED) + len(HELD_OUT)
    await tab.wait_for_text("10 photos")
    transcript.add_action(OWNER, "opens the page and chooses three pictures, one of them known")
    await tab.choose_files("#files", picture_files((*HELD_OUT, TRAINED[0])))
    await tab.wait_until(ALL_SENT)
    await tab.wait_for_text(f"{many} photos")
    transcript.check(len(await list_photos(player)) == many, "two pictures came, and none twice")
    await tab.wait_until(CAPTIONED)
    transcript.check(all(p.caption for p in await list_photos(player)), "both have a caption")


async def change_pictures(player: Player, tab: Tab) -> None:
    """Write a caption, then remove both pictures."""
    transcript = player.transcript
    transcript.add_action(OWNER, f"writes “{OWN_WORDS}” below the last one")
    await tab.run(TYPE.format(caption=OWN_WORDS))
    await tab.wait_until(WRITTEN)
    newest = (await list_photos(player))[-1]
    transcript.check(newest.written and newest.caption == OWN_WORDS, "it is the photo's caption")
    transcript.add_action(OWNER, "removes both again")
    for left in range(len(HELD_OUT) - 1, -1, -1):
        for _ in range(2):  # a press asks first
            await tab.run(REMOVE)
        await tab.wait_for_text(f"{len(TRAINED) + left} photos")
    transcript.check(len(await list_photos(player)) == len(TRAINED), "ten photos are left")


async def list_photos(player: Player) -> list[Photo]:
    """Return the photos of the dataset."""
    member, store = player.world.people[OWNER].id, player.bot.store
    dataset = await store.datasets.get_by_name(member, DATASET)
    return await store.photos.list_for(dataset.id, member)
