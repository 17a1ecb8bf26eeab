"""`safelight backup` and `safelight restore`, in a process that yields to everything else."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path

import psutil

from bot import wording
from bot.settings import BotSettings
from bot.wording import fill, format_count, format_duration, format_size, join_words
from storage.backup.manifest import DATABASE, Manifest
from storage.backup.restore import restore
from storage.backup.retention import parse_keep
from storage.backup.status import BackupStatus
from storage.backup.verify import verify
from storage.backup.write import BackupReport, back_up
from storage.errors import UserError
from storage.folders import Home
from storage.settings import read_settings

LOWEST_NICE = 19


def add_arguments(backup: argparse.ArgumentParser, restoring: argparse.ArgumentParser) -> None:
    """Add the arguments of both commands to their parsers."""
    for parser in (backup, restoring):
        parser.add_argument("folder", type=Path, metavar="DIR", help=wording.backup.FOLDER)
        parser.add_argument("--at", default="", metavar="WHEN", help=wording.backup.AT)
    backup.add_argument("--keep", metavar="7d,4w,6m", help=wording.backup.KEEP)
    backup.add_argument("--verify", action="store_true", help=wording.backup.VERIFY)


def run_backup(given: argparse.Namespace) -> int:
    """Take a backup, or verify one, and note for the doctor what came of it."""
    settings = read_settings(BotSettings)
    home = Home(settings.home)
    keep = None if given.keep is None else parse_keep(given.keep)
    yield_to_others()
    with noting_failure(home, given.folder):
        if given.verify:
            report = verify(given.folder, given.at)
            seconds = format_duration(report.seconds)
            say(wording.backup.VERIFIED, when=format_time(report.manifest), seconds=seconds)
            say_missing(report.manifest)
            after = BackupStatus.read(home).after_verification(str(given.folder))
        else:
            say_made(given.folder, back_up(home, given.folder, keep, settings.min_free_mib))
            after = BackupStatus.read(home).after_backup(str(given.folder))
        if home.path.is_dir():
            after.write(home)
    return 0


def run_restore(given: argparse.Namespace) -> int:
    """Bring the data folder back."""
    home = Home(read_settings(BotSettings).home)
    manifest = restore(given.folder, home, given.at)
    when = format_time(manifest)
    say(wording.backup.RESTORED, home=home.path, when=when, **count_contents(manifest))
    say_missing(manifest)
    if manifest.bases:
        say(wording.backup.BASES, folder=home.bases, names=join_words(list(manifest.bases)))
    return 0


def yield_to_others() -> None:
    """Take processor and disk only when nobody else wants them."""
    with suppress(AttributeError, OSError):  # not everywhere
        os.nice(LOWEST_NICE)
        psutil.Process().ionice(psutil.IOPRIO_CLASS_IDLE)


@contextmanager
def noting_failure(home: Home, folder: Path) -> Iterator[None]:
    """Note for the doctor what stops a backup."""
    try:
        yield
    except UserError as error:
        if home.path.is_dir():
            with suppress(OSError):
                BackupStatus.read(home).after_failure(str(folder), error).write(home)
        raise


def say_made(folder: Path, report: BackupReport) -> None:
    """Print what a backup has, and what went from older ones."""
    say(
        wording.backup.MADE,
        folder=folder,
        seconds=format_duration(report.seconds),
        copied=format_size(report.copied_bytes + report.manifest.files[DATABASE].bytes),
        size=format_size(report.manifest.bytes),
        **count_contents(report.manifest),
    )
    say_missing(report.manifest)
    if report.forgotten:
        say(wording.backup.FORGOTTEN, backups=format_count(report.forgotten, "backup"))
    if report.damaged:
        say(wording.backup.DAMAGED, backups=format_count(report.damaged, "backup"))
    if report.removed:
        say(wording.backup.REMOVED, backups=format_count(report.removed, "backup"))


def say_missing(manifest: Manifest) -> None:
    """Print which files a backup lacks because they were lost before."""
    if manifest.missing:
        count = format_count(len(manifest.missing), "file")
        say(wording.backup.MISSING, count=count, file=manifest.missing[0])


def count_contents(manifest: Manifest) -> dict[str, str]:
    """Return how many photos, styles and jobs a backup has."""
    jobs = {path.split("/")[1] for path in manifest.files if path.startswith("runs/")}
    rooms = [path.partition("/")[0] for path in manifest.files]
    return {
        "photos": format_count(rooms.count("photos"), "photo"),
        "styles": format_count(rooms.count("styles"), "style"),
        "jobs": format_count(len(jobs), "job"),
    }


def format_time(manifest: Manifest) -> str:
    """Return when a backup was made, in this machine's time."""
    return datetime.fromtimestamp(manifest.created).astimezone().strftime("%Y-%m-%d %H:%M")


def say(template: str, **facts: object) -> None:
    """Print a sentence."""
    sys.stdout.write(fill(template, **facts) + "\n")
    sys.stdout.flush()
