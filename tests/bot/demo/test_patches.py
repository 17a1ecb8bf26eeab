"""What our page replaces in simcord's scripts."""

from __future__ import annotations

from pathlib import Path

import pytest
import simcord.preview

from bot.demo import patches

STATIC = Path(simcord.preview.__file__).parent / "static"


@pytest.mark.parametrize("name", ["index.html", *patches.SCRIPTS])
def test_every_replaced_text_is_there(name):
    """A new simcord can't silently lose one of our replacements."""
    theirs = (STATIC / name).read_text("utf-8")
    parts = patches.SCRIPTS.get(name, patches.PAGE)
    assert [part for part in parts if part not in theirs] == []
