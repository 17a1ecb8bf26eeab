"""`/study`: ten simulated voters, what they are shown, and what keeps the result honest."""

from __future__ import annotations

import csv
import io
import json
import time

import pytest
from PIL import Image

from bot.card import Card
from bot.cards.ballot import Choose
from bot.cards.components import row
from bot.cards.studies import CloseForGood
from bot.cards.studypicture import GAP, HEADER, SIDE
from bot.wording import study as said
from bot.wording.errors import ERRORS
from storage.events import Done
from storage.records import Kind, Status

RED, BLUE = (250, 20, 20), (20, 20, 250)  #: what each side draws its upper half in
PROMPT = "mydog on the moon"
BASE = "Safelight emoji without a style"


async def start_study(kit, who, style, **options):
    """Order a study and start it; return the card that was pressed."""
    given = {"style": str(style.id), "prompts": PROMPT} | options
    card = await who.slash(kit.channel, "study new", **given)
    await who.click(card.response, label=said.START)
    return card


async def draw_all(kit, scheduler):
    """Draw what waits: a style in red and white, the base in blue and white."""
    while job := await kit.store.jobs.claim("worker", [Kind.SAMPLE]):
        folder = kit.store.home.job_folder(job.folder).result
        folder.mkdir(parents=True)
        for at in range(job.request["count"]):
            picture = Image.new("RGB", (64, 64), "white")
            picture.paste(RED if job.style else BLUE, (0, 0, 64, 32))
            picture.save(folder / f"{at}.png")
        await scheduler.add_event(job, Done(job.request["count"]))
        await kit.store.jobs.end_run(job.id, job.fence, Status.DONE)
    await scheduler.let_bot_poll(6)
    await scheduler.let_bot_poll(1)


@pytest.fixture
async def opened(kit, scheduler):
    """Return alice, her style, and the post of her study of it against its base."""
    alice = kit.add_member("alice")
    style = await scheduler.add_style(alice)
    await start_study(kit, alice, style)
    await draw_all(kit, scheduler)
    return alice, style, kit.channel.last_message


async def look(answer):
    """Return what a voter sees left and right: "red", "blue" or "noise"."""
    message = answer.followups[-1] if answer.followups else answer.response
    (file,) = message.attachments
    picture = Image.open(io.BytesIO(await file.read()))
    seen = []
    for left in (GAP, 2 * GAP + SIDE):
        row = {picture.getpixel((x, HEADER + 8)) for x in range(left, left + SIDE, 8)}
        seen.append({RED: "red", BLUE: "blue"}[row.pop()] if len(row) == 1 else "noise")
    return seen


async def vote(voter, answer, like, most=9):
    """Vote on pairs by what is seen: `like` returns what is better, or None; return all seen."""
    shown = []
    for _ in range(most):
        if not answer.response.attachments:
            break
        seen = await look(answer)
        better = like(seen)
        label = said.TIE if better is None else said.SIDES[seen.index(better)]
        shown.append(seen)
        answer = await voter.click(answer.response, label=label)
    return answer, shown


def prefer(colour):
    """Prefer a colour, and anything to noise."""
    return lambda seen: colour if colour in seen else next(s for s in seen if s != "noise")


def no_difference(seen):
    """See no difference, but that noise is worse."""
    return next(s for s in seen if s != "noise") if "noise" in seen else None


def careless(seen):
    """Prefer noise."""
    return "noise" if "noise" in seen else "red"


async def test_ten_voters(kit, scheduler, opened):
    """The result of ten voters is the one that is worked out by hand.

    Six prefer red (the style) in both pairs, one blue, one neither; one takes noise for the
    better picture, and one leaves before the attention pair. So 8 voters count, and of the 7 with
    a preference 6 are for red: 6 / 7 = 86 %. Wilson's bounds are those
    of s = 5.5 / 7 below and 6.5 / 7 above: (s + z²/14 ∓ z sqrt(s (1 - s) / 7 + z²/196)) / (1 +
    z²/7) is 0.420 and 0.992, so 42-99 %, which may be chance.
    Each pair has 6, 1 and 1 votes: of 8 x 7 ordered pairs of voters 6 x 5 agree, 30 / 56 = 54 %.
    """
    alice, style, post = opened
    voters = [kit.add_member(f"voter{number}") for number in range(10)]
    likes = [*[prefer("red")] * 6, prefer("blue"), no_difference, careless]
    lefts = set()
    for voter, like in zip(voters, likes, strict=False):
        answer, shown = await vote(voter, await voter.click(post, label=said.VOTE), like)
        assert kit.says(answer, said.VOTED, pairs="3 pairs")
        assert ["noise" in seen for seen in shown] == [False, True, False]
        lefts.add(tuple(left for left, _ in shown))
    assert len(lefts) > 1  # each voter sees another order
    await vote(voters[9], await voters[9].click(post, label=said.VOTE), prefer("red"), most=1)

    await kit.restart()
    thanks = await voters[0].click(post, label=said.VOTE)
    changed = await voters[0].click(thanks.response, label=said.CHANGE)
    await voters[0].click(changed.response, label=said.TIE)
    thanks = await voters[0].click(post, label=said.VOTE)
    changed = await voters[0].click(thanks.response, label=said.CHANGE)
    await vote(voters[0], changed, prefer("red"))
    kit.guild.remove_member(voters[1])  # who has voted and leaves has voted
    result = await close(kit, scheduler, alice, "10 people")

    assert kit.says(
        result, said.RESULT, voters="8 voters", leaders=6, leader=style.name, others=1,
        other=BASE, neither=1, share=86, low=42, high=99, verdict=said.VERDICTS[False],
    )  # fmt: skip
    assert "any two of them said the same of a pair 54 % of the time" in kit.text(result)
    assert kit.says(result, said.VOTES, first=12, second=2, neither=2)
    assert "1 voter who missed the attention pair and 1 voter who stopped early" in kit.text(
        result
    )
    assert [file.filename for file in result.attachments] == ["result.png"]
    assert result.mentions == []
    await check_export(kit, alice, [voter.id for voter in voters])


async def close(kit, scheduler, who, voters):
    """Close the study, which tells how many voted and not how; return the result's message."""
    listed = await who.slash(kit.channel, "study list")
    mine = await who.select(listed.response, ["1"])
    assert kit.says(mine.response, said.OPEN_FACTS, voters=voters)
    asked = await who.click(mine.response, label=said.CLOSE)
    await who.click(asked.response, label=said.CLOSE_GO)
    await scheduler.let_bot_poll(6)
    return kit.channel.last_message


async def check_export(kit, who, voters):
    """The export has every vote of the ten, and nobody's id."""
    listed = await who.slash(kit.channel, "study list")
    mine = await who.select(listed.response, ["1"])
    answer = await who.click(mine.response, label=said.EXPORT)
    files = {file.filename: (await file.read()).decode() for file in answer.response.attachments}
    whole, rows = (
        json.loads(files["study-1.json"]),
        list(csv.DictReader(io.StringIO(files["study-1.csv"]))),
    )
    assert len(rows) == 9 * 3 + 1
    assert len(whole["ballots"]) == 10
    assert whole["summary"]["alpha"] == pytest.approx(-0.0714, abs=1e-4)
    assert whole["interval"] == pytest.approx([0.420, 0.992], abs=5e-4)
    assert (whole["leader"], whole["shown"]) == ("first", False)
    assert not any(str(voter) in content for voter in voters for content in files.values())
    assert sum(row["choice"] == "first" for row in rows if row["attention"] == "1") == 8


async def test_hostile(kit, scheduler, opened):
    """Owners, bots, the blocked and latecomers cannot vote; a lost post keeps no result back."""
    alice, _, post = opened
    bob, eve = kit.add_member("bob"), kit.add_member("eve")
    robot = kit.guild.add_member(kit.env.create_user("robot", bot=True))
    await kit.store.servers.block(kit.guild.id, eve.id)
    ballot = await bob.click(post, label=said.VOTE)

    assert kit.says(await alice.click(post, label=said.VOTE), ERRORS["study_own"])
    assert kit.says(await eve.click(post, label=said.VOTE), ERRORS["member_blocked"])
    assert kit.says(await robot.click(post, label=said.VOTE), ERRORS["member_only"])
    channel = kit.bot.get_channel(kit.channel.id)
    forged = await channel.send(view=Card(row(Choose(1, 7, label="Forged"))))
    assert kit.says(await bob.click(kit.channel.last_message, label="Forged"), ERRORS["card_old"])
    await forged.delete()
    assert await kit.store.studies.count_voters(1) == 0
    listed = await bob.slash(kit.channel, "study list")
    assert kit.says(listed, said.LIST_NONE)
    mo = kit.add_moderator()
    listed = await mo.slash(kit.channel, "study list")
    theirs = await mo.select(listed.response, ["1"])
    assert said.CLOSE not in kit.labels(theirs.response)  # a moderator can only cancel it
    forged = await channel.send(view=Card(row(CloseForGood(1))))
    refused = await mo.click(kit.channel.last_message, label=said.CLOSE_GO)
    assert kit.says(refused, ERRORS["study_not_own"])
    await forged.delete()

    await vote(bob, ballot, prefer("red"), most=1)
    await channel.get_partial_message(post.id).delete()
    await kit.store.studies.advance(time.time() + 24 * 3600 + 10)
    await scheduler.let_bot_poll(6)

    assert kit.says(kit.channel.last_message, said.RESULT_TITLE)
    assert kit.says(kit.channel.last_message, said.NOBODY)  # bob stopped before the attention pair
    late = await bob.click(ballot.response, label=said.TIE)
    assert kit.says(late, ERRORS["study_closed"])


async def test_taken_back(kit, scheduler, opened):
    """When its style is deleted, a study ends, and its post says so."""
    alice, style, post = opened
    bob = kit.add_member("bob")
    ballot = await bob.click(post, label=said.VOTE)
    await kit.store.styles.delete(style.id, alice.id)

    assert kit.says(await bob.click(ballot.response, label=said.TIE), ERRORS["study_unknown"])
    assert kit.says(await bob.click(post, label=said.VOTE), ERRORS["study_unknown"])
    await scheduler.let_bot_poll(6)
    ended = next(each for each in kit.channel.history() if each.id == post.id)
    assert kit.says(ended, said.POST_ENDED)
    assert kit.labels(ended) == []


async def test_outage(kit, scheduler, opened):
    """A post that cannot be edited for now is edited once Discord answers again."""
    _, _, post = opened
    path = f"/channels/{kit.channel.id}/messages/{post.id}"
    kit.env.inject_error("PATCH", path, status=503)
    await kit.store.studies.close(1)
    await scheduler.let_bot_poll(3)
    await scheduler.let_bot_poll(3)

    (ended,) = (each for each in kit.channel.history() if each.id == post.id)
    assert kit.says(ended, said.POST_CLOSED)
    assert await kit.store.studies.list_unretired() == []


async def test_refused_post(kit, scheduler):
    """Where the channel takes no post, the owner is told, and can post the study elsewhere."""
    alice = kit.add_member("alice")
    style = await scheduler.add_style(alice)
    await start_study(kit, alice, style)
    path = f"/channels/{kit.channel.id}/messages"
    kit.env.inject_error("POST", path, status=403, code=50001, times=None)
    await draw_all(kit, scheduler)
    kit.env.backend.faults.clear()

    told = alice.user.dm_channel.last_message
    assert kit.says(told, said.NOT_POSTED, question=said.QUESTION)
    assert kit.channel.history() == []
    elsewhere = kit.guild.create_text_channel("elsewhere")
    listed = await alice.slash(elsewhere, "study list")
    mine = await alice.select(listed.response, ["1"])
    await alice.click(mine.response, label=said.POST_AGAIN)
    post = elsewhere.last_message
    assert kit.labels(post) == [said.VOTE]

    bob = kit.add_member("bob")
    thanks, _ = await vote(bob, await bob.click(post, label=said.VOTE), prefer("red"))
    await kit.store.studies.close(1)
    await scheduler.let_bot_poll(6)

    assert f"<#{elsewhere.id}>" in kit.text(thanks)
    ended, result = elsewhere.history()
    assert kit.says(ended, said.POST_CLOSED)
    assert kit.says(result, said.RESULT_TITLE)


async def test_failed(kit, scheduler):
    """If a picture is not drawn, the owner is told why, and may set up another study."""
    alice = kit.add_member("alice")
    style = await scheduler.add_style(alice)
    await start_study(kit, alice, style)
    await kit.restart()  # the new process posts no cards of its jobs either
    await scheduler.let_bot_poll(3)
    job = await kit.store.jobs.claim("worker", [Kind.SAMPLE])
    await kit.store.jobs.end_run(job.id, job.fence, Status.FAILED, {"code": "memory_full"})
    await scheduler.let_bot_poll(6)
    await scheduler.let_bot_poll(1)

    told = alice.user.dm_channel.last_message
    assert kit.says(told, said.FAILED, question=said.QUESTION, why=ERRORS["memory_full"])
    assert await kit.store.jobs.list_open() == []
    assert kit.find_messages(PROMPT) == []
    await start_study(kit, alice, style)
    assert len(await kit.store.jobs.list_open()) == 2


async def test_reported_pictures(kit, opened):
    """A pair whose pictures a moderator has deleted leaves the study; the others stay."""
    _, _, post = opened
    bob = kit.add_member("bob")
    pair, *_ = await kit.store.studies.list_pairs(1)
    job = await kit.store.jobs.get(pair.first)
    (kit.store.home.job_folder(job.folder).result / "0.png").unlink()

    answer, shown = await vote(bob, await bob.click(post, label=said.VOTE), prefer("red"))

    assert len(shown) == 2  # one pair and the attention pair, which shows another picture
    assert kit.says(answer, said.VOTED, pairs="2 pairs")


async def test_blind(kit, opened):
    """Nothing on the post or a ballot tells what drew a picture, and no job has a card."""
    alice, style, post = opened
    bob = kit.add_member("bob")
    ballot = await bob.click(post, label=said.VOTE)

    assert ballot.ephemeral
    for shown in (post, ballot.response):
        assert style.name not in kit.text(shown)
        assert BASE not in kit.text(shown)
    assert [file.filename for file in ballot.response.attachments] == ["pair.png"]
    assert kit.labels(ballot)[:3] == [*said.SIDES, said.TIE]
    assert len(kit.channel.history()) == 1
    assert PROMPT not in kit.text(await alice.slash(kit.channel, "jobs"))
