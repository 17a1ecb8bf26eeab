"""The chapter of the journey in which a friend votes blind on the style against its base."""

from __future__ import annotations

import io

import discord
from PIL import Image

from bot import wording
from bot.demo.journey import Journey
from bot.demo.messages import message_text
from bot.demo.player import JOB_SECONDS
from bot.demo.world import FRIEND, OWNER

SUM_UP = "Result:"  #: in the title of a study's result


async def ask_friend(journey: Journey) -> None:
    """Set up a study, vote in it as the friend, close it, and read its result."""
    transcript, said = journey.transcript, wording.study
    transcript.begin_chapter("Ask Robin blind")
    known = journey.message_ids()
    answer = await journey.press(OWNER, await journey.find_chapters(), wording.demo.ASK_BLIND)
    card = transcript.check_message(answer.message, "What it can show", "Prompts")
    answer = await journey.press(OWNER, card, said.START)
    transcript.check_message(answer.message, "Drawing 4 pictures")
    post = await journey.wait_for_label(known, said.VOTE)
    await vote(journey, post)
    answer = await journey.slash(OWNER, "study list")
    listed = transcript.check_message(answer.message, "voting is open")
    transcript.add_action(OWNER, "picks the study")
    picked = journey.note_ack(await journey.world.select(OWNER, listed, "1"))
    card = transcript.check_message(picked.message, "So far 1 person voted")
    answer = await journey.press(OWNER, card, said.CLOSE)
    answer = await journey.press(OWNER, transcript.check_message(answer.message), said.CLOSE_GO)
    result = await journey.wait_for_message(
        known, lambda m: SUM_UP in message_text(m), JOB_SECONDS
    )
    transcript.check_message(result, "1 voter", "Votes on pairs")


async def vote(journey: Journey, post: discord.Message) -> None:
    """Vote as the friend on every pair, for the picture with less detail: noise has most."""
    answer = await journey.press(FRIEND, post, wording.study.VOTE)
    ballot = journey.transcript.check_message(answer.message, "Pair 1 of 3")
    while ballot.attachments:
        (file,) = ballot.attachments
        label = wording.study.SIDES[find_plainer(await file.read())]
        answer = await journey.press(FRIEND, ballot, label)
        ballot = journey.transcript.check_message(answer.message)
    journey.transcript.check("Thank you" in message_text(ballot), "the vote is complete")


def find_plainer(pair: bytes) -> int:
    """Return which half of a picture takes fewer bytes as PNG: 0 is the left one."""
    with Image.open(io.BytesIO(pair)) as opened:
        middle, width, height = opened.width // 2, opened.width, opened.height
        halves = [opened.crop(box) for box in ((0, 0, middle, height), (middle, 0, width, height))]
    sizes = []
    for half in halves:
        file = io.BytesIO()
        half.save(file, "PNG")
        sizes.append(file.tell())
    return sizes.index(min(sizes))
