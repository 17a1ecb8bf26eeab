"""Workers as child processes."""

from __future__ import annotations

import os
import signal
import sys
import time

import pytest

from storage.folders import Home
from storage.process import read_birth
from training.scheduler.local import LocalBackend, allowed_environment

SLEEPER = (sys.executable, "-c", "import time; time.sleep(600)")


@pytest.fixture
def backend(tmp_path):
    """Return a backend whose workers sleep."""
    return LocalBackend(Home(tmp_path), SLEEPER)


def test_a_worker_lives_until_it_is_stopped(backend):
    """`stop` returns when the process is gone; stopping it again does nothing."""
    process = backend.start("cpu")
    alive = backend.alive(process)
    backend.stop(process)
    backend.stop(process)

    assert alive
    assert not backend.alive(process)


def test_a_process_outlives_its_backend(backend, tmp_path):
    """Another scheduler's backend recognises a worker by its process."""
    process = backend.start("cpu")
    other = LocalBackend(Home(tmp_path), SLEEPER)

    assert other.alive(process)
    os.kill(process["pid"], signal.SIGKILL)
    while backend.alive(process):
        time.sleep(0.01)
    assert not other.alive(process)


def test_a_number_used_again_is_another_process():
    """A process with the worker's pid but another start time is not the worker."""
    mine = {"pid": os.getpid(), "born": read_birth(os.getpid())}
    backend = LocalBackend(Home("unused"), SLEEPER)

    assert backend.alive(mine)
    assert not backend.alive(mine | {"born": "1"})


def test_a_worker_has_its_own_session(backend):
    """Ctrl-C in the scheduler's terminal does not reach the worker."""
    process = backend.start("cpu")

    assert os.getsid(process["pid"]) == process["pid"] != os.getsid(0)
    backend.stop(process)


def test_the_environment_is_chosen():
    """A worker gets the variables it needs, and no secret under any name."""
    given = dict.fromkeys(
        ("PATH", "HF_HOME", "HF_TOKEN", "CUDA_VISIBLE_DEVICES", "SAFELIGHT_DEVICE", "https_proxy"),
        "x",
    )
    secret = dict.fromkeys(
        ("DISCORD_TOKEN", "discord_token", "AWS_SECRET_ACCESS_KEY", "MYPATH"), "x"
    )

    assert allowed_environment(given | secret) == given


def test_a_long_log_is_put_aside(backend, tmp_path):
    """A worker's log is rotated."""
    folder = tmp_path / "workers" / "cpu"
    folder.mkdir(parents=True)
    (folder / "log.txt").write_bytes(b"x" * (4 * 2**20 + 1))

    backend.stop(backend.start("cpu"))

    assert (folder / "log.txt").stat().st_size == 0
    assert (folder / "log.old.txt").exists()
