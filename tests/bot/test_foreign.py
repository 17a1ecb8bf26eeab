"""A member's jobs, pictures and styles are out of others' reach, by any command or button."""

from __future__ import annotations

import discord
import pytest

from bot.actions.order import TrainingOrder
from bot.card import Card
from bot.cards import job as jobs
from bot.cards import jobs as listing
from bot.cards import preflight, sample
from bot.cards import style as styles
from bot.cards.components import row
from bot.wording.errors import ERRORS

NOBODY = 999
UNKNOWN = {ERRORS[code] for code in ("job_unknown", "style_unknown", "style_not_own")}
STYLES = ("style share", "style unshare", "style delete", "sample")


@pytest.fixture
async def two_members(kit, scheduler):
    """Return alice with a style, a waiting training and pictures, and bob with nothing."""
    alice, bob = kit.add_member("alice"), kit.add_member("bob")
    style = await scheduler.add_style(alice, "secret")
    await scheduler.add_dataset(alice)
    shown = (await alice.slash(kit.channel, "train lora", dataset="my dog")).response
    await alice.click(shown, label="Start")
    await alice.slash(kit.channel, "sample", prompt="a fox", style=str(style.id))
    drawing = await scheduler.claim()
    await scheduler.finish_sample(drawing)
    await scheduler.let_bot_poll()
    (training,) = await kit.store.jobs.list_open()
    return alice, bob, style, training, await kit.store.jobs.get(drawing.id)


@pytest.mark.parametrize("command", STYLES)
async def test_by_number(kit, two_members, command):
    """Another member's style is answered like an unknown one, by number and by name."""
    _, bob, style, *_ = two_members
    more = {"prompt": "x"} if command == "sample" else {}

    answers = [
        kit.text(await bob.slash(kit.channel, command, style=text, **more))
        for text in (str(NOBODY), str(style.id), "secret")
    ]

    assert len(set(answers)) == 1
    assert kit.says(answers[0], ERRORS["styles_none"])


async def test_autocomplete(kit, two_members):
    """Typing never suggests another member's styles."""
    bob = two_members[1]

    for command in STYLES:
        assert await bob.autocomplete(kit.channel, command, "style", "") == []


async def test_by_press(kit, two_members):
    """Every control answers another member's number like an unknown one."""
    alice, bob, style, training, drawing = two_members
    before = await kit.store.members.export(alice.id)
    controls = [
        *((kind, training.id) for kind in (jobs.Pause, jobs.Resume, jobs.Cancel, jobs.Finish)),
        (jobs.Retry, training.id),
        *((kind, drawing.id) for kind in (sample.Again, sample.Vary, sample.Remove)),
        *((kind, style.id) for kind in (styles.Try, styles.Share, styles.Unshare)),
        *((kind, style.id) for kind in (styles.Fetch, styles.Delete, styles.Erase)),
    ]

    for kind, number in controls:
        said = {kit.text(await press(kit, bob, kind(one))) for one in (number, NOBODY)}
        assert len(said) == 1, kind
        assert said <= UNKNOWN, kind

    assert await kit.store.members.export(alice.id) == before


@pytest.mark.parametrize("which", ["job", "style"])
async def test_by_select(kit, two_members, which):
    """Another member's number in a select is answered like an unknown one."""
    _, bob, style, training, _ = two_members
    pick, owner = (listing.Pick, training) if which == "job" else (styles.Pick, style)
    option = discord.SelectOption
    channel = kit.bot.get_channel(kit.channel.id)
    said = set()
    for number in (owner.id, NOBODY):
        await channel.send(view=Card(row(pick(options=[option(label="x", value=str(number))]))))
        said.add(kit.text(await bob.select(kit.channel.last_message, [str(number)])))

    assert len(said) == 1
    assert said <= UNKNOWN


async def test_start(kit, two_members):
    """Another member's pre-flight card starts nothing, nor does one's own with their dataset."""
    alice, bob, _, training, _ = two_members
    order = TrainingOrder(training.dataset, "lora", "embedded").to_json()

    theirs = await press(kit, bob, preflight.Start(await kit.store.drafts.add(alice.id, order)))
    own = await press(kit, bob, preflight.Start(await kit.store.drafts.add(bob.id, order)))

    assert kit.says(theirs, ERRORS["card_old"])
    assert kit.says(own, ERRORS["dataset_unknown"])


async def press(kit, who, control):
    """Let a member press a control as if it were on a public card."""
    message = await kit.bot.get_channel(kit.channel.id).send(view=Card(row(control)))
    answer = await who.click(kit.channel.last_message, custom_id=control.custom_id)
    await message.delete()
    return answer
