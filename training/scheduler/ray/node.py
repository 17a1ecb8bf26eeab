"""A machine that joins: it gives its devices to a head until it leaves."""

from __future__ import annotations

import json
import logging
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import ray
from ray.exceptions import RayError

from storage.errors import UserError
from storage.folders import Home, write_json
from storage.homefolder import Program, create_home, hold_home
from storage.process import is_alive, this_process
from training.scheduler.ferry.place import LocalPlace
from training.scheduler.ferry.remote import LostConnection
from training.scheduler.ray.place import JOIN, open_place
from training.scheduler.ray.process import Ray
from training.scheduler.ray.security import compare_versions, read_versions
from training.settings import TrainingSettings
from training.worker.folder import read_json

NAMESPACE = "safelight"
RESOURCE = "safelight {place}"  #: of which a machine has one for each of its places
HEAD_RESOURCE = "node:__internal_head__"  #: by which Ray marks the head
AGAIN_SECONDS = 2.0  #: before Ray is started again
JOIN_SECONDS = 20.0  #: that the head may take to say its versions
CHECK_LIMIT_SECONDS = 60.0
OTHER_VERSIONS = 3  #: the exit code that says so
CHECK = (sys.executable, "-m", "training", "node", "check")
CHECK_SECONDS = 1.0  #: that the head may take to answer whether it is there


def list_head_flags(address: str) -> list[str]:
    """Return how a head at `host:port` is started; it runs no jobs and has no dashboard."""
    host, _, port = address.rpartition(":")
    return [
        "--head", f"--node-ip-address={host}", f"--port={port}", "--include-dashboard=false",
        "--num-gpus=0",
    ]  # fmt: skip


def connect(address: str, seconds: float, runs: Callable[[], bool] = lambda: True) -> None:
    """Connect this process to the cluster.

    Raise LostConnection if none answers in time, or as soon as what starts it no longer `runs`.
    """
    host, _, port = address.rpartition(":")
    deadline = time.monotonic() + seconds
    while True:
        try:
            socket.create_connection((host, int(port)), CHECK_SECONDS).close()
            ray.init(
                address, namespace=NAMESPACE, log_to_driver=False, configure_logging=False,
                logging_level=logging.ERROR,
            )  # fmt: skip
        except (OSError, RuntimeError, ValueError, RayError) as away:
            if time.monotonic() > deadline or not runs():
                raise LostConnection(f"no head at {address}: {away}") from away
        else:
            return
        time.sleep(CHECK_SECONDS / 4)


class Join:
    """Gives the devices of this machine to a head, again whenever it has been away."""

    def __init__(self, settings: TrainingSettings, address: str) -> None:
        self.settings, self.address = settings, address
        self.home = Home(settings.home)
        self.places = list(settings.devices)
        box = settings.box_name
        resources = {RESOURCE.format(place=f"{box}/{name}"): 1 for name in self.places}
        gpus = sum(name.startswith("cuda") for name in self.places)
        flags = [
            f"--address={address}", f"--node-ip-address={find_own_address(address)}",
            f"--num-gpus={gpus}", f"--resources={json.dumps(resources)}",
        ]  # fmt: skip
        self.ray = Ray(self.home.path / "ray.json", flags, **{JOIN: str(os.getpid())})

    def run(self) -> None:
        """Stay until SIGTERM or Ctrl+C; raise UserError if another process has the data folder.

        In the end no file of a job is left here.
        """
        create_home(self.home)
        signal.signal(signal.SIGTERM, signal.default_int_handler)
        with hold_home(self.home, Program.SCHEDULER):
            write_json(join_file(self.home), this_process())
            try:
                with suppress(KeyboardInterrupt):
                    while True:
                        self._stay()
                        time.sleep(AGAIN_SECONDS)
            finally:
                self.ray.end()
                for name in self.places:
                    LocalPlace(open_place(self.home.path, name), name).leave()
                join_file(self.home).unlink(missing_ok=True)

    def _stay(self) -> None:
        """Stay with the head until it, or Ray here, has ended."""
        host, _, port = self.address.rpartition(":")
        try:
            socket.create_connection((host, int(port)), CHECK_SECONDS).close()
        except OSError:
            return
        try:
            self.ray.start()
            check_versions(self.address)
            self.ray.wait()
        finally:
            self.ray.end()


def check_versions(address: str) -> None:
    """Raise UserError if the head has other versions; one that cannot be asked has no other ones.

    It is asked by another process: Ray may end whoever is connected to a head that is lost.
    """
    asked = subprocess.run(
        [*CHECK, address], check=False, capture_output=True, text=True, timeout=CHECK_LIMIT_SECONDS
    )
    if asked.returncode == OTHER_VERSIONS:
        raise UserError("node_versions", wrong=asked.stdout.strip())


def print_difference(address: str) -> int:
    """Print in which versions the head differs from this machine; return OTHER_VERSIONS then."""
    connect(address, JOIN_SECONDS)
    for node in ray.nodes():
        if HEAD_RESOURCE in node["Resources"]:
            wrong = compare_versions(read_versions(), node["Labels"])
            sys.stdout.write(f"{wrong}\n")
            return OTHER_VERSIONS if wrong else 0
    return 0


def leave(home: Home) -> bool:
    """Ask the `join` of a data folder to end; return whether there is one."""
    process = read_json(join_file(home))
    if process is None or not is_alive(process):
        return False
    os.kill(process["pid"], signal.SIGTERM)
    return True


def join_file(home: Home) -> Path:
    """Return the file that names the process of `join`."""
    return home.path / "node.json"


def find_own_address(head: str) -> str:
    """Return this machine's address on the way to the head; nothing is sent."""
    host, _, port = head.rpartition(":")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.connect((host, int(port)))
        return str(probe.getsockname()[0])
