"""Styles: who may see, use, share, download and delete them."""

from __future__ import annotations

import discord
import pytest

from bot import wording
from bot.wording.errors import ERRORS
from storage.planning.prompts import recommend_prompts
from storage.records import Concept


async def test_list(kit, scheduler):
    """The list has a member's own styles and those shared in the server, with their makers."""
    alice, bob = kit.add_member("alice"), kit.add_member("bob")
    style = await scheduler.add_style(alice)
    assert "None yet" in kit.text(await bob.slash(kit.channel, "style list"))

    await alice.slash(kit.channel, "style share", style=str(style.id))

    assert "my dog · LoRA · shared here" in kit.text(await alice.slash(kit.channel, "style list"))
    listed = await bob.slash(kit.channel, "style list")
    assert f"my dog · LoRA · by <@{alice.id}>" in kit.text(listed)
    card = await bob.select(listed.response, [str(style.id)])
    assert "\nmydog" in kit.text(card.response)
    assert kit.labels(card.response) == ["Try it"]


async def test_share(kit, scheduler):
    """Sharing is confirmed; members of the server can use the style and see its maker."""
    alice, bob = kit.add_member("alice"), kit.add_member("bob")
    style = await scheduler.add_style(alice)

    receipt = await alice.slash(kit.channel, "style share", style="my dog")
    assert receipt.ephemeral
    assert "my dog is shared" in kit.text(receipt)

    offered = await bob.autocomplete(kit.channel, "sample", "style", "")
    assert [choice["value"] for choice in offered] == [str(style.id), "none"]
    answer = await bob.slash(kit.channel, "sample", prompt="mydog", style=str(style.id))
    assert f"my dog by <@{alice.id}>" in kit.text(answer)


async def test_show(kit, scheduler):
    """Who has shared a style shows it to the channel, where anybody can try it."""
    alice, bob = kit.add_member("alice"), kit.add_member("bob")
    style = await scheduler.add_style(alice)
    receipt = await alice.slash(kit.channel, "style share", style="my dog")

    await alice.click(receipt.response, label="Show it here")
    shown = kit.channel.last_message
    form = await bob.click(shown, label="Try it")
    await bob.submit_modal(form, {"prompt": "a mydog"})
    *_, prompt = recommend_prompts("mydog", Concept.SUBJECT, small=True)
    await bob.click(shown, label=prompt)

    assert f"<@{alice.id}>" in kit.text(shown)
    jobs = await kit.store.jobs.list_open()
    assert [(job.style, job.owner) for job in jobs] == [(style.id, bob.id)] * 2
    assert (jobs[1].request["prompt"], jobs[1].request["count"]) == (prompt, 4)
    await kit.store.styles.unshare(style.id, alice.id, kit.guild.id)
    late = await alice.click(receipt.response, label="Show it here")
    assert kit.says(late, ERRORS["style_unshared"], name="my dog")


async def test_models(kit, scheduler):
    """A whole model shows until when it is kept; afterwards it is gone from card and commands."""
    alice = kit.add_member("alice")
    style = await scheduler.add_style(alice, full_model=True)
    shown = await alice.slash(kit.channel, "style list")
    kept = (await alice.select(shown.response, [str(style.id)])).response
    until = int(style.created) + 30 * 24 * 3600
    assert f"kept here until <t:{until}:D>" in kit.text(kept)

    await kit.store.styles.remove_full_models(style.created + 1)

    shown = await alice.slash(kit.channel, "style list")
    gone = (await alice.select(shown.response, [str(style.id)])).response
    refused = await alice.slash(kit.channel, "sample", prompt="mydog", style=str(style.id))
    assert "Its file was removed" in kit.text(gone)
    assert kit.labels(gone) == ["Delete"]
    assert kit.says(refused, ERRORS["model_removed"], days=30)


async def test_elsewhere(kit, scheduler):
    """A style is shared in one server only."""
    alice = kit.add_member("alice")
    style = await scheduler.add_style(alice)
    await alice.slash(kit.channel, "style share", style=str(style.id))
    other = kit.env.create_guild("Elsewhere")
    room = other.create_text_channel("lab")
    eve = other.add_member(kit.env.create_user("eve"))

    assert await eve.autocomplete(room, "sample", "style", "") == []
    answer = await eve.slash(room, "sample", prompt="mydog", style=str(style.id))
    assert kit.says(answer, ERRORS["styles_none"])


async def test_unshare(kit, scheduler):
    """An unshared style is only its owner's again."""
    alice, bob = kit.add_member("alice"), kit.add_member("bob")
    style = await scheduler.add_style(alice)
    receipt = await alice.slash(kit.channel, "style share", style=str(style.id))

    await alice.click(receipt.response, label=wording.style.UNSHARE)

    answer = await bob.slash(kit.channel, "sample", prompt="mydog", style=str(style.id))
    assert kit.says(answer, ERRORS["styles_none"])
    said = await alice.slash(kit.channel, "style unshare", style=str(style.id))
    assert "no longer shared" in kit.text(said)
    await alice.slash(kit.channel, "sample", prompt="mydog", style=str(style.id))
    assert len(await kit.store.jobs.list_open()) == 1


async def test_moderator(kit, scheduler):
    """A moderator can unshare any style in the server, even an anonymous one."""
    alice, bob, mo = kit.add_member("alice"), kit.add_member("bob"), kit.add_moderator()
    style = await scheduler.add_style(alice)
    await alice.slash(kit.channel, "style share", style=str(style.id))
    await kit.store.members.erase(alice.id, keep_styles=True)

    assert await bob.autocomplete(kit.channel, "style unshare", "style", "") == []
    refused = await bob.slash(kit.channel, "style unshare", style=str(style.id))
    (offered,) = await mo.autocomplete(kit.channel, "style unshare", "style", "")
    said = await mo.slash(kit.channel, "style unshare", style=offered["value"])

    assert kit.says(refused, ERRORS["style_not_own"])
    assert "no longer shared" in kit.text(said)
    assert await kit.store.styles.list_usable(bob.id, kit.guild.id) == []
    assert not kit.store.styles.file(style).exists()


async def test_moderator_card(kit, scheduler):
    """A moderator's card of a shared style has Take back; the owner keeps the style."""
    alice, mo = kit.add_member("alice"), kit.add_moderator()
    style = await scheduler.add_style(alice)
    await alice.slash(kit.channel, "style share", style=str(style.id))

    listed = await mo.slash(kit.channel, "style list")
    card = await mo.select(listed.response, [str(style.id)])
    assert kit.labels(card.response) == [wording.style.TRY, wording.style.UNSHARE]
    await mo.click(card.response, label=wording.style.UNSHARE)

    assert [kept.shared for kept in await kit.store.styles.list_for(alice.id)] == [()]


async def test_moderator_elsewhere(kit, scheduler):
    """A moderator of another server has no rights here."""
    alice = kit.add_member("alice")
    style = await scheduler.add_style(alice)
    await alice.slash(kit.channel, "style share", style=str(style.id))
    other = kit.env.create_guild("Elsewhere")
    room = other.create_text_channel("lab")
    may = other.create_role("Mods", permissions=discord.Permissions(manage_guild=True))
    eve = other.add_member(kit.env.create_user("eve"), roles=[may])

    answer = await eve.slash(room, "style unshare", style=str(style.id))

    assert kit.says(answer, ERRORS["styles_none"])
    assert (await kit.store.styles.list_for(alice.id))[0].shared == (kit.guild.id,)


async def test_delete(kit, scheduler):
    """Deleting asks first, then removes row and file."""
    alice = kit.add_member("alice")
    style = await scheduler.add_style(alice)
    path = kit.store.styles.file(style)

    asked = await alice.slash(kit.channel, "style delete", style=str(style.id))
    assert "Delete my dog?" in kit.text(asked)
    assert path.exists()
    await alice.click(asked.response, label="Delete for good")

    assert await kit.store.styles.list_for(alice.id) == []
    assert not path.exists()


async def test_try(kit, scheduler):
    """Try it asks for a prompt, with the trigger filled in, and samples with the style."""
    alice = kit.add_member("alice")
    style = await scheduler.add_style(alice)
    listed = await alice.slash(kit.channel, "style list")
    card = await alice.select(listed.response, [str(style.id)])

    form = await alice.click(card.response, label="Try it")
    assert "a mydog emoji" in str(form.modal)
    await alice.submit_modal(form, {"prompt": "mydog on skis"})

    (job,) = await kit.store.jobs.list_open()
    assert (job.style, job.request["prompt"]) == (style.id, "mydog on skis")


@pytest.mark.parametrize(
    ("public", "size", "said"),
    [
        (None, 2048, wording.result.FILE_AGAIN),
        ("https://photos.example.org", 2048, wording.result.LINK_AGAIN),
        (None, 30 << 20, wording.result.HAND),
    ],
)
async def test_link_again(kit, scheduler, public, size, said):
    """The owner gets the file again: as a new private link, as a file, or a sentence."""
    await kit.restart(public_url=public)
    alice = kit.add_member("alice")
    style = await scheduler.add_style(alice, size=size)
    listed = await alice.slash(kit.channel, "style list")
    card = await alice.select(listed.response, [str(style.id)])

    answer = await alice.click(card.response, label="Get link again")

    assert kit.says(answer, said)
    assert answer.followups[-1].ephemeral
    names = [attachment.filename for attachment in answer.followups[-1].attachments]
    assert names == (["my_dog.safetensors"] if said == wording.result.FILE_AGAIN else [])
    urls = [part["url"] for part in kit.components(answer) if part.get("url")]
    assert all(url.startswith(f"{public}/get/") for url in urls)
    assert bool(urls) == (said == wording.result.LINK_AGAIN)


async def test_share_result(kit, scheduler):
    """The result card's buttons share for the owner, and refuse everybody else."""
    alice, bob = kit.add_member("alice"), kit.add_member("bob")
    await scheduler.add_dataset(alice)
    shown = (await alice.slash(kit.channel, "train lora", dataset="my dog")).response
    await alice.click(shown, label="Start")
    style = await scheduler.finish_training(await scheduler.claim())
    await scheduler.let_bot_poll()
    (thread,) = kit.channel.threads
    result = thread.last_message

    await scheduler.add_style(bob, "blob")  # which nobody is told to use instead
    prompts = recommend_prompts("mydog", Concept.SUBJECT, small=True)
    for label in (*prompts, "Try it"):
        assert kit.says(await bob.click(result, label=label), ERRORS["style_unknown"])
    for label in ("Share", "Get link again", "Delete"):
        assert kit.says(await bob.click(result, label=label), ERRORS["style_not_own"])
    await alice.click(result, label="Share")

    assert (await kit.store.styles.list_for(alice.id))[0].shared == (kit.guild.id,)
    assert style.shared == ()
