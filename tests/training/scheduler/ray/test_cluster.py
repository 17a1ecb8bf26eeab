"""Two machines over a real Ray, in namespaces of this one."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys

import pytest

from benchmarks.speed.boxes import ALONE

pytest.importorskip("ray", reason="needs the extra `ray`")
pytestmark = pytest.mark.slow(75)


def may_have_namespaces():
    """Return whether this user may have a network of its own, with a cable in it."""
    tools = all(map(shutil.which, ("unshare", "nsenter", "ip", "pgrep")))
    cable = ("ip", "link", "add", "cable", "type", "veth", "peer", "name", "far")
    return tools and not subprocess.run([*ALONE, *cable], check=False).returncode


@pytest.mark.skipif(not may_have_namespaces(), reason="needs network namespaces")
def test_two_machines(tmp_path):
    """Two trainings run at once, a dead head is made anew, and a removed box keeps nothing."""
    played = subprocess.run(
        [*ALONE, sys.executable, "-m", "tests.fakes.clusterplay", str(tmp_path)],
        capture_output=True, text=True, check=False,
    )  # fmt: skip

    assert played.returncode == 0, played.stderr[-3000:]
    told = json.loads(played.stdout.splitlines()[-1])
    assert told["files"] == [True, True]
    assert told["head"] == "box1/cpu"  # the job went on there
    assert told["stranger"] == 4  # with another token, nothing is answered
    assert told["namesake"] == 5  # nor may one have the main machine's name
    assert told["left"] == []
    assert told["nodes"] == ["studio/cpu"]
