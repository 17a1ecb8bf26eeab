"""`/operator nodes`: the machines that train, and what is asked of them."""

from __future__ import annotations

import pytest
import simcord

from bot import wording
from bot.cards.nodes import nodes_card
from storage.records import Base, Catalog, Kind, NewJob
from storage.tables.nodes import Wish
from tests.fakes.forger import Forger, Tracebacks

HERE, BOX = "studio/cuda0", "lab_2/cuda0"
SDXL = Base("sdxl", "SDXL 1.0", "sdxl", "x/y", 1024, "none", "tests", present=True)


@pytest.fixture
def operator(kit):
    """Return a moderator who runs the bot."""
    made = kit.add_moderator()
    kit.bot.owner_ids = {made.id}
    return made


async def add_nodes(kit, *places):
    """Let workers be here; those that are not of the studio are on other machines."""
    for place in places:
        await kit.store.nodes.note(place, remote=not place.startswith("studio"), here=True)


async def open_card(kit, who):
    """Open the card of machines."""
    return (await who.slash(kit.channel, "operator nodes")).response


async def test_what_each_is_and_does(kit, operator):
    """A worker's state, device, bases and job are shown, and nothing of what is in the job."""
    await add_nodes(kit, HERE, BOX)
    catalog = Catalog(bases=(SDXL,), device="NVIDIA H200", memory_mib=143771)
    await kit.store.catalog.publish(catalog, BOX, [HERE, BOX])
    alice = kit.add_member("alice")
    new = NewJob(
        Kind.TRAIN, alice.id, kit.guild.id, kit.channel.id, {"name": "secret dog"}, "sdxl"
    )
    job = await kit.store.jobs.queue(new)
    await kit.store.jobs.claim(BOX, [Kind.TRAIN])

    card = await open_card(kit, operator)

    said = kit.text(card)
    assert "lab\\_2/cuda0" in said
    assert "NVIDIA H200, 140 GiB" in said
    assert "Bases: SDXL 1.0" in said
    assert f"training {job.id}" in said
    assert wording.operator.DEVICE_UNKNOWN in said
    assert "secret" not in said
    assert card.ephemeral


async def test_why_one_is_away(kit, operator):
    """One whose owner uses it, and one that was refused, say so; what is asked of one is first."""
    why = {"den/cpu": "owner", "old/cpu": "versions torch 2.11.0 and 2.12.0", BOX: "owner"}
    for place, reason in why.items():
        await kit.store.nodes.note(place, remote=True, here=False, why=reason)
    await kit.store.nodes.set_wish(BOX, Wish.DRAIN)

    said = kit.text(await open_card(kit, operator))

    assert said.count(wording.operator.STATES["owner"]) == 1
    assert "torch 2.11.0 and 2.12.0" in said
    assert wording.operator.STATES["drain"] in said


async def test_drain_resume_remove(kit, operator):
    """What is picked is asked of the worker; the card shows it, also after a restart."""
    await add_nodes(kit, HERE, BOX)
    card = await open_card(kit, operator)

    await operator.select(card, [f"drain {BOX}"], custom_id="operator:act")
    drained = {node.place: node.wish for node in await kit.store.nodes.list()}
    said = kit.text(card)
    await kit.restart()
    kit.bot.owner_ids = {operator.id}
    await operator.select(card, [f" {BOX}"], custom_id="operator:act")
    resumed = [node.wish for node in await kit.store.nodes.list()]
    await operator.select(card, [f"remove {BOX}"], custom_id="operator:act")

    assert drained == {HERE: Wish.NONE, BOX: Wish.DRAIN}
    assert wording.operator.STATES["drain"] in said
    assert resumed == [Wish.NONE] * 2
    assert wording.operator.STATES["remove"] in kit.text(card)


async def test_one_machine(kit, operator):
    """With one machine the card says how another one joins, and this one cannot be removed."""
    await add_nodes(kit, HERE)

    card = await nodes_card(kit.bot)

    values = [option["value"] for part in kit.components(await open_card(kit, operator))
              for option in part.get("options", ())]  # fmt: skip
    assert values == [f"drain {HERE}"]
    assert wording.operator.ALONE in str(card.to_components())


async def test_forged_choices(kit, operator):
    """What no option says is answered as on an old card, changes nothing, and is no bug."""
    await add_nodes(kit, HERE, BOX)
    forger = Forger(kit, operator)
    with Tracebacks() as logged:
        for value in ("", f"scrap {BOX}", "drain nowhere", f"remove {HERE}"):
            forger.select("operator:act", value)
        answers = await forger.answers()

    assert all(wording.errors.ERRORS["card_old"] in said for said in answers.values()), answers
    assert logged.found == []
    assert [node.wish for node in await kit.store.nodes.list()] == [Wish.NONE] * 2


async def test_others_may_not(kit):
    """Members do not see the command; a moderator who does not run the bot is refused."""
    await add_nodes(kit, HERE)
    alice, mod = kit.add_member("alice"), kit.add_moderator()
    with pytest.raises(simcord.SetupError, match="not visible"):
        await alice.slash(kit.channel, "operator nodes")

    answer = await mod.slash(kit.channel, "operator nodes")

    assert wording.errors.ERRORS["operator_only"] in kit.text(answer)
