"""`/sample`: refusals, the queue, the gallery, and repeating it."""

from __future__ import annotations

from dataclasses import replace

import discord
import pytest

from bot import wording
from bot.wording.errors import ERRORS
from storage.events import Cancelled
from storage.records import JobCommand, Server, Status


async def sample_pictures(kit, scheduler, **options):
    """Let alice sample; return her, the job and the card."""
    alice = kit.add_member("alice")
    await alice.slash(kit.channel, "sample", **({"prompt": "a red fox"} | options))
    job = await scheduler.claim()
    await scheduler.finish_sample(job)
    await scheduler.let_bot_poll()
    return alice, await kit.store.jobs.get(job.id), kit.channel.last_message


@pytest.mark.usefixtures("scheduler")
async def test_waits(kit):
    """The answer is public, immediate, and shows the place in the queue."""
    alice = kit.add_member("alice")

    first = await alice.slash(kit.channel, "sample", prompt="a red fox")
    second = await alice.slash(kit.channel, "sample", prompt="a blue fox")

    assert not first.ephemeral
    assert "a red fox" in kit.text(first)
    assert "Waiting · next" in kit.text(first)
    assert kit.says(second, wording.job.PLACE, place=2)
    assert "Safelight emoji, no style" in kit.text(first)
    assert len(kit.channel.history()) == 2


async def test_shown(kit, scheduler):
    """The same message becomes the gallery; the seed stands alone on its line."""
    alice, job, card = await sample_pictures(kit, scheduler, seed=7, count=3, negative="rain")

    said = kit.text(card)
    assert card.id == job.message
    assert [a.filename for a in card.attachments] == ["0.png", "1.png", "2.png"]
    assert "\n7" in said
    assert "20 steps" in said
    assert kit.says(said, wording.sample.NEGATIVE, negative="rain")
    assert f"<@{alice.id}>" in said
    assert kit.labels(card) == ["Again", "Vary", "Delete", "Add to server emoji", "Report"]
    assert len(kit.channel.history()) == 1


async def test_real_base(kit, scheduler):
    """Only pictures of a base made for emoji are offered as emoji."""
    _, _, card = await sample_pictures(kit, scheduler, base="sd15")

    assert "Add to server emoji" not in kit.labels(card)


async def test_running(kit, scheduler):
    """While a worker samples, the card says so."""
    alice = kit.add_member("alice")
    await alice.slash(kit.channel, "sample", prompt="a red fox")
    await scheduler.claim()
    await scheduler.let_bot_poll()

    assert "Drawing" in kit.text(kit.channel.last_message)


@pytest.mark.slow(5)
async def test_late(kit, scheduler):
    """Pictures that come after the interaction has expired are still put on the card."""
    alice = kit.add_member("alice")
    await alice.slash(kit.channel, "sample", prompt="a red fox")
    await kit.bot.jobs.close()
    await kit.env.advance_time(16 * 60)
    await kit.restart()
    await scheduler.finish_sample(await scheduler.claim())
    await scheduler.let_bot_poll(2)

    assert kit.channel.last_message.attachments[0].filename == "0.png"
    assert len(kit.channel.history()) == 1


async def test_failed(kit, scheduler):
    """A failure is shown on the card."""
    alice = kit.add_member("alice")
    await alice.slash(kit.channel, "sample", prompt="a red fox")
    await scheduler.fail(await scheduler.claim(), "style_missing")
    await scheduler.let_bot_poll()

    assert kit.says(kit.channel.last_message, ERRORS["style_missing"])


@pytest.mark.parametrize(
    ("options", "code"),
    [
        ({"prompt": "x" * 5000}, "prompt_long"),
        ({"prompt": "   "}, "prompt_empty"),
        ({"negative": "x" * 5000}, "prompt_long"),
        ({"steps": -1}, "out_of_range"),
        ({"steps": 10**9}, "out_of_range"),
        ({"strength": 7.5}, "out_of_range"),
        ({"count": 5}, "out_of_range"),
        ({"size": 100_000}, "out_of_range"),
        ({"seed": -3}, "out_of_range"),
        ({"base": "model.ckpt"}, "base_unknown"),
        ({"base": "away"}, "base_missing"),
        ({"style": "99"}, "styles_none"),
    ],
)
@pytest.mark.usefixtures("scheduler")
async def test_refused(kit, options, code):
    """A request that cannot be sampled is refused with a sentence only its member sees."""
    alice = kit.add_member("alice")

    answer = await alice.slash(kit.channel, "sample", **({"prompt": "a fox"} | options))

    assert kit.says(answer, ERRORS[code])
    assert answer.followups[-1].ephemeral
    assert kit.channel.history() == []
    assert await kit.store.jobs.list_open() == []


@pytest.mark.usefixtures("scheduler")
async def test_many(kit):
    """The number of a member's waiting pictures is limited."""
    alice = kit.add_member("alice")
    for _ in range(5):
        await alice.slash(kit.channel, "sample", prompt="a fox")

    answer = await alice.slash(kit.channel, "sample", prompt="a fox")

    assert kit.says(answer, ERRORS["samples_many"], most=5)


@pytest.mark.usefixtures("scheduler")
async def test_roles(kit):
    """If only some roles may sample, others are told which."""
    artists = kit.guild.create_role("Artists")
    await kit.store.servers.save(Server(kit.guild.id, samplers=(artists.id,)))
    alice, bob = kit.add_member("alice"), kit.add_member("bob", artists)

    refused = await alice.slash(kit.channel, "sample", prompt="a fox")
    taken = await bob.slash(kit.channel, "sample", prompt="a fox")

    assert "Artists" in kit.text(refused)
    assert "Waiting" in kit.text(taken)


async def test_style(kit, scheduler):
    """A style is found by number or name, and used on the base it was trained on."""
    alice = kit.add_member("alice")
    style = await scheduler.add_style(alice)

    offered = await alice.autocomplete(kit.channel, "sample", "style", "dog")
    await alice.slash(kit.channel, "sample", prompt="mydog", style=offered[0]["value"])
    await alice.slash(kit.channel, "sample", prompt="mydog", style="My Dog", strength=0.5)

    jobs = await kit.store.jobs.list_open()
    assert [(job.style, job.base) for job in jobs] == [(style.id, "embedded")] * 2
    assert "my dog, on Safelight emoji" in kit.text(kit.channel.last_message)


@pytest.mark.parametrize(
    ("options", "used"),
    [
        ({"prompt": "a MYDOG, on the moon"}, True),
        ({"prompt": "mydogs on the moon"}, False),
        ({"prompt": "a mydog", "style": "none"}, False),
        ({"prompt": "a mydog", "base": "sd15"}, False),
    ],
)
async def test_trigger(kit, scheduler, options, used):
    """A style whose trigger word stands in the prompt draws, unless it cannot or must not."""
    alice = kit.add_member("alice")
    style = await scheduler.add_style(alice)

    card = await alice.slash(kit.channel, "sample", **options)

    (job,) = await kit.store.jobs.list_open()
    assert job.style == (style.id if used else None)
    assert ("my dog, on" in kit.text(card)) == used


async def test_shared_trigger(kit, scheduler):
    """Shared styles are found by their trigger, too; a member's own one comes first."""
    alice, bob = kit.add_member("alice"), kit.add_member("bob")
    style = await scheduler.add_style(alice)
    await kit.store.styles.share(style.id, alice.id, kit.guild.id)

    await bob.slash(kit.channel, "sample", prompt="a mydog")
    own = await scheduler.add_style(bob)
    await bob.slash(kit.channel, "sample", prompt="a mydog")

    assert [job.style for job in await kit.store.jobs.list_open()] == [style.id, own.id]


async def test_longest_trigger(kit, scheduler):
    """Of two trigger words in a prompt the longer one is meant, even if its style is older."""
    alice = kit.add_member("alice")
    style = await scheduler.add_style(alice, trigger="mydog house")
    await scheduler.add_style(alice, "my cat")

    await alice.slash(kit.channel, "sample", prompt="a mydog house")

    assert [job.style for job in await kit.store.jobs.list_open()] == [style.id]


async def test_offer(kit, scheduler):
    """Who drew without a style is offered their newest one, for the same prompt and seed."""
    alice = kit.add_member("alice")
    await scheduler.add_style(alice, "my cat")
    style = await scheduler.add_style(alice)
    await alice.slash(kit.channel, "sample", prompt="a red fox", seed=7)
    await scheduler.finish_sample(await scheduler.claim())
    await scheduler.let_bot_poll()

    await alice.click(kit.channel.last_message, label="Draw with my dog")

    (job,) = await kit.store.jobs.list_open()
    assert (job.style, job.request["prompt"], job.request["seed"]) == (style.id, "a red fox", 7)


@pytest.mark.parametrize(
    ("options", "used"),
    [({"prompt": "a fox"}, True), ({"prompt": "a mydog", "style": "none"}, False)],
)
async def test_vary_with_a_trigger(kit, scheduler, options, used):
    """A prompt that is varied finds its style as well, unless none was chosen."""
    alice = kit.add_member("alice")
    style = await scheduler.add_style(alice)
    await alice.slash(kit.channel, "sample", **options)
    await scheduler.finish_sample(await scheduler.claim())
    await scheduler.let_bot_poll()

    form = await alice.click(kit.channel.last_message, label="Vary")
    await alice.submit_modal(form, {"prompt": "a mydog, again", "strength": "1", "steps": "20"})

    (job,) = await kit.store.jobs.list_open()
    assert job.style == (style.id if used else None)


async def test_another_base(kit, scheduler):
    """A style works only on bases of its family, and the card names the base."""
    alice = kit.add_member("alice")
    style = await scheduler.add_style(alice)
    own, real, away = (await kit.store.catalog.read()).bases
    kin = replace(own, name="kin", title="Kin")
    strange = replace(kin, name="odd", title="Odd", family="sd9")
    new = replace(kin, name="new", title="New", family="sd9", known=False, present=False)
    await scheduler.publish_catalog(bases=(own, kin, strange, real, away, new))

    offered = await alice.autocomplete(kit.channel, "sample", "base", "", style=str(style.id))
    bare = await alice.autocomplete(kit.channel, "sample", "base", "")
    typed = await alice.autocomplete(kit.channel, "sample", "base", "", style="nothing")
    told = [
        kit.text(await alice.slash(kit.channel, "sample", prompt="x", style="my dog", base=base))
        for base in ("kin", "odd", "sd15", "away", "new")
    ]

    (job,) = await kit.store.jobs.list_open()
    assert [choice["value"] for choice in offered] == ["embedded", "kin"]
    assert (
        [choice["value"] for choice in bare]
        == ["embedded", "kin", "odd", "sd15"]
        == [choice["value"] for choice in typed]
    )
    assert (job.base, job.request["base"]) == ("kin", "kin")
    assert "my dog, on Kin" in told[0]
    assert kit.says(told[1], ERRORS["style_misfit"], made="Safelight emoji", base="Odd")
    assert kit.says(told[2], ERRORS["style_misfit"])
    assert "safelight bases fetch away" in told[3]
    assert kit.says(told[4], ERRORS["base_family"], base="New", family="sd9")


async def test_again(kit, scheduler):
    """Again samples the same prompt with another seed."""
    alice, job, card = await sample_pictures(kit, scheduler, seed=7, steps=9)

    answer = await alice.click(card, label="Again")

    (again,) = await kit.store.jobs.list_open()
    assert again.request["seed"] != 7
    assert again.request | {"seed": 7} == job.request
    assert "a red fox" in kit.text(answer)


async def test_vary(kit, scheduler):
    """Vary opens a form with the settings and samples with the changes."""
    alice, job, card = await sample_pictures(kit, scheduler, seed=7)

    form = await alice.click(card, label="Vary")
    values = {
        "prompt": "a green fox", "negative": "", "strength": "0,8", "seed": "8", "steps": "12",
    }  # fmt: skip
    await alice.submit_modal(form, values)

    (varied,) = await kit.store.jobs.list_open()
    assert varied.request["prompt"] == "a green fox"
    assert [varied.request[name] for name in ("strength", "seed", "steps")] == [0.8, 8, 12]
    assert job.id != varied.id


@pytest.mark.parametrize(
    ("values", "code"), [({"steps": "many"}, "number_bad"), ({"steps": "-1"}, "out_of_range")]
)
async def test_vary_refused(kit, scheduler, values, code):
    """The form's values are checked like the command's options."""
    alice, _, card = await sample_pictures(kit, scheduler)
    form = await alice.click(card, label="Vary")
    typed = {"prompt": "x", "negative": "", "strength": "1", "seed": "", "steps": "20"}

    answer = await alice.submit_modal(form, typed | values)

    assert kit.says(answer, ERRORS[code])
    assert await kit.store.jobs.list_open() == []


async def test_delete(kit, scheduler):
    """Delete removes the message and its files, for the owner and for moderators."""
    alice, job, card = await sample_pictures(kit, scheduler)

    await alice.click(card, label="Delete")
    await scheduler.let_bot_poll(20)

    assert kit.channel.history() == []
    assert not kit.store.home.job_folder(job.folder).result.exists()


async def test_delete_waiting(kit, scheduler):
    """Deleted waiting pictures are never sampled, and no card follows."""
    alice = kit.add_member("alice")
    answer = await alice.slash(kit.channel, "sample", prompt="a red fox")
    job = await scheduler.claim()

    await alice.click(answer.response, label="Delete")
    assert (await kit.store.jobs.get(job.id)).requested is JobCommand.CANCEL
    await scheduler.add_event(job, Cancelled())
    await kit.store.jobs.end_run(job.id, job.fence, Status.CANCELLED)
    await scheduler.let_bot_poll(20)

    assert kit.channel.history() == []


async def test_delete_by_moderator(kit, scheduler):
    """A member who manages messages may delete anybody's pictures."""
    _, _, card = await sample_pictures(kit, scheduler)
    role = kit.guild.create_role("Keepers", permissions=discord.Permissions(manage_messages=True))

    await kit.add_member("mo", role).click(card, label="Delete")

    assert kit.channel.history() == []


async def test_stranger(kit, scheduler):
    """Another member's pictures cannot be repeated, varied or deleted."""
    _, _, card = await sample_pictures(kit, scheduler)
    bob = kit.add_member("bob")

    for label in ("Again", "Vary", "Delete"):
        assert kit.says(await bob.click(card, label=label), ERRORS["job_unknown"])

    assert await kit.store.jobs.list_open() == []
    assert len(kit.channel.history()) == 1


async def test_after_restart(kit, scheduler):
    """Buttons of pictures from before a restart work."""
    alice, _, card = await sample_pictures(kit, scheduler)
    await kit.restart()

    await alice.click(card, label="Again")

    assert len(await kit.store.jobs.list_open()) == 1
