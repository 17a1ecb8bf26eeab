"""The demo's page around simcord's, in a browser."""

from __future__ import annotations

import time
from dataclasses import replace

import discord
import pytest
from PIL import Image

from bot import wording
from bot.actions.jobstate import JobState
from bot.card import Card
from bot.cards.checkpoints import UseCheckpoint
from bot.cards.components import row, text
from bot.cards.job import JobView, job_card
from bot.cards.style import Draw
from bot.demo.browser import SETTLED
from bot.demo.chapters import chapters_card
from bot.demo.mascot import FOLDER, SHEET
from bot.demo.world import OWNER
from bot.wording.errors import ERRORS
from storage.events import CheckpointSaved, LogEntry, PreviewsDrawn, Progress, Started
from storage.planning.prompts import recommend_prompts
from storage.records import Concept, Kind, NewJob, Status
from tests.fakes.page import (
    GREETING,
    demo,
    drag,
    find_button,
    list_cut_off,
    make_kit,
    press,
    press_enter,
    send_during_look_up,
    served_page,
)
from tests.fakes.scheduler import FakeScheduler

pytestmark = [pytest.mark.slow(2), pytest.mark.asyncio(loop_scope="module")]

#: Counts the frames in which the card has no picture that can be drawn.
WATCH = """
var first, blank = 0;
(function look() {
  const image = document.querySelector('.channel-message .gallery-image');
  if (!image || !image.complete || !image.naturalWidth) blank += 1;
  requestAnimationFrame(look);
})()
"""

TYPED = "document.querySelector('.command-option-input')"


async def test_a_press_in_a_browser_reaches_the_bot(tmp_path, tab):
    """A press works although the page is being redrawn, and the answer is shown."""
    async with served_page(tmp_path / "home") as url, tab(url) as browser:
        await browser.wait_for_text(GREETING)
        await press(browser, wording.demo.TRAIN_MASCOT)
        await browser.wait_for_text(ERRORS["scheduler_away"])


async def test_a_command_can_be_filled_in_from_the_keyboard(tmp_path, tab):
    """A slash lists the commands; options are offered by name, each with its own description.

    What is sent while an option's values are still being looked up is not lost.
    """
    async with served_page(tmp_path / "home") as url, tab(url) as browser:
        await browser.resize(390, 844)
        await browser.wait_for_text(GREETING)
        await browser.run("document.querySelector('#channel-composer-input').focus()")
        await browser.call("Input.insertText", text="/sample")
        await browser.wait_for_text(wording.sample.COMMAND)
        await press_enter(browser)
        await browser.call("Input.insertText", text="mm")
        await browser.wait_until(f"{TYPED}.value === 'mm'")
        assert await browser.run(f"{TYPED}.scrollWidth <= {TYPED}.clientWidth")
        await browser.call("Input.insertText", text=" a glim emoji, on a blue background")
        await press(browser, "+ count")
        await browser.wait_for_text(wording.sample.OPTIONS["count"])
        await browser.call("Input.insertText", text="4")
        assert await list_cut_off(browser) == []
        await press(browser, "all 7 options")
        for name in ("style", "seed", "base"):
            await browser.wait_for_text(wording.sample.OPTIONS[name])
        assert await list_cut_off(browser) == []
        await send_during_look_up(browser)
        await press(browser, f"style\n{wording.sample.OPTIONS['style']}")
        await browser.wait_for_text(ERRORS["scheduler_away"])


async def test_the_mascot_fills_a_form(tmp_path, tab):
    """A form that takes files offers the mascot's pictures, and marks those that are chosen."""

    async def make_dataset(there):
        await there.slash(OWNER, "dataset new", name="Glim", kind="subject")

    count = "document.querySelectorAll('.upload-item').length"
    marked = "document.querySelectorAll('.safelight-shelf .chosen').length"
    async with served_page(tmp_path / "home", act=make_dataset) as url, tab(url) as browser:
        await press(browser, wording.dataset.ADD_PHOTOS)
        await browser.wait_until("document.querySelector('.safelight-shelf') !== null")
        await browser.run("document.querySelector('.safelight-shelf button').click()")
        await browser.wait_until(f"{count} === 1 && {marked} === 1")
        await press(browser, "Add ten")
        await browser.wait_until(f"{count} === 10 && {marked} === 10")
        await browser.run("document.querySelector('.upload-remove').click()")
        await browser.wait_until(f"{count} === 9 && {marked} === 9")
        shelf = "document.querySelector('.safelight-shelf')"
        assert await browser.run(f"{shelf}.dataset.chosen") == "9"
        hint = wording.fill(wording.dataset.ADD_HINT, count=10, limit="10 MB")
        assert await browser.run(f"document.body.innerText.includes({hint!r})")


async def test_a_picture_can_be_dragged(tmp_path, tab):
    """A picture beside the channel is dragged into a form, or else posted as a message."""

    async def make_dataset(there):
        await there.slash(OWNER, "dataset new", name="Glim", kind="subject")

    async with served_page(tmp_path / "home", act=make_dataset) as url, tab(url) as browser:
        await browser.resize(1280, 900)
        await browser.wait_for_text("Glim")
        await drag(browser, "img[alt=hat]", "#channel-composer-input")
        await browser.wait_until(
            "document.querySelector('.attachment-image')?.naturalWidth === 512"
        )
        await press(browser, wording.dataset.ADD_PHOTOS)
        await browser.wait_until("document.querySelector('.safelight-shelf') !== null")
        await drag(browser, "img[alt=waving]", ".upload-dropzone")
        await browser.wait_until("document.querySelectorAll('.upload-item').length === 1")


async def test_an_answer_scrolls_into_view(tmp_path, tab):
    """Who reads further up is shown the answer to what they press and send there."""

    async def make_datasets(there):
        for name in ("Gleam", "Glow", "Glum"):
            await there.slash(OWNER, "dataset new", name=name, kind="subject")

    messages = "[...document.querySelectorAll('.channel-message')]"
    shown = f"{messages}.at(-1).getBoundingClientRect().bottom <= innerHeight"
    async with served_page(tmp_path / "home", act=make_datasets) as url, tab(url) as browser:
        await browser.resize(390, 844)
        await browser.wait_for_text("Glum")
        await browser.wait_until(SETTLED)
        await browser.run(f"{messages}[0].scrollIntoView()")
        await press(browser, wording.demo.TRAIN_MASCOT)
        await browser.wait_for_text(ERRORS["scheduler_away"])
        await browser.wait_until(shown)

        await browser.run(f"{messages}[0].scrollIntoView()")
        await press(browser, wording.dataset.ADD_PHOTOS)
        await browser.wait_until("document.querySelector('.safelight-shelf') !== null")
        await press(browser, "Add ten")
        await browser.wait_until("document.querySelectorAll('.upload-item').length === 10")
        await browser.run("document.querySelector('.modal-dialog input[type=checkbox]').click()")
        submit = "document.querySelector('.modal-actions .button-primary')"
        assert await browser.run(f"{submit}.click(), {submit}.className.includes('pressed')")
        await browser.wait_for_text("10 new photos")
        await browser.wait_until(shown)


async def test_sharing_turns_the_page_to_robin(tmp_path, tab):
    """After sharing with Robin one sees what Robin sees, and the next press is Robin's."""

    async def offer_chapters(there):
        scheduler = FakeScheduler(make_kit(there))
        await scheduler.publish_catalog()
        style = await scheduler.add_style(there.people[OWNER])
        room = there.env.bot.get_partial_messageable(there.channel.id, guild_id=there.server.id)
        await room.send(view=chapters_card(style))

    viewer = "document.querySelector('#viewer-picker').selectedOptions[0].text"
    async with served_page(tmp_path / "home", act=offer_chapters) as url, tab(url) as browser:
        await press(browser, wording.demo.SHARE_WITH_ROBIN)
        await browser.wait_until(f"{viewer} === 'Robin'")
        await press(browser, recommend_prompts("mydog", Concept.SUBJECT, small=True)[0])
        await browser.wait_for_text("for @Robin")


async def test_a_link_leads_to_its_message(tmp_path, tab):
    """A link to a message scrolls there, and does not leave the page."""

    async def post_link(there):
        room = there.env.bot.get_partial_messageable(there.channel.id)
        first = there.messages_for(OWNER)[0]
        lines = ["a line"] * 60
        link = f"https://discord.com/channels/1/2/{first.id}"
        await room.send(view=Card(text(*lines, link)))

    top = "document.querySelector('.channel-message').getBoundingClientRect().top"
    async with served_page(tmp_path / "home", act=post_link) as url, tab(url) as browser:
        await browser.wait_for_text("discord.com/channels")
        await browser.wait_until(f"{top} < 0")
        await browser.run("document.querySelector('a[href*=channels]').click()")
        await browser.wait_until(f"{top} > 0")
        assert await browser.run("location.host") == url.split("/")[2]


async def test_the_banner_can_be_hidden(tmp_path, tab):
    """On a phone the banner takes one line; a press hides it."""
    banner = "document.querySelector('.safelight-banner')"
    async with served_page(tmp_path / "home") as url, tab(url) as browser:
        await browser.resize(390, 844)
        await browser.wait_for_text(GREETING)
        assert await browser.run(f"{banner}.offsetHeight") < 40
        assert await browser.run("document.documentElement.scrollWidth") == 390
        await browser.run(f"{banner}.querySelector('label').click()")
        assert await browser.run(f"{banner}.offsetHeight") == 0


async def test_an_emoji_of_the_server_is_shown(tmp_path, tab):
    """A message shows a custom emoji's picture, as high as its text."""

    async def add_emoji(there):
        guild = there.env.bot.get_guild(there.server.id)
        picture = (FOLDER / "winking.png").read_bytes()
        emoji = await guild.create_custom_emoji(name="glim", image=picture)
        await guild.get_channel(there.channel.id).send(view=Card(text(f"Added {emoji}")))

    image = "document.querySelector('.custom-emoji')"
    async with served_page(tmp_path / "home", act=add_emoji) as url, tab(url) as browser:
        await browser.wait_until(f"{image}?.naturalWidth === 512")
        assert await browser.run(f"{image}.offsetHeight") <= 24


async def test_a_press_during_another_is_not_lost(tmp_path, tab):
    """While an answer is on its way, only its button is grey; another is pressed later."""

    async def make_datasets(there):
        for name in ("Gleam", "Glow"):
            await there.slash(OWNER, "dataset new", name=name, kind="subject")

    async with served_page(tmp_path / "home", act=make_datasets) as url, tab(url) as browser:
        train = find_button(wording.demo.TRAIN_MASCOT)
        add = find_button(wording.dataset.ADD_PHOTOS)
        pressed = "document.querySelector('.safelight-pressed')"
        await browser.wait_until(f"{train}?.ariaDisabled === 'false'")
        assert await browser.run(
            f"{train}.click(), [{add}.ariaDisabled, +getComputedStyle({add}).opacity,"
            f" +getComputedStyle({pressed}).opacity < 1, {add}.click(),"
            f" {add}.classList.contains('safelight-pressed')]"
        ) == ["true", 1, True, None, True]
        await browser.wait_until("document.querySelector('.modal-dialog') !== null")
        await browser.wait_for_text(ERRORS["scheduler_away"])


async def test_a_recommended_prompt_is_a_button(tmp_path, tab):
    """Beside the channel a prompt can be pressed as soon as a card recommends it, on a phone."""
    bot = demo(tmp_path / "home")
    prompt, *_ = recommend_prompts("glim", Concept.SUBJECT, small=True)
    same = f"b => b.innerText === {prompt!r}"
    button = f"[...document.querySelectorAll('.safelight-prompt')].find({same})"
    async with served_page(tmp_path / "home", bot) as url, tab(url) as browser:
        await browser.resize(390, 844)
        await browser.wait_for_text(GREETING)
        await press(browser, "Guide")
        assert await browser.run(f"{button}.disabled")
        (channel,) = [
            one for one in bot.get_all_channels() if isinstance(one, discord.TextChannel)
        ]
        await channel.send(view=Card(row(Draw(1, 0, label=prompt))))
        await browser.wait_until(f"!{button}.disabled")
        pressed = f"{button}.classList.contains('safelight-pressed')"
        await browser.run(
            f"var shown = false; new MutationObserver(() => shown ||= {pressed})"
            ".observe(document.body, {subtree: true, attributeFilter: ['class']})"
        )
        await browser.run(f"{button}.click()")
        await browser.wait_for_text(ERRORS["style_unknown"])
        await browser.wait_until(f"shown && !{pressed}")


async def edit(bot, said, picture):
    """Edit the bot's one message like a job's card, uploading its pictures again."""
    (channel,) = [one for one in bot.get_all_channels() if isinstance(one, discord.TextChannel)]
    (message,) = [one async for one in channel.history()]
    card = Card(text(said)).add_gallery([(picture, "the newest sample")])
    await message.edit(view=card, attachments=card.open_files())


async def test_an_edit_keeps_the_picture(tmp_path, tab):
    """An edited card keeps its picture until the new one has loaded."""
    bot = demo(tmp_path / "home")
    image = "document.querySelector('.channel-message .gallery-image')"
    async with served_page(tmp_path / "home", bot) as url, tab(url) as browser:
        await browser.wait_for_text(GREETING)
        await browser.wait_until(f"{image}?.naturalWidth > 0")
        await browser.run(WATCH)
        first = await browser.run(f"(first = {image}).naturalWidth")

        await edit(bot, "step 1", SHEET)
        await browser.wait_for_text("step 1")
        assert await browser.run(f"{image} === first && first.naturalWidth") == first
        await edit(bot, "step 2", FOLDER / "winking.png")
        await browser.wait_for_text("step 2")
        await browser.wait_until(f"{image} === first && first.naturalWidth === 512")

        assert first != 512
        assert await browser.run("blank") == 0


async def test_an_edit_selects_anew(tmp_path, tab):
    """A select shows what its message's last edit has selected, as Discord does."""
    bot = demo(tmp_path / "home")

    async def post_card(there):
        room = bot.get_partial_messageable(there.channel.id, guild_id=there.server.id)
        sent.append(await room.send(view=select_card(3)))

    sent, shown = [], "document.querySelector('.select-value').innerText"
    async with served_page(tmp_path / "home", bot, post_card) as url, tab(url) as browser:
        await browser.wait_until(f"{shown} === 'Step 3'")
        await sent[0].edit(view=select_card(6))
        await browser.wait_until(f"{shown} === 'Step 6'")


def select_card(step):
    """Return a card with a select of checkpoints, one of which is selected."""
    options = [
        discord.SelectOption(label=f"Step {each}", value=str(each), default=each == step)
        for each in (3, 6)
    ]
    return Card(row(UseCheckpoint(1, options=options)))


def list_progress(bot, job):
    """List a training's card as it is edited: waiting, with steps, with pictures, at the end."""
    samples = bot.store.home.job_folder(job.folder).samples
    samples.mkdir(parents=True)
    Image.new("RGB", (64, 64), "red").save(samples / "red.png")
    Image.new("RGB", (640, 240)).save(samples / "loss.png")
    progress = Progress(9, 480, 0.1, 0.1, 0.1, steps_per_second=3.7, eta_seconds=70)
    events = [
        Started(0, 480, "AMD EPYC, 1 thread"),
        progress,
        PreviewsDrawn(0, ("red.png",), ("a glim emoji",)),
        CheckpointSaved(120, "", "loss.png"),
        replace(progress, step=479, eta_seconds=1),
    ]
    states = [
        JobState.from_events(LogEntry(e, time.time()) for e in events[:n]) for n in (0, 2, 4, 5)
    ]
    for state in states:
        status = Status.RUNNING if state.started else Status.QUEUED
        view = JobView(replace(job, status=status), state, "Safelight emoji", "LoRA")
        yield job_card(bot.store.home, view)


async def test_buttons_stay_under_the_pointer(tmp_path, tab):
    """While a training's card is edited, its buttons stay where they are, on a phone, too."""
    bot, cards, sent = demo(tmp_path / "home"), [], []

    async def post_card(there):
        job = await bot.store.jobs.queue(
            NewJob(Kind.TRAIN, 1, 2, 3, {"name": "Glim", "steps": 480}, "embedded")
        )
        cards.extend(list_progress(bot, job))
        room = bot.get_partial_messageable(there.channel.id, guild_id=there.server.id)
        sent.append(await room.send(view=cards[0], files=cards[0].open_files()))
        for _ in range(3):
            await there.post(OWNER, "and then?\n" * 30)

    cancel = f"b => b.innerText === {wording.job.CANCEL!r}"
    button = f"[...document.querySelectorAll('button')].find({cancel})"
    place = f"(r => [r.left, r.top])({button}.getBoundingClientRect())"
    async with served_page(tmp_path / "home", bot, post_card) as url, tab(url) as browser:
        for width, height in (1280, 900), (390, 844):
            await browser.resize(width, height)
            await browser.wait_until(f"{button} !== undefined")
            places = set()
            for at, card in enumerate(cards):
                mark = f"edit {at} at {width}"
                card.add(text(mark))
                await sent[0].edit(view=card, attachments=card.open_files())
                card.container.remove_item(card.container.children[-1])
                await browser.wait_for_text(mark)
                await browser.wait_until(SETTLED)
                if not at:
                    await browser.run(f"{button}.scrollIntoView({{block: 'end'}})")
                places.add(tuple(await browser.run(place)))
            assert len(places) == 1


@pytest.mark.parametrize("size", [(1280, 900), (390, 844)])
async def test_nothing_is_cut_off(tmp_path, tab, size):
    """On a desktop and on a phone the page fits the window's width."""
    async with served_page(tmp_path / "home") as url, tab(url) as browser:
        await browser.resize(*size)
        await browser.wait_for_text(GREETING)
        await browser.wait_until(
            "document.querySelector('#preview-app').getBoundingClientRect().right"
            " <= window.innerWidth"
        )
        assert await browser.run("document.body.scrollWidth <= window.innerWidth")
