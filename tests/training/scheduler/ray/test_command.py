"""`safelight node`."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

pytest.importorskip("ray", reason="needs the extra `ray`")
pytestmark = pytest.mark.slow(4)
SAFELIGHT = (sys.executable, "-m", "bot.terminal")


@pytest.fixture
def run(tmp_path):
    """Return a function that runs `safelight` with a data folder and a token of its own."""
    known = os.environ | {
        "SAFELIGHT_HOME": str(tmp_path / "home"),
        "RAY_AUTH_TOKEN_PATH": str(tmp_path / "token"),
    }

    def call(*arguments, **more):
        return subprocess.run(
            [*SAFELIGHT, *arguments], env=known | more, capture_output=True, text=True, check=False
        )

    return call


def test_refusals(run, tmp_path):
    """What is missing is said in a sentence, with a command that helps."""
    without = run("node", "join", "10.0.0.1:6379")
    made = run("node", "token")
    nowhere = run("node", "join", "somewhere")
    unset = run("node", "status")
    nobody = run("node", "leave")
    away = run("bases", "fetch", "sdxl", "--node", "lab", SAFELIGHT_HEAD="127.0.0.1:1")

    assert (without.returncode, "safelight node token" in without.stderr) == (2, True)
    assert made.stdout == f"{tmp_path / 'token'}\n"
    assert (nowhere.returncode, "“somewhere”" in nowhere.stderr) == (2, True)
    assert (unset.returncode, "SAFELIGHT_HEAD" in unset.stderr) == (2, True)
    assert (nobody.returncode, str(tmp_path / "home") in nobody.stderr) == (1, True)
    assert away.returncode
    assert "Nothing answers at 127.0.0.1:1" in away.stderr + away.stdout
    assert all("Traceback" not in each.stderr for each in (without, nowhere, unset, nobody, away))
