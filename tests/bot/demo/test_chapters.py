"""The chapters after the demo's first: each is two presses, and done by real commands."""

from __future__ import annotations

import pytest

from bot import wording
from bot.demo.chapters import DATASET, Chapters
from bot.wording import demo
from storage.planning.prompts import recommend_prompts
from storage.records import Concept, Kind
from tests.fakes.discord import draw_photo


@pytest.fixture
async def offered(kit, scheduler):
    """Return who has trained a style, the style, and the card that offers the chapters."""
    room = kit.bot.get_partial_messageable(kit.channel.id, guild_id=kit.guild.id)
    chapters = Chapters(kit.bot, room, kit.guild.id)
    await kit.bot.add_cog(chapters)
    alice, job = await scheduler.start_training()
    await chapters.look()
    assert offers(kit) == []
    style = await scheduler.finish_training(job)
    await scheduler.let_bot_poll()
    for _ in range(2):
        await chapters.look()
    (card,) = offers(kit)
    return alice, style, card


def offers(kit):
    """List the messages that offer the chapters."""
    return [message for message in kit.channel.history() if demo.DRAW_PAIR in kit.labels(message)]


async def test_a_pair_is_guessed(kit, scheduler, offered):
    """Two pictures of one prompt and seed are told apart only once one is picked."""
    alice, style, card = offered
    shown = (await alice.click(card, label=demo.DRAW_PAIR)).response
    jobs = [await scheduler.claim(Kind.SAMPLE) for _ in range(2)]
    assert jobs[0].request == jobs[1].request
    assert {job.style for job in jobs} == {style.id, None}
    for job in jobs:
        await scheduler.finish_sample(job)
        await scheduler.let_bot_poll()
        await kit.bot.cogs["Chapters"].look()

    pair = kit.channel.last_message
    assert pair.id == shown.id
    assert kit.labels(pair) == [*demo.PLACES]
    assert style.name not in kit.text(pair)
    trained = [job.style for job in sorted(jobs, key=lambda job: job.id)].index(style.id)
    answer = await alice.click(pair, label=demo.PLACES[trained])
    assert kit.says(answer.response, demo.GUESSED, trained=demo.PLACES[trained])
    assert kit.channel.last_message.id == pair.id


async def test_a_style_is_shared_with_robin(kit, offered):
    """One press shares the style and shows it; with another one, a friend draws."""
    alice, style, card = offered
    robin = kit.add_member("robin")
    await alice.click(card, label=demo.SHARE_WITH_ROBIN)
    prompt = recommend_prompts(style.trigger, Concept.SUBJECT, small=True)[-1]
    await robin.click(kit.channel.last_message, label=prompt)
    (job,) = await kit.store.jobs.list_open()
    assert (job.owner, job.style) == (robin.id, style.id)


async def test_own_photos_are_added_and_advice_given(kit, offered):
    """The first press opens the form of `/dataset add`, the second one ends in advice."""
    alice, _, card = offered
    form = await alice.click(card, label=demo.ADD_OWN_PHOTOS)
    photos = [(f"{at}.png", draw_photo(at)) for at in range(40, 45)]
    answer = await alice.submit_modal(form, {"photos": photos})
    assert kit.says(answer.response, wording.dataset.PHOTOS_ADDED, new="5 new photos")
    assert kit.says(answer.followups[-1], wording.advice.TITLE, name=DATASET)
    assert wording.training.START in kit.labels(answer)


async def test_a_study_is_asked(kit, offered):
    """One press shows what a blind study of the style can show, and another one draws it."""
    alice, style, card = offered
    asked = await alice.click(card, label=demo.ASK_BLIND)
    assert kit.says(asked, wording.study.SHOWS, voters=12, needed=10)
    await alice.click(asked.response, label=wording.study.START)
    drawn = {job.id: job.style for job in await kit.store.jobs.list_open()}
    pairs = await kit.store.studies.list_pairs(1)
    assert {(drawn[pair.first], drawn[pair.second]) for pair in pairs} == {(style.id, None)}
    assert len(drawn) == 4
