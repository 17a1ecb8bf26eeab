"""`safelight doctor`: is everything in place? Each line is ok, warn or fail with what to do."""

from __future__ import annotations

import asyncio
import json
import os
import platform
import sys
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Any, NamedTuple

import aiohttp
import psutil

from bot import wording
from bot.settings import BotSettings
from bot.terminal import progress
from bot.terminal.progress import TRAINING
from bot.wording import fill
from storage import disk as space
from storage.errors import UserError
from storage.folders import Home
from storage.settings import read_settings
from storage.store import Store
from storage.tables.database import MIN_SQLITE_VERSION, SQLITE_VERSION

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence


SLOW = 50.0  #: ms that a safe write may take
SCARCE = 2 << 30  #: bytes of memory below which little can be trained
USUAL = 20  #: MiB that Discord takes on a server without boosts
OK, WARN, FAIL = "ok", "warn", "fail"


class Line(NamedTuple):
    """One finding."""

    mark: str
    text: str


def line(mark: str, check: str, **facts: object) -> Line:
    """Write a finding."""
    return Line(mark, fill(wording.doctor.CHECKS[check], **facts))


async def visit(program: Sequence[str] = TRAINING) -> int:
    """Print every finding as it comes; the exit code is 1 when something fails."""
    marks = []
    async for found in findings(program):
        marks.append(found.mark)
        sys.stdout.write(f"{wording.doctor.MARKS[found.mark]}  {found.text}\n")
        sys.stdout.flush()
    worst = next((mark for mark in (FAIL, WARN) if mark in marks), OK)
    sys.stdout.write(f"\n{wording.doctor.VERDICTS[worst]}\n")
    return int(worst == FAIL)


async def findings(program: Sequence[str]) -> AsyncIterator[Line]:
    """Look after one thing after the other."""
    yield python()
    yield sqlite(SQLITE_VERSION)
    yield memory()
    try:
        chosen = read_settings(BotSettings)
    except UserError as wrong:
        yield line(FAIL, "setting", problem=wording.explain_in_shell(wrong))
        return
    device = asyncio.create_task(ask(program, "device"))
    for check in (disk, database, token, link, upload):
        yield await check(chosen)
    for found in (*torch(await device), *bases(await ask(program, "bases"), chosen)):
        yield found


def python() -> Line:
    """Look at the Python we run on."""
    version = platform.python_version()
    if sys.version_info < (3, 11):  # noqa: UP036 - a doctor asks
        return line(FAIL, "python_old", version=version)
    return line(OK, "python", version=version)


def sqlite(version: tuple[int, ...]) -> Line:
    """Look at the SQLite that this Python has."""
    facts = {"version": dotted(version), "oldest": dotted(MIN_SQLITE_VERSION)}
    old = version < MIN_SQLITE_VERSION
    return line(FAIL if old else OK, "sqlite_old" if old else "sqlite", **facts)


def dotted(version: tuple[int, ...]) -> str:
    """Write a version as people do."""
    return ".".join(map(str, version))


def memory() -> Line:
    """Look whether there is room to train in."""
    now = psutil.virtual_memory()
    scarce = now.available < SCARCE
    sizes = {"free": size(now.available), "total": size(now.total)}
    return line(WARN if scarce else OK, "memory_low" if scarce else "memory", **sizes)


async def disk(chosen: BotSettings) -> Line:
    """Write to the data folder, and measure how long it takes until a file is safe."""
    path = chosen.home
    try:
        took = await asyncio.to_thread(fsync, Home(path))
    except OSError as closed:
        return line(FAIL, "disk_closed", path=path, reason=closed.strerror)
    free = space.free_mib(Home(path))
    facts = {"path": path, "free": size(free << 20), "milliseconds": took}
    if free < chosen.min_free_mib:
        return line(FAIL, "disk_low", **facts, kept=size(chosen.min_free_mib << 20))
    return line(WARN if took > SLOW else OK, "disk_slow" if took > SLOW else "disk", **facts)


def fsync(home: Home) -> float:
    """Return the milliseconds until a small file is safe: the middle of five."""
    home.path.mkdir(mode=0o700, parents=True, exist_ok=True)
    probe, times = home.path / f".doctor.{os.getpid()}", []
    try:
        with probe.open("wb") as written:
            for _ in range(5):
                began = time.perf_counter()
                written.write(b"\0" * 4096)
                written.flush()
                os.fsync(written.fileno())
                times.append(time.perf_counter() - began)
    finally:
        probe.unlink(missing_ok=True)
    return sorted(times)[2] * 1000


async def database(chosen: BotSettings) -> Line:
    """Open what is remembered."""
    home = Home(chosen.home)
    try:
        async with await Store.open(home) as store:
            jobs = wording.format_count(len(await store.jobs.list_open()), "open job")
    except Exception as broken:  # noqa: BLE001 (whatever it is, a doctor tells it)
        return line(FAIL, "database_broken", reason=broken, path=home.database_file)
    return line(OK, "database", path=home.database_file, jobs=jobs)


async def token(chosen: BotSettings) -> Line:
    """Look at the token's shape; a wrong shape has already failed as a setting."""
    return line(WARN, "token_missing") if chosen.token is None else line(OK, "token")


async def upload(chosen: BotSettings) -> Line:
    """Look at the size of files that are posted."""
    high = chosen.upload > USUAL
    return line(WARN if high else OK, "upload_high" if high else "upload", limit=chosen.upload)


async def link(chosen: BotSettings) -> Line:
    """Ask our own address for a sign of life, as a member's browser would."""
    if chosen.public is None:
        return line(WARN, "link_unset", limit=chosen.upload)
    url = chosen.public.rstrip("/") + "/health"
    try:
        timeout = aiohttp.ClientTimeout(total=10)
        async with aiohttp.ClientSession(timeout=timeout) as session, session.get(url) as answer:
            answer.raise_for_status()
    except (aiohttp.ClientError, TimeoutError) as silent:
        reason = str(silent) or type(silent).__name__
        where = {"host": chosen.host, "port": chosen.port}
        return line(WARN, "link_silent", url=url, reason=reason, **where)
    return line(OK, "link")


async def ask(program: Sequence[str], command: str) -> dict[str, Any]:
    """Ask the training, in a child since it loads torch; what it cannot say is a reason."""
    child = await asyncio.create_subprocess_exec(
        *program, command, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    told, complained = await child.communicate()
    for answer in told.decode(errors="replace").splitlines():
        with suppress(ValueError):
            said = json.loads(answer)
            if isinstance(said, dict) and said.get("kind") == command:
                return said
    return {"reason": (complained.decode(errors="replace").splitlines() or ["no answer"])[-1]}


def torch(said: dict[str, Any]) -> list[Line]:
    """Look at torch and what it computes on."""
    if "reason" in said:
        return [line(FAIL, "torch_away", reason=said["reason"])]
    facts = said | {"free": size(said["free"] << 20)}
    gpu = said["device"] != "cpu"
    away = said.get("gpu_problem") or "gpu_away"
    found = [
        line(OK, "torch", **facts),
        line(OK if gpu else WARN, "gpu" if gpu else away, **facts),
    ]
    for method, families in said.get("reach", {}).items():
        fits = {"families": ", ".join(families), "method": method}
        found.append(line(OK, "reach", **fits) if families else line(WARN, "reach_none", **fits))
    return found


def bases(said: dict[str, Any], chosen: BotSettings) -> list[Line]:
    """Look which bases are on this machine, and who writes captions."""
    if "reason" in said:
        return [line(FAIL, "bases_away", reason=said["reason"])]
    here = [base["name"] for base in said["bases"] if base["present"]]
    missing = [base["name"] for base in said["bases"] if not base["present"] and base["known"]]
    found = [line(OK if here else FAIL, "bases", names=", ".join(here) or "none")]
    if missing:
        folder = Home(chosen.home).bases
        found.append(line(WARN, "bases_missing", names=", ".join(missing), folder=folder))
    found += [line(WARN, "bases_wrong", sentence=progress.sentence(one)) for one in said["wrong"]]
    present = said["captioner"]["present"]
    mark, check = (OK, "captioner") if present else (WARN, "captioner_missing")
    return [*found, line(mark, check, name=said["captioner"]["name"])]


def size(count: float) -> str:
    """Write a size as people say it."""
    return f"{count / (1 << 30):.1f} GB"
