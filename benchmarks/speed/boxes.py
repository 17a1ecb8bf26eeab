"""Two machines that are joined by a cable: namespaces of this one, in which Ray really runs.

The caller must be in namespaces of its own already: started with ALONE before its command.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

from training.scheduler.ray.security import make_token, require_token

ALONE = (
    "unshare", "--map-root-user", "--net", "--pid", "--fork", "--kill-child", "--mount-proc",
)  # fmt: skip
HEAD = "10.99.0.1"
ADDRESS = f"{HEAD}:6379"
NODE = (sys.executable, "-m", "training", "node")
WAIT_SECONDS = 60.0


class Box:
    """Another machine: its network, its processes and a data folder; its files are ours."""

    def __init__(self, path: Path, number: int) -> None:
        """`path` is the folder of all machines."""
        self.name, self.cable = f"box{number}", f"cable{number}"
        self.address, self.place = f"10.99.{number}.2", f"{self.name}/cpu"
        self.home, self.log = path / self.name, path / f"{self.name}.log"
        self.stack = ExitStack()
        self.inside: Sequence[str] = ()

    def open(self) -> None:
        """Lay the cable."""
        self.home.mkdir(exist_ok=True)
        other = self.stack.enter_context(
            running(self.log, "unshare", "--net", "--pid", "--fork", "--mount-proc", "cat")
        )
        pid = run_until("pgrep", "-P", str(other.pid)).strip()
        self.inside = ("nsenter", "-t", pid, "--net", "--pid", "--mount")
        run("ip", "link", "add", self.cable, "type", "veth", "peer", "name", "far", "netns", pid)
        run("ip", "address", "add", f"{self.address[:-1]}1/24", "dev", self.cable)
        run("ip", "link", "set", self.cable, "up")
        near = f"{self.address[:-1]}1"
        for command in (
            "link set lo up", f"address add {self.address}/24 dev far", "link set far up",
            f"route add {HEAD} via {near}",
        ):  # fmt: skip
            run(*self.inside, "ip", *command.split())

    def join(self, *prefix: str, device: str = "cpu") -> None:
        """Run `safelight node join` there, behind a command such as `taskset`."""
        command = (*self.inside, *prefix, *NODE, "join", ADDRESS)
        self.joined = self.stack.enter_context(
            running(self.log, *command, **self.environment(device))
        )

    def leave(self) -> None:
        """Run `safelight node leave` there, and wait until the join has ended."""
        if self.joined.poll() is None:
            subprocess.run(
                [*self.inside, *NODE, "leave"],
                check=False,
                env=os.environ | self.environment("cpu"),
            )
            self.joined.wait(WAIT_SECONDS)

    def environment(self, device: str) -> dict[str, str]:
        """Return the settings there."""
        return {
            "SAFELIGHT_HOME": str(self.home), "SAFELIGHT_BOX": self.name,
            "SAFELIGHT_DEVICE": device,
        }  # fmt: skip

    def plug(self, *, plugged: bool) -> None:
        """Plug the cable in or out."""
        run("ip", "link", "set", self.cable, "up" if plugged else "down")

    def pull_the_plug(self) -> None:
        """End all of its processes at once, as without power."""
        self.stack.close()


@contextmanager
def boxes(path: Path, count: int = 1) -> Iterator[list[Box]]:
    """Run machines that have not joined yet; the one that calls is the main machine."""
    os.environ["RAY_AUTH_TOKEN_PATH"] = str(path / "token")
    make_token()
    require_token()
    run("ip", "link", "set", "lo", "up")
    run("ip", "address", "replace", f"{HEAD}/32", "dev", "lo")
    found = [Box(path, number + 1) for number in range(count)]
    with ExitStack() as stack:
        for box in found:
            stack.callback(box.stack.close)
            box.open()
        yield found
        for box in found:
            box.leave()


def run(*command: str) -> str:
    """Run a program and return what it prints; raise CalledProcessError if it fails."""
    return subprocess.run(command, check=True, text=True, stdout=subprocess.PIPE).stdout


def run_until(*command: str) -> str:
    """Run a program again and again until it succeeds."""
    deadline = time.monotonic() + WAIT_SECONDS
    while True:
        try:
            return run(*command)
        except subprocess.CalledProcessError:
            if time.monotonic() > deadline:
                raise
        time.sleep(0.1)


@contextmanager
def running(log: Path, *command: str, **environment: str) -> Iterator[subprocess.Popen[bytes]]:
    """Run a program inside the block, and kill it after it."""
    with (
        log.open("ab") as out,
        subprocess.Popen(
            command, env=os.environ | environment, stdin=subprocess.PIPE, stdout=out, stderr=out
        ) as child,
    ):
        try:
            yield child
        finally:
            child.kill()
