"""What `/train` offers: the methods and bases of the catalog."""

from __future__ import annotations

import pytest

from storage.records import Method


@pytest.mark.usefixtures("scheduler")
async def test_bases(kit):
    """Only installed bases are offered, by their titles."""
    alice = kit.add_member("alice")

    offered = await alice.autocomplete(kit.channel, "train lora", "base", "")

    assert [choice["value"] for choice in offered] == ["embedded", "sd15"]


async def test_methods_come_from_the_catalog(kit, scheduler):
    """`/train` has a subcommand for each published method, also after a restart."""
    glow = Method(
        "glow", (1, 4), title="Glow", help="what glows", rank_name="light", rank_help="how bright"
    )

    await scheduler.publish_catalog(methods=(glow, Method("flat", (0, 0), help="no rank")))

    for restarted in (False, True):
        bot = await kit.restart() if restarted else kit.bot
        offered = {command.name: command for command in bot.tree.get_command("train").commands}
        assert {"auto", "compare", "sweep", "glow", "flat"} == offered.keys()
        assert offered["glow"].description == "Glow: what glows"
        options = {option.display_name: option for option in offered["glow"].parameters}
        assert "how bright (1\N{EN DASH}4)" in str(options["light"].description)
        assert "rank" not in {option.display_name for option in offered["flat"].parameters}
    assert "train glow" in kit.add_member("alice").available_commands(kit.channel)


async def test_no_catalog(kit):
    """Before any catalog is published, `/train` has no method, and `auto` says so."""
    names = [each.name for each in kit.bot.tree.get_command("train").commands]
    assert names == ["compare", "sweep", "auto"]
