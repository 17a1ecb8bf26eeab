"""On a phone's width nothing of the demo scrolls sideways or is cut off."""

from __future__ import annotations

import pytest

from bot import wording
from bot.card import Card
from bot.cards.components import text
from bot.demo.stage import serve_links
from bot.demo.world import FRIEND, OWNER
from storage.records import Kind
from tests.fakes.page import list_cut_off, make_kit, press, served_page
from tests.fakes.scheduler import FakeScheduler

pytestmark = [pytest.mark.slow(6), pytest.mark.asyncio(loop_scope="module")]

NAME = "The grumpy old dog of our neighbours"  #: as long as a sensible one gets
OPTIONS = {
    "name": NAME, "dataset": NAME, "prompt": "a very long prompt, with " + "pneumono" * 12,
    "style": NAME, "prompts": "a very long prompt; another one",
}  # fmt: skip
LEFT_OUT = {"dataset delete", "dataset new", "style delete", "style unshare", "server unblock"}
FORMS = (
    wording.dataset.ADD_PHOTOS,
    wording.demo.ADD_OWN_PHOTOS,
    wording.sample.VARY,
    wording.style.TRY,
    wording.emoji.ADD,
)
#: Chooses a command by its name, and lists its options.
CHOOSE = """
(name => {
  document.querySelector('.command-context-close')?.click();
  const box = document.querySelector('#channel-composer-input');
  box.value = name;
  box.dispatchEvent(new Event('input'));
  const found = [...document.querySelectorAll('.command-entry')];
  found.find(e => e.querySelector('strong').innerText === name).click();
  [...document.querySelectorAll('.command-ghost')].at(-1)?.click();
})(%r)
"""
CHAT = "document.querySelector('.gallery-image[alt^=\"Two lines of a chat\"]')"
NAMES = "[...document.querySelectorAll('.command-entry strong')].map(e => e.innerText)"


async def show_everything(there):
    """Show all cards there are, as the owner sees them."""
    kit = make_kit(there)
    scheduler, owner = FakeScheduler(kit), there.people[OWNER]
    options = OPTIONS | {"member": there.people[FRIEND]}
    await scheduler.publish_catalog()
    await serve_links(kit.bot)
    await kit.add_dataset(owner, NAME, photos=5)
    for dial in ("quick", "balanced"):
        answer = await there.slash(OWNER, "train lora", dataset=NAME, dial=dial)
        await there.press(OWNER, answer.message, wording.training.START)
        job = await scheduler.claim(Kind.TRAIN)
        await scheduler.report_preview(job, 50)
        await scheduler.report_step(job, 60)
        await scheduler.let_bot_poll()
    await scheduler.report_result(job)
    await scheduler.finish_training(job)
    await scheduler.let_bot_poll()
    await there.slash(OWNER, "sample", prompt=OPTIONS["prompt"], style=NAME, count=3)
    await scheduler.finish_sample(await scheduler.claim(Kind.SAMPLE))
    await there.slash(OWNER, "sample", prompt="a dog")
    await scheduler.fail(await scheduler.claim(Kind.SAMPLE), step=5)
    await scheduler.let_bot_poll()
    for command in kit.bot.tree.walk_commands():
        needed = getattr(command, "parameters", None)
        if needed is None or command.qualified_name in LEFT_OUT:
            continue
        given = {each.name: options[each.name] for each in needed if each.required}
        await there.slash(OWNER, command.qualified_name, **given)
    asked = await there.slash(OWNER, "study new", style=NAME, question=OPTIONS["prompt"], seeds=1)
    await there.press(OWNER, asked.message, wording.study.START)
    while job := await kit.store.jobs.claim("worker", [Kind.SAMPLE]):
        await scheduler.finish_sample(job)
    await scheduler.let_bot_poll(4)
    post = next(m for m in there.messages_for(OWNER)[::-1] if wording.study.VOTE in kit.labels(m))
    await there.press(FRIEND, post, wording.study.VOTE)
    await kit.store.studies.close((await kit.store.studies.list_for(post.guild.id))[0].id)
    await scheduler.let_bot_poll(4)
    shared = await there.slash(OWNER, "style share", style=NAME)
    await there.press(OWNER, shared.message, wording.style.SHOW)
    room = kit.bot.get_partial_messageable(there.channel.id)
    await room.send(view=Card(text(*wording.errors.ERRORS.values())))


async def test_nothing_is_wider_than_a_phone(tmp_path, tab):
    """Every form, command, option and list of names fits 360 pixels; cards any width.

    A picture's emoji in a line of chat is as large as in Discord, 32 pixels.
    """
    async with served_page(tmp_path / "home", act=show_everything) as url, tab(url) as browser:
        for width in (1280, 430, 390, 360):
            await browser.resize(width, 844)
            await browser.wait_for_text(wording.style.SHOWN.rpartition("\n")[2])
            await browser.wait_until(
                f"document.fonts.status === 'loaded' && innerWidth === {width}"
            )
            assert await list_cut_off(browser) == [], width
            if width == 1280:
                await browser.wait_until(f"{CHAT}.naturalWidth === 640 && {CHAT}.width === 320")
        for label in FORMS:
            await press(browser, label)
            await browser.wait_until("document.activeElement.closest('.modal-body') !== null")
            assert await list_cut_off(browser, ".modal-dialog *") == [], label
            await browser.run("document.querySelector('.modal-actions button').click()")
        await browser.run("document.querySelector('#channel-composer-input').focus()")
        await browser.call("Input.insertText", text="/")
        await browser.wait_until(f"{NAMES}.length > 0")
        for name in await browser.run(NAMES):
            await browser.run(CHOOSE % name)
            assert await list_cut_off(browser, ".channel-composer *") == [], name
