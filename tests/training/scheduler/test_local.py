"""Workers as child processes."""

from __future__ import annotations

import os
import signal
import sys
import time

import pytest

from storage.folders import Home
from storage.process import read_birth, this_process
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
    """A process with the worker's pid but another start time, or boot, is not the worker."""
    mine = {"pid": os.getpid(), "born": read_birth(os.getpid())}  # as version 0.1 wrote it
    backend = LocalBackend(Home("unused"), SLEEPER)

    assert backend.alive(mine)
    assert backend.alive(this_process())
    assert not backend.alive(mine | {"born": "1"})
    assert not backend.alive(this_process() | {"boot": "before the power cut"})


END = "import os, signal; os.kill(os.getpid(), signal.{})"
FAR_AWAY = -1  #: kills for lack of memory, before a process was started


@pytest.mark.parametrize(
    ("script", "kills", "blamed"),
    [
        ("raise SystemExit(0)", 0, False),
        ("raise SystemExit(3)", 0, False),  # another process holds its folder
        ("raise SystemExit(1)", 0, True),
        (END.format("SIGSEGV"), 0, True),
        (END.format("SIGABRT"), 0, True),
        (END.format("SIGTERM"), 0, False),
        (END.format("SIGHUP"), 0, False),
        (END.format("SIGKILL"), 0, False),
        (END.format("SIGKILL"), FAR_AWAY, True),
        (END.format("SIGKILL"), None, True),
    ],
)
def test_who_is_to_blame_for_a_death(tmp_path, script, kills, blamed):
    """A worker died of what it did if it crashed, or was killed when the memory was full."""
    backend = LocalBackend(Home(tmp_path), (sys.executable, "-c", script))
    process = backend.start("cpu")
    if kills != 0:
        backend.memory_kills[process["pid"]] = kills
    while backend.alive(process):
        time.sleep(0.01)

    assert backend.died_by_itself(process) is blamed
    assert not backend.died_by_itself(process)  # of another scheduler's worker nothing is known


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
