"""The demo's first two minutes, by two members at once, on two workers of one machine."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

from bot.wording import escape

pytestmark = pytest.mark.slow(45)


def test_two_members_at_once(tmp_path):
    """Each worker trains for one member meanwhile, and each gets a file on a card of their own."""
    known = {n: v for n, v in os.environ.items() if not n.startswith(("SAFELIGHT", "DISCORD"))}
    played = subprocess.run(
        [sys.executable, "-m", "tests.fakes.twomembers", str(tmp_path / "home"), "2"],
        check=False,
        env=known | {"SAFELIGHT_DEVICE": "cpu,cpu", "SAFELIGHT_BOX": "studio"},
        capture_output=True,
        text=True,
    )

    assert played.returncode == 0, played.stderr[-3000:]
    told = json.loads(played.stdout.splitlines()[-1])
    assert told["at_once"] == ["studio/cpu", "studio/cpu-2"]
    assert sorted(told["ended_on"].values()) == told["at_once"]
    assert all(escape(place) in told["card"] for place in told["at_once"])
    assert told["tensors"].keys() == {"you", "robin"}
    assert all(told["tensors"].values())
    assert told["faults"] == []
