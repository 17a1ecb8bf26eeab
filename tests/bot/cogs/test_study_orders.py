"""`/study new`: what is drawn for a study, what it says before it starts, what it refuses."""

from __future__ import annotations

import pytest

from bot.wording import study as said
from bot.wording.errors import ERRORS
from tests.bot.cogs.test_studies import PROMPT, start_study


async def test_triggers(kit, scheduler):
    """Two styles draw by their own trigger words, and voters read neither."""
    alice = kit.add_member("alice")
    first = await scheduler.add_style(alice)
    second = await scheduler.add_style(alice, "my cat", trigger="mycat")
    await start_study(kit, alice, first, against=str(second.id), prompts="a mydog emoji")

    (pair, *_) = await kit.store.studies.list_pairs(1)
    jobs = [await kit.store.jobs.get(number) for number in (pair.first, pair.second)]
    assert [job.request["prompt"] for job in jobs] == ["a mydog emoji", "a mycat emoji"]
    assert [job.style for job in jobs] == [first.id, second.id]
    assert pair.prompt == "a … emoji"


async def test_checkpoints(kit, scheduler):
    """A style's owner compares two of its checkpoints; others may not, nor what is not kept."""
    alice, bob = kit.add_member("alice"), kit.add_member("bob")
    style = await scheduler.add_style(alice)
    folder = kit.store.home.job_folder((await kit.store.jobs.get(style.job)).folder)
    folder.kept.mkdir(parents=True)
    given = {"style": str(style.id), "against": str(style.id), "checkpoint": 50, "prompts": PROMPT}
    none = await alice.slash(kit.channel, "study new", **given)
    for step in (50, 75):
        folder.kept_style(step).write_bytes(b"weights")
    unknown = await alice.slash(kit.channel, "study new", **given | {"checkpoint": 60})
    await kit.store.styles.share(style.id, alice.id, kit.guild.id)
    theirs = await bob.slash(kit.channel, "study new", **given)
    offered = await alice.autocomplete(
        kit.channel, "study new", "checkpoint", "", style=str(style.id)
    )
    more = {"against_checkpoint": 75, "strength": 0.5}
    await start_study(kit, alice, **given | more | {"style": style})

    assert kit.says(none, ERRORS["checkpoints_none"], name=style.name)
    assert kit.says(unknown, ERRORS["checkpoint_unknown"], step=60, choices="50 and 75")
    assert kit.says(theirs, ERRORS["style_not_own"])
    assert [choice["value"] for choice in offered] == [50, 75]
    (pair, *_) = await kit.store.studies.list_pairs(1)
    jobs = [await kit.store.jobs.get(number) for number in (pair.first, pair.second)]
    drawn = [(job.request["checkpoint"], job.request["strength"]) for job in jobs]
    assert drawn == [(50, 0.5), (75, 1.0)]
    study = await kit.store.studies.get(1)
    assert [side.name for side in study.sides] == ["my dog, step 50 at 0.5", "my dog, step 75"]


@pytest.mark.parametrize(
    ("options", "code"),
    [
        ({"against": "1"}, "study_same"),
        ({"prompts": "a;b;c;d;e;f;g"}, "study_prompts"),
        ({"prompts": "a;b;c;d", "seeds": 4}, "study_pairs"),
        ({"seeds": 5}, "out_of_range"),
        ({"hours": 0}, "out_of_range"),
        ({"strength": 3.0}, "out_of_range"),
        ({"prompts": "x" * 2000}, "prompt_long"),
        ({"style": "nothing"}, "style_name_unknown"),
    ],
)
async def test_refused(kit, scheduler, options, code):
    """What cannot be compared is refused before anything is drawn."""
    alice = kit.add_member("alice")
    style = await scheduler.add_style(alice)

    answer = await alice.slash(kit.channel, "study new", **({"style": str(style.id)} | options))

    assert kit.says(answer, ERRORS[code])


async def test_power(kit, scheduler):
    """Before it starts it tells what it can show: with too few voters, nothing."""
    alice = kit.add_member("alice")
    style = await scheduler.add_style(alice)

    usual = await alice.slash(kit.channel, "study new", style=str(style.id))
    few = await alice.slash(kit.channel, "study new", style=str(style.id), voters=5)

    assert kit.says(usual, said.SHOWS, voters=12, needed=10, share=83)
    assert kit.says(usual, said.SHOWS_MORE, voters=24, needed=18, share=75)
    assert kit.says(few, said.SHOWS_NOTHING, voters=5, least=6)
    assert await kit.store.jobs.list_open() == []


async def test_long_prompts(kit, scheduler):
    """Six prompts as long as can be fit on the card, which says all it has to say."""
    alice = kit.add_member("alice")
    style = await scheduler.add_style(alice)
    prompts = ";".join(f"{number}{'_' * 900}" for number in range(6))

    card = await alice.slash(
        kit.channel, "study new", style=str(style.id), prompts=prompts, question="?" * 200
    )

    assert kit.labels(card) == [said.START]
    assert kit.says(card, said.SHOWS, voters=12, needed=10, share=83)
    assert said.RULES in kit.text(card)
    assert all(f"{number}\\_" in kit.text(card) for number in range(6))


async def test_jobs_tell_nothing(kit, scheduler):
    """The numbers on a ballot's buttons do not tell which pictures are of the same side."""
    alice = kit.add_member("alice")
    style = await scheduler.add_style(alice)
    prompts = ";".join("abcdef")
    first = set()
    for _ in range(4):
        await start_study(kit, alice, style, prompts=prompts)
        (study, *_) = await kit.store.studies.list_for(kit.guild.id)
        pairs = await kit.store.studies.list_pairs(study.id)
        first |= {pair.first < pair.second for pair in pairs}
        await kit.store.studies.cancel(study.id)

    assert first == {True, False}
