"""Keeping what a command made, without replacing what is there: a taken name gets a number."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from itertools import chain, count
from pathlib import Path

from storage.errors import JobError
from storage.folders import replacing
from training.cli.output import tell


def number_names(name: str) -> Iterator[str]:
    """Yield a name, then the same with -2, -3, ... behind it."""
    yield name
    for number in count(2):
        yield f"{name}-{number}"


def number_paths(path: Path) -> Iterator[Path]:
    """Yield a file's path, then the same with -2, -3, ... before its suffix."""
    return (path.with_name(name + path.suffix) for name in number_names(path.stem))


def keep_file(
    write: Callable[[Path], object], paths: Iterable[Path], *, overwrite: bool = False
) -> Path | None:
    """Write a file whole under the first path that is free; return it, None if none is.

    With `overwrite`, the first path is taken in any case. `write` gets a path to write to.
    """
    places = iter(paths)
    first = next(places)
    staged = first.with_name(f".{first.name}.{os.getpid()}.new")
    try:
        with replacing(staged) as part:
            write(part)
        if overwrite:
            return staged.replace(first)
        for path in chain([first], places):
            with suppress(FileExistsError):
                _move_to_free(staged, path)
                return path
        return None
    finally:
        staged.unlink(missing_ok=True)


def keep_numbered(write: Callable[[Path], object], path: Path, *, overwrite: bool = False) -> Path:
    """Write a file whole, under a numbered name if its own is taken, and tell that name."""
    kept = keep_file(write, number_paths(path), overwrite=overwrite) or path
    if kept != path:
        tell("file_taken", taken=path.name, file=kept.name)
    return kept


def link_or_copy(file: Path, path: Path) -> None:
    """Link a whole file to a second name; copy it where the file system has no links."""
    try:
        path.hardlink_to(file)
    except OSError:
        shutil.copyfile(file, path)


def find_free_folder(place: Path, marker: str, *, overwrite: bool = False) -> Path:
    """Return a folder's path, numbered and told if it is taken and not to be replaced.

    Raises JobError "folder_foreign" rather than replace a folder without the file `marker`.
    """
    if overwrite and place.exists() and not (place / marker).is_file():
        raise JobError("folder_foreign", folder=str(place))
    if overwrite or not place.exists():
        return place
    names = map(place.with_name, number_names(place.name))
    free = next(path for path in names if not path.exists())
    tell("file_taken", taken=place.name, file=free.name)
    return free


def _move_to_free(file: Path, path: Path) -> None:
    """Rename a file; raise FileExistsError if there is something of that name."""
    try:
        path.hardlink_to(file)  # unlike a rename, it never replaces
    except FileExistsError:
        raise
    except OSError as unlinkable:  # FAT and some network disks have no links
        if path.exists():
            raise FileExistsError(path) from unlinkable
        file.rename(path)
