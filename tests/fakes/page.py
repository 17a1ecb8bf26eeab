"""The demo's page without a scheduler behind it, and what a person does with it in a browser."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager

from bot import wording
from bot.__main__ import make_bot
from bot.demo import live, page
from bot.demo.stage import open_channel
from bot.demo.world import run_world
from bot.settings import BotSettings
from tests.fakes.discord import BotKit

GREETING = wording.demo.WELCOME.partition("\n")[0].lstrip("# ")


CUT_OFF = """
[...document.querySelectorAll(%r)].filter(e => {
  if (!e.checkVisibility() || e.closest('.visually-hidden, .messages-sidebar, svg')) return false;
  const {left, right, width} = e.getBoundingClientRect(), style = getComputedStyle(e);
  const hides = !e.matches('input, textarea, select, img') && style.overflowX !== 'visible';
  return width && (left < -1 || right > innerWidth + 1)
    || hides && e.scrollWidth > e.clientWidth + 1 && style.display !== 'inline';
}).map(e => `${e.tagName}.${e.className} ${e.innerText}`.slice(0, 80))
"""

#: Presses Enter in the moment in which an option's values are drawn: their look-up isn't over yet.
SEND_DURING_LOOK_UP = """
new MutationObserver((_, watch) => {
  if (!document.body.innerText.includes("No options match")) return;
  const chip = document.querySelector(".command-chip");
  const key = { key: "Enter", bubbles: true, cancelable: true };
  watch.disconnect();
  chip.focus();
  chip.dispatchEvent(new KeyboardEvent("keydown", key));
}).observe(document.body, { childList: true, subtree: true })
"""


async def list_cut_off(browser, places="body, body *"):
    """List what is wider than the window or its frame: everything shown there but typed text."""
    return await browser.run(CUT_OFF % places)


def demo(home):
    """Return the demo's bot."""
    return make_bot(
        BotSettings(
            _env_file=None, home=home, port=0, min_free_mib=0, card_seconds=1, create_threads=False
        )
    )


@asynccontextmanager
async def served_page(home, bot=None, act=None):
    """Show the demo's page, without a scheduler behind it; first, somebody may `act`."""
    bot = bot or demo(home)
    try:
        async with run_world(bot) as there:
            await open_channel(bot, there.channel.id, there.server.id)
            if act:
                await act(there)
            async with there.page() as screen, page.serve(screen, live.make_page_text(), 0) as url:
                going = asyncio.create_task(live.keep_page_current(there, screen))
                try:
                    yield url
                finally:
                    going.cancel()
                    await asyncio.gather(going, return_exceptions=True)
    finally:
        await bot.close_features()


def make_kit(there):
    """Return a kit of the page's world, for a scheduler that reports to its bot."""
    kit = BotKit.__new__(BotKit)
    kit.env, kit.guild, kit.channel = there.env, there.server, there.channel
    return kit


def find_button(label):
    """Return an expression for the button, or the option of a list, with that label."""
    named = f"b => b.innerText.trim() === {label!r}"
    return f"[...document.querySelectorAll('button, .command-suggestion')].find({named})"


async def press(browser, label):
    """Press the button with that label as soon as it is enabled, before it can be drawn anew."""
    enabled = "b && !b.disabled && b.ariaDisabled !== 'true'"
    await browser.wait_until(f"(b => {enabled} && (b.click(), true))({find_button(label)})")


async def press_enter(browser):
    """Press the key where the focus is."""
    key = {"key": "Enter", "code": "Enter", "windowsVirtualKeyCode": 13, "text": "\r"}
    await browser.call("Input.dispatchKeyEvent", type="keyDown", **key)


async def send_during_look_up(browser):
    """Send the command on the page in the moment in which an option's values are drawn."""
    await browser.run(SEND_DURING_LOOK_UP)


async def find_middle(browser, box):
    """Return the middle of a box once it rests: pages move while their pictures arrive."""
    before = None
    while True:
        x, y = await browser.run(f"(b => [b.x + b.width / 2, b.y + b.height / 2])({box})")
        if before == (x, y):
            return {"x": x, "y": y}
        before = x, y
        await asyncio.sleep(0.2)


async def drag(browser, picture, place):
    """Drag a picture to a place with the mouse."""
    spots = []
    await browser.wait_until(f"document.querySelector({picture!r}).naturalWidth > 0")
    for wanted in (picture, place):
        box = f"document.querySelector({wanted!r}).getBoundingClientRect()"
        await browser.wait_until(f"document.fonts.status === 'loaded' && {box}.width > 30")
        spots.append(await find_middle(browser, box))
    await browser.call("Input.setInterceptDrags", enabled=True)
    mouse = {"button": "left", "buttons": 1, "clickCount": 1}
    await browser.call("Input.dispatchMouseEvent", type="mousePressed", **spots[0], **mouse)
    moves = [{"x": spots[0]["x"] + step, "y": spots[0]["y"]} for step in (4, 12)]
    for number, move in enumerate(moves):
        sent = {"type": "mouseMoved", **move, **mouse}
        call = {"id": 10**6 + number, "method": "Input.dispatchMouseEvent", "params": sent}
        await browser.socket.send_json(call)
    while (told := await browser.socket.receive_json(timeout=60)).get(
        "method"
    ) != "Input.dragIntercepted":
        pass
    dragged = told["params"]
    for step in ("dragEnter", "dragOver", "drop"):
        await browser.call("Input.dispatchDragEvent", type=step, **spots[1], data=dragged["data"])
    await browser.call("Input.dispatchMouseEvent", type="mouseReleased", **spots[1], **mouse)
