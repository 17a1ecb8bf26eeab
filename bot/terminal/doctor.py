"""`safelight doctor`: check the setup. Each line is ok, warn or fail, with what to do."""

from __future__ import annotations

import asyncio
import json
import os
import platform
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

import aiohttp
import psutil
from yarl import URL

from bot import wording
from bot.settings import BotSettings
from bot.terminal import progress
from bot.terminal.progress import TRAINING_PROGRAM
from bot.wording import fill, format_duration
from storage import disk as space
from storage.backup.folder import check_mounted
from storage.backup.status import BackupStatus
from storage.errors import UserError
from storage.folders import ASIDE_DAYS, Home
from storage.homefolder import check_parent
from storage.photos.examine import list_looks
from storage.photos.faces import can_find_faces
from storage.photos.sandbox import try_rights
from storage.rekey import PLAIN, count_keys
from storage.settings import read_settings
from storage.tables.database import MIN_SQLITE_VERSION, SQLITE_VERSION
from storage.tables.diagnosis import Quarantine, diagnose
from storage.tables.sealing import count_row_keys

SLOW_WRITE_MS = 50.0  #: above this, a write with fsync is slow
LOW_MEMORY_BYTES = 2 << 30  #: below this, little can be trained
UNBOOSTED_LIMIT_MIB = 20  #: of a file on a server without boosts
MAX_BACKUP_SECONDS = 7 * 86400.0  #: since the last backup, and since one was verified
OK, WARN, FAIL = "ok", "warn", "fail"


class Line(NamedTuple):
    """One line of the report."""

    mark: str
    text: str


def make_line(mark: str, check: str, **facts: object) -> Line:
    """Return a line with a check's sentence."""
    return Line(mark, fill(wording.doctor.CHECKS[check], **facts))


async def run_checks(program: Sequence[str] = TRAINING_PROGRAM) -> int:
    """Print each check as it ends; return exit code 1 if one fails."""
    marks = []
    async for line in check_all(program):
        marks.append(line.mark)
        sys.stdout.write(f"{wording.doctor.MARKS[line.mark]}  {line.text}\n")
        sys.stdout.flush()
    worst = next((mark for mark in (FAIL, WARN) if mark in marks), OK)
    sys.stdout.write(f"\n{wording.doctor.VERDICTS[worst]}\n")
    return int(worst == FAIL)


async def check_all(program: Sequence[str]) -> AsyncIterator[Line]:
    """Check one thing after the other."""
    yield check_python()
    yield check_sqlite(SQLITE_VERSION)
    yield check_memory()
    yield await asyncio.to_thread(check_darkroom)
    yield make_line(OK, "faces" if can_find_faces() else "faces_extra")
    yield make_line(OK, "nets" if list_looks() else "nets_extra")
    try:
        settings = read_settings(BotSettings)
    except UserError as wrong:
        yield make_line(FAIL, "setting", problem=wording.explain_in_shell(wrong))
        return
    device = asyncio.create_task(query_training(program, "device"))
    for line in await asyncio.to_thread(check_home, settings):
        yield line
    for check in (check_token, check_public_url, check_upload_limit):
        yield await check(settings)
    yield check_backup(settings)
    for line in (
        *check_torch(await device),
        *check_machines(await query_training(program, "machines")),
        *check_bases(await query_training(program, "bases"), settings),
    ):
        yield line


def check_python() -> Line:
    """Check the version of Python."""
    version = platform.python_version()
    if sys.version_info < (3, 11):  # noqa: UP036 - a doctor asks
        return make_line(FAIL, "python_old", version=version)
    return make_line(OK, "python", version=version)


def check_sqlite(version: tuple[int, ...]) -> Line:
    """Check the version of the SQLite that comes with Python."""
    facts = {"version": format_version(version), "oldest": format_version(MIN_SQLITE_VERSION)}
    old = version < MIN_SQLITE_VERSION
    return make_line(FAIL if old else OK, "sqlite_old" if old else "sqlite", **facts)


def format_version(version: tuple[int, ...]) -> str:
    """Return a version as text: 3.45.1."""
    return ".".join(map(str, version))


def check_memory() -> Line:
    """Check how much memory is free."""
    now = psutil.virtual_memory()
    scarce = now.available < LOW_MEMORY_BYTES
    sizes = {"free": format_gib(now.available), "total": format_gib(now.total)}
    return make_line(WARN if scarce else OK, "memory_low" if scarce else "memory", **sizes)


def check_darkroom() -> Line:
    """Check what the process that opens members' photos is kept from, by letting it try."""
    try:
        return describe_rights(try_rights())
    except (OSError, EOFError, ValueError, subprocess.SubprocessError) as broken:
        return make_line(FAIL, "darkroom_broken", reason=repr(broken))


def describe_rights(rights: dict[str, bool]) -> Line:
    """Return the line that says what the process for photos can reach."""
    within_reach = [right for right, possible in rights.items() if possible]
    if within_reach:
        return make_line(WARN, "darkroom_open", rights=wording.join_words(within_reach))
    return make_line(OK, "darkroom", rights=wording.join_words(list(rights)))


def check_home(settings: BotSettings) -> list[Line]:
    """Check the data folder, its database and its quarantine; nothing in it is changed."""
    home = Home(settings.home)
    try:
        check_parent(home)
    except UserError as missing:
        return [refused(missing)]
    return [check_disk(settings), *check_database(settings), *check_photos(settings)]


def check_disk(settings: BotSettings) -> Line:
    """Check that the data folder can be written to, quickly, and that the disk has room."""
    path = settings.home
    try:
        milliseconds = measure_fsync(space.find_existing(Home(path)))
    except OSError as closed:
        if not space.is_full_disk_error(closed):
            return make_line(FAIL, "disk_closed", path=path, reason=closed.strerror)
        return make_line(FAIL, "disk_full", path=path)
    free = space.free_mib(Home(path))
    facts = {
        "path": path,
        "free": format_gib(free << 20),
        "milliseconds": max(1, round(milliseconds)),
    }
    if free < settings.min_free_mib:
        return make_line(FAIL, "disk_low", **facts, kept=format_gib(settings.min_free_mib << 20))
    return make_line(
        WARN if milliseconds > SLOW_WRITE_MS else OK,
        "disk_slow" if milliseconds > SLOW_WRITE_MS else "disk",
        **facts,
    )


def measure_fsync(folder: Path) -> float:
    """Return the median milliseconds of five small writes, each with fsync."""
    probe, times = folder / f".doctor.{os.getpid()}.part", []
    try:
        with probe.open("wb") as written:
            for _ in range(5):
                began = time.perf_counter()
                written.write(b"\0" * 4096)
                written.flush()
                os.fsync(written.fileno())
                times.append(time.perf_counter() - began)
    finally:
        with suppress(OSError):
            probe.unlink(missing_ok=True)
    return sorted(times)[2] * 1000


def check_database(settings: BotSettings) -> list[Line]:
    """Check that the database is whole and of a version that we can use, and the quarantine."""
    home = Home(settings.home)
    try:
        check_mounted(home, settings.backup)
        found = diagnose(home)
    except UserError as error:
        return [refused(error)]
    except Exception as broken:  # noqa: BLE001 (whatever it is, a doctor tells it)
        return [make_line(FAIL, "database_broken", reason=repr(broken), folder=home.path)]
    jobs = wording.format_count(found.open_jobs, "open job")
    facts = {"path": home.database_file, "folder": home.path, "jobs": jobs, "days": ASIDE_DAYS}
    check = "database" if found.version == found.newest else "database_old"
    if not found.version:
        check = "database_away" if found.left_alone else "database_new"
    line = make_line(WARN if check == "database_away" else OK, check, **facts)
    return [line, *check_quarantine(home, found.quarantine)]


def check_photos(settings: BotSettings) -> list[Line]:
    """Check whether photos are encrypted, and that their keys are set."""
    home = Home(settings.home)
    keys, counted = settings.read_photo_keys(), count_keys(home)
    total, current = counted.total(), counted[keys.current] if keys.current else 0
    missing = [key for key in counted if key != PLAIN and not keys.knows(key)]
    if missing:
        count = wording.format_count(sum(counted[key] for key in missing), "file")
        return [make_line(FAIL, "photos_locked", files=count, keys=", ".join(missing))]
    if not keys.current:
        return [make_line(WARN, "photos_plain")]
    if current < total:
        facts = {"files": wording.format_count(total - current, "file"), "key": keys.current}
        return [make_line(WARN, "photos_other", **facts)]
    rows = count_row_keys(home)
    if others := rows.total() - rows[keys.current]:
        photos = wording.format_count(others, "photo")
        return [make_line(WARN, "photos_found", photos=photos, key=keys.current)]
    files = wording.format_count(total, "file")
    return [make_line(OK, "photos", key=keys.current, files=files)]


def check_quarantine(home: Home, found: Quarantine | None) -> list[Line]:
    """Return lines on what belongs to no row of the database."""
    if found is None:
        return []
    counts = {"job": found.jobs, "style": found.styles, "photo": found.photos}
    said = [wording.format_count(count, name) for name, count in counts.items() if count]
    facts = {"what": wording.join_words(said), "since": found.since, "days": ASIDE_DAYS}
    return [make_line(WARN, "quarantine", folder=home.quarantine, **facts)]


def refused(error: UserError) -> Line:
    """Return the line of what would keep a process from starting."""
    return make_line(FAIL, "refused", sentence=wording.explain_in_shell(error))


async def check_token(settings: BotSettings) -> Line:
    """Check that there is a token; a malformed one has already failed as a setting."""
    return make_line(FAIL, "token_missing") if settings.token is None else make_line(OK, "token")


async def check_upload_limit(settings: BotSettings) -> Line:
    """Check the largest size of file that is posted."""
    high = settings.upload_mib > UNBOOSTED_LIMIT_MIB
    return make_line(
        WARN if high else OK, "upload_high" if high else "upload", limit=settings.upload_mib
    )


async def check_public_url(settings: BotSettings) -> Line:
    """Check that our public address answers, as a member's browser would see it."""
    if settings.public_url is None:
        return make_line(WARN, "link_unset", limit=settings.upload_mib)
    url = settings.public_url.rstrip("/") + "/health"
    try:
        timeout = aiohttp.ClientTimeout(total=10)
        async with aiohttp.ClientSession(timeout=timeout) as session, session.get(url) as answer:
            answer.raise_for_status()
    except (aiohttp.ClientError, TimeoutError) as silent:
        reason = str(silent) or type(silent).__name__
        where = {"host": settings.host, "port": settings.port}
        return make_line(WARN, "link_silent", url=url, reason=reason, **where)
    if is_secure(URL(settings.public_url)):
        return make_line(OK, "link")
    return make_line(WARN, "link_plain", url=settings.public_url)


def is_secure(url: URL) -> bool:
    """Return whether browsers let a page of this address compute digests (secure contexts)."""
    return url.scheme == "https" or url.host in {"localhost", "127.0.0.1", "::1"}


def check_backup(settings: BotSettings) -> Line:
    """Check that there are backups, made and verified not long ago."""
    status, now = BackupStatus.read(Home(settings.home)), time.time()
    folder = str(settings.backup or status.folder)
    if status.error is not None:
        sentence = wording.explain_in_shell(status.error)
        return make_line(WARN, "backup_failed", sentence=sentence)
    if not status.made:
        return make_line(WARN, "backup_none")
    made, verified = (format_duration(now - time) for time in (status.made, status.verified))
    if now - status.made > MAX_BACKUP_SECONDS:
        return make_line(WARN, "backup_old", made=made, folder=folder)
    if now - status.verified > MAX_BACKUP_SECONDS:
        days = round(MAX_BACKUP_SECONDS / 86400)
        return make_line(WARN, "backup_unverified", days=days, folder=folder)
    return make_line(OK, "backup", folder=folder, made=made, verified=verified)


async def query_training(program: Sequence[str], command: str) -> dict[str, Any]:
    """Return the answer of a command of the training, or {"reason": …} if it has none."""
    child = await asyncio.create_subprocess_exec(
        *program, command, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    output, errors = await child.communicate()
    for line in output.decode(errors="replace").splitlines():
        with suppress(ValueError):
            answer = json.loads(line)
            if isinstance(answer, dict) and answer.get("kind") == command:
                return answer
    return {"reason": (errors.decode(errors="replace").splitlines() or ["no answer"])[-1]}


def check_torch(answer: dict[str, Any]) -> list[Line]:
    """Check torch, the GPU, and which methods fit in its memory."""
    if "reason" in answer:
        return [make_line(FAIL, "torch_away", reason=answer["reason"])]
    facts = answer | {"free": format_gib(answer["free"] << 20)}
    gpu = answer["device"] != "cpu"
    problem = answer.get("gpu_problem") or "gpu_away"
    lines = [
        make_line(OK, "torch", **facts),
        make_line(OK if gpu else WARN, "gpu" if gpu else problem, **facts),
    ]
    for method, families in answer.get("reach", {}).items():
        fits = {"families": ", ".join(families), "method": method}
        lines.append(
            make_line(OK, "reach", **fits) if families else make_line(WARN, "reach_none", **fits)
        )
    return lines


def check_machines(answer: dict[str, Any]) -> list[Line]:
    """Check whether other machines can join, if they may."""
    if "problem" in answer:
        return [make_line(FAIL, "refused", sentence=answer["problem"])]
    return [make_line(OK, "machines", **answer)] if "address" in answer else []


def check_bases(answer: dict[str, Any], settings: BotSettings) -> list[Line]:
    """Check which bases are installed, and which captioner."""
    if "reason" in answer:
        return [make_line(FAIL, "bases_away", reason=answer["reason"])]
    here = [base["name"] for base in answer["bases"] if base["present"]]
    missing = [base["name"] for base in answer["bases"] if not base["present"] and base["known"]]
    lines = [
        make_line(OK if here else FAIL, "bases", names=", ".join(here) or "none"),
        check_captioner(answer),
    ]
    if missing:
        folder = Home(settings.home).bases
        lines.append(make_line(WARN, "bases_missing", names=", ".join(missing), folder=folder))
    lines += [
        make_line(WARN, "bases_wrong", sentence=progress.explain_event(one))
        for one in answer["wrong"]
    ]
    return lines


def check_captioner(answer: dict[str, Any]) -> Line:
    """Check that photos get captions."""
    name, known = answer["captioner"]["name"], [each["name"] for each in answer["captioners"]]
    if answer["captioner"]["present"]:
        return make_line(OK, "captioner", name=name)
    check = "captioner_missing" if name in known or "/" in name else "captioner_unknown"
    return make_line(WARN, check, name=name, names=", ".join(known))


def format_gib(count: float) -> str:
    """Return bytes as GB."""
    return f"{count / (1 << 30):.1f} GB"
