"""The child that opens pictures can do nothing else, tried in real processes."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from storage.photos.sandbox import try_rights

#: tried in a child after one layer, or all of them
SCRIPT = """
import ctypes, json, operator, os, resource, signal, socket, subprocess, sys, threading
from storage.photos import child, confine
path, parent = sys.argv[2], os.getppid()
limits = resource.getrlimit(resource.RLIMIT_NOFILE)  # which the parent keeps: it runs the tests
attempts = {
    "read": lambda: open(path).close(),
    "write": lambda: os.open(path, os.O_WRONLY | os.O_TRUNC),
    "create": lambda: os.open(path + "2", os.O_WRONLY | os.O_CREAT),
    "list": lambda: os.listdir(os.path.dirname(path)),
    "delete": lambda: os.unlink(path),
    "socket": lambda: socket.socket().close(),
    "fork": lambda: os.fork() or os._exit(0),
    "start": lambda: subprocess.run(["/bin/true"], close_fds=False),
    "exec": lambda: os.execv("/bin/true", ["true"]),
    "signal": lambda: os.kill(parent, 0),
    "limit": lambda: resource.prlimit(parent, resource.RLIMIT_NOFILE, limits),
    "raise": lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64)),
    "execute memory": lambda: __import__("mmap").mmap(-1, 4096, prot=7),
}
wanted = sys.argv[3:]
child.prepare_decoders()
__import__("mmap")
try:
    operator.attrgetter(sys.argv[1])(confine)()
except OSError:
    print(json.dumps(None))
    sys.exit()
possible = []
for name in wanted:
    try:
        attempts[name]()
        possible.append(name)
    except (OSError, ValueError):
        pass
thread = threading.Thread(target=lambda: None)
thread.start()
thread.join()
print(json.dumps(possible))
"""
PATHS = ("read", "write", "create", "list", "delete")


@pytest.fixture
def private(tmp_path: Path) -> Path:
    """A file of the bot's home."""
    file = tmp_path / "safelight.db"
    file.write_text("private")
    return file


def list_possible(layer: str, file: Path, *wanted: str) -> list[str]:
    """Return what a process can do after a function of `confine`; skip where it can't be had."""
    answer = subprocess.run(
        [sys.executable, "-c", SCRIPT, layer, str(file), *wanted], capture_output=True, check=True
    )
    possible: Any = json.loads(answer.stdout or "null")
    if possible is None:
        pytest.skip(f"this system has no {layer}")
    return possible


def test_all(private: Path) -> None:
    """All layers together leave no file, socket, process or limit of others in reach."""
    wanted = (*PATHS, "socket", "fork", "limit", "raise")
    assert list_possible("give_up_rights", private, *wanted) == []
    assert private.read_text() == "private"


def test_no_descriptor(private: Path) -> None:
    """On any system, the limit on descriptors alone refuses files and sockets."""
    wanted = ("read", "write", "create", "list", "socket")
    assert list_possible("forbid_opening", private, *wanted) == []


@pytest.mark.skipif(sys.platform != "linux", reason="a part of Linux")
def test_landlock(private: Path) -> None:
    """Landlock alone refuses every path, also those that take no descriptor."""
    assert list_possible("close_file_system", private, *PATHS, "exec") == []
    assert private.read_text() == "private"


@pytest.mark.skipif(sys.platform != "linux", reason="a part of Linux")
def test_system_calls(private: Path) -> None:
    """The filter alone refuses files, sockets, programs, signals and memory that runs."""
    wanted = (*PATHS, "socket", "fork", "exec", "signal", "limit", "execute memory")
    assert list_possible("filter_calls", private, *wanted) == []
    assert private.read_text() == "private"


def test_unconfined(private: Path) -> None:
    """Without a layer each attempt works, so the tests above prove something."""
    wanted = ("read", "write", "create", "list", "delete", "socket", "fork", "signal", "limit")
    assert list_possible("platform.machine", private, *wanted) == list(wanted)


def test_probe() -> None:
    """What the doctor tells is what a child has tried."""
    rights = try_rights()
    assert rights.keys() == {"files", "the network", "other programs"}
    assert (rights["files"], rights["the network"]) == (False, False)
