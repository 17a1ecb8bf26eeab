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
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

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
from training.scheduler.ray.security import compare_versions, read_versions, token_path
from training.settings import TrainingSettings
from training.worker.folder import read_json

NAMESPACE = "safelight"
RESOURCE = "safelight {place}"  #: of which a machine has one for each of its places
HEAD_RESOURCE = "node:__internal_head__"  #: by which Ray marks the head
MAIN_RESOURCE = "safelight-main {box}"  #: of which the main machine has one
REFUSAL = "InvalidAuthToken"  #: in what Ray says
AGAIN_SECONDS = 2.0  #: before Ray is started again
JOIN_SECONDS = 20.0  #: that the head may take to say its versions
CHECK_LIMIT_SECONDS = 60.0
#: why the head refuses a machine, by the exit code of `safelight node check`
REFUSED = {3: "node_versions", 4: "node_token", 5: "node_named"}
CHECK = (sys.executable, "-m", "training", "node", "check")
REFUSED_SECONDS = 5.0  #: that a refused machine stays, so that the bot's operator learns of it
CHECK_SECONDS = 1.0  #: that the head may take to answer whether it is there

AWAY = "Nothing answers at {head} yet. Does the bot run there, with SAFELIGHT_HEAD?"
JOINING = "Joining {head}; this may take a minute"
JOINED = "Joined {head}. Its jobs can run on {places} until Ctrl+C"
LOST = "Lost {head}, and joining it again. What ran here goes on from its last checkpoint"
NOT_STARTED = "Ray does not start here; it is tried again. What it said is in {log}"

log = logging.getLogger(__name__)


def list_head_flags(address: str, box: str) -> list[str]:
    """Return how a head at `host:port` is started; it runs no jobs and has no dashboard."""
    host, _, port = address.rpartition(":")
    return [
        "--head", f"--node-ip-address={host}", f"--port={port}", "--include-dashboard=false",
        "--num-gpus=0", f"--resources={json.dumps({MAIN_RESOURCE.format(box=box): 1})}",
    ]  # fmt: skip


def connect(address: str, seconds: float, runs: Callable[[], bool] = lambda: True) -> None:
    """Connect this process to the cluster.

    Raise LostConnection if none answers in time, or as soon as what starts it no longer `runs`;
    raise UserError if it has another token.
    """
    logging.getLogger("ray").setLevel(logging.ERROR)
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
            if REFUSAL in f"{away}{away.__cause__}":
                raise UserError("node_token", path=str(token_path())) from None
            if time.monotonic() > deadline or not runs():
                raise LostConnection(f"no head at {address}: {away}") from away
        else:
            return
        time.sleep(CHECK_SECONDS / 4)


class Join:
    """Gives the devices of this machine to a head, again whenever it has been away."""

    def __init__(self, settings: TrainingSettings, address: str) -> None:
        self.address, self.box = address, settings.box_name
        self.home = Home(settings.home)
        self.places = list(settings.devices)
        self.said = ""  #: last, of how this machine is
        box = self.box
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
                log.info("Leaving %s", self.address)
            finally:
                self.ray.end()
                for name in self.places:
                    LocalPlace(open_place(self.home.path, name), name).leave()
                join_file(self.home).unlink(missing_ok=True)
        log.info("Left; no file of a job is on this machine any more")

    def _stay(self) -> None:
        """Stay with the head until it, or Ray here, has ended."""
        host, _, port = self.address.rpartition(":")
        try:
            socket.create_connection((host, int(port)), CHECK_SECONDS).close()
        except OSError:
            self._say(AWAY.format(head=self.address))
            return
        try:
            self._say(JOINING.format(head=self.address))
            self.ray.start()
            self._wait_until_joined()
            if not self.ray.runs:
                self._say(NOT_STARTED.format(log=self.ray.log))
                return
            places = ", ".join(f"{self.box}/{name}" for name in self.places)
            self._say(JOINED.format(head=self.address, places=places))
            self.ray.wait()
            self._say(LOST.format(head=self.address))
        finally:
            self.ray.end()

    def _wait_until_joined(self) -> None:
        """Wait until the head or Ray here says something; raise UserError if it is a refusal."""
        try:
            while self.ray.runs and not ask_head(self.address, self.box):
                time.sleep(CHECK_SECONDS)
        except UserError:
            time.sleep(REFUSED_SECONDS)
            raise

    def _say(self, how: str) -> None:
        """Log how this machine is, if that has changed."""
        if how != self.said:
            log.info("%s", how)
        self.said = how


def ask_head(address: str, box: str) -> bool:
    """Return whether the head answers; raise UserError if it refuses this machine.

    It is asked by another process: Ray may end whoever is connected to a head that is lost.
    """
    try:
        asked = subprocess.run(
            [*CHECK, address, box],
            check=False, capture_output=True, text=True, timeout=CHECK_LIMIT_SECONDS,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        return False
    if code := REFUSED.get(asked.returncode):
        raise UserError(code, wrong=asked.stdout.strip(), path=str(token_path()))
    return not asked.returncode


def check_head(address: str, box: str) -> int:
    """Print what the head refuses of this machine, where Ray runs; return the exit code."""
    codes = {code: number for number, code in REFUSED.items()}
    try:
        connect(address, JOIN_SECONDS)
    except UserError as refused:
        return codes[refused.code]
    here = ray.get_runtime_context().get_node_id()
    for node in ray.nodes():
        if HEAD_RESOURCE in node["Resources"] and (
            wrong := compare_versions(read_versions(), node["Labels"])
        ):
            sys.stdout.write(f"{wrong}\n")
            return codes["node_versions"]
        if node["Alive"] and node["NodeID"] != here and is_named(node, box):
            sys.stdout.write(f"{box}\n")
            return codes["node_named"]
    return 0


def is_named(node: Mapping[str, Any], box: str) -> bool:
    """Return whether a node of Ray is a machine of that name, and not this one joining again."""
    if MAIN_RESOURCE.format(box=box) in node["Resources"]:
        return True
    mine = RESOURCE.format(place=f"{box}/")
    own = ray.util.get_node_ip_address() == node["NodeManagerAddress"]
    return not own and any(name.startswith(mine) for name in node["Resources"])


def leave(home: Home) -> None:
    """Ask the `join` of a data folder to end; raise UserError if there is none."""
    process = read_json(join_file(home))
    if process is None or not is_alive(process):
        raise UserError("node_none", folder=str(home.path))
    os.kill(process["pid"], signal.SIGTERM)


def join_file(home: Home) -> Path:
    """Return the file that names the process of `join`."""
    return home.path / "node.json"


def find_own_address(head: str) -> str:
    """Return this machine's address on the way to the head; nothing is sent."""
    host, _, port = head.rpartition(":")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.connect((host, int(port)))
        return str(probe.getsockname()[0])
