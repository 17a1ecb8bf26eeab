"""The folder of a training beside its style, from which the same command goes on.

    out/panda.safetensors
    out/panda.training/  job.json checkpoints/ samples/ classes/ events.jsonl metrics.jsonl
                         metrics.csv log.txt
                         photos/ as long as it trains

`job.json` has what makes a command the same: its recipe and its `origin`, the digests of what it
is made from. It gets `file`, the name of the style, once that is written.
"""

from __future__ import annotations

import filecmp
import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from storage.errors import JobError
from storage.folders import JobFolder, write_json
from training.cli.output import tell
from training.cli.outputs import keep_numbered, link_or_copy, number_names
from training.recipe.recipe import LATER_FIELDS, Recipe

SUFFIX = ".training"
LOCK = ".lock"  #: held while a command works in the folder
LOCK_SECONDS = 20.0  #: to wait for a command that is just ending
#: of a recipe: what follows from other fields, and is told only where nothing else differs
DERIVED = (
    "family", "resolution", "prompts", "save_every", "class_prompt", "scoring_share",
    "strength_share", "patience",
)  # fmt: skip
CHANGING = ("accepted", "photos")  #: of a recipe: its date, and what is compared apart


class RunFolder:
    """The folder of one training, whether it exists or not."""

    def __init__(self, out: Path, name: str) -> None:
        self.out, self.name = out, name
        self.folder = JobFolder(out / f"{name}{SUFFIX}")

    @property
    def sweep(self) -> Path:
        """Where the recipes of a sweep are trained, as long as it runs."""
        return self.folder.path / "sweep"

    @property
    def style_file(self) -> Path:
        """Where the finished style lies."""
        return self.out / f"{self.name}.safetensors"

    def read(self) -> dict[str, Any]:
        """Return the content of `job.json`; empty if it is not there or no JSON."""
        with suppress(OSError, ValueError):
            return self.folder.read_request()
        return {}

    def is_finished(self) -> bool:
        """Return whether its style is written."""
        return "file" in self.read()

    def is_unfinished(self) -> bool:
        """Return whether a command began here and did not end."""
        return self.folder.request_file.exists() and not self.is_finished()

    def is_free(self) -> bool:
        """Return whether neither the folder nor the style is there."""
        place = self.folder.path
        began = place.exists() and any(not each.name.startswith(".") for each in place.iterdir())
        return not began and not self.style_file.exists()

    def list_checkpoints(self) -> list[Path]:
        """List the checkpoints, also of a sweep's recipes, the newest last."""
        folders = [self.folder.checkpoints, *self.sweep.glob("*/checkpoints")]
        files = [file for folder in folders for file in folder.glob("step-*.safetensors")]
        return sorted(files, key=lambda file: file.name)

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Keep other commands out of the folder inside the block; afterwards, remove the photos.

        A folder in which nothing was begun is removed, too. Raises JobError "run_busy".
        """
        place = self.folder.path
        place.mkdir(parents=True, exist_ok=True)
        lock = FileLock(place / LOCK)
        try:
            lock.acquire(blocking=False)
        except Timeout:
            tell("run_waits", folder=str(place))
            try:
                lock.acquire(timeout=LOCK_SECONDS)
            except Timeout as busy:
                raise JobError("run_busy", folder=str(place)) from busy
        try:
            if not self.folder.request_file.exists():
                write_json(self.folder.request_file, {})
            self._sweep()
            yield
        finally:
            shutil.rmtree(self.folder.photos, ignore_errors=True)
            if not (self.read() or self.list_checkpoints()):
                shutil.rmtree(place, ignore_errors=True)
            lock.release()

    def _sweep(self) -> None:
        """Remove what a killed command left: its copies of the photos, and half files."""
        shutil.rmtree(self.folder.photos, ignore_errors=True)
        halves = [*self.folder.path.rglob(".*.part"), *self.out.glob(f".{self.style_file.name}.*")]
        for half in halves:
            half.unlink(missing_ok=True)

    def settle(self, recipe: Recipe, origin: dict[str, Any], *, fresh: bool) -> Recipe:
        """Return the recipe to train; with the first date if the checkpoints are of the same one.

        Otherwise the folder is emptied. Raises JobError "run_differs" if that would lose
        checkpoints of an unfinished training, unless it is to begin afresh.
        """
        stored = self.read()
        differs = list_differences(stored, recipe, origin)
        checkpoints, finished = self.list_checkpoints(), "file" in stored
        if differs and checkpoints and not (fresh or finished):
            step = int(checkpoints[-1].stem.removeprefix("step-"))
            place = str(self.folder.path)
            raise JobError("run_differs", folder=place, step=step, differs=differs)
        if differs or fresh or finished:
            self.empty()
            return recipe
        return replace(recipe, accepted=stored["recipe"]["accepted"])

    def empty(self) -> None:
        """Remove all but the photos."""
        folder = self.folder
        for each in (
            folder.checkpoints,
            folder.samples,
            folder.class_images,
            folder.result,
            folder.kept,
            folder.tensorboard,
            self.sweep,
        ):
            shutil.rmtree(each, ignore_errors=True)
        metrics = folder.metrics_json, folder.metrics_csv
        for file in (folder.events_file, folder.log_file, *metrics):
            file.unlink(missing_ok=True)

    def keep_style(self, *, overwrite: bool) -> Path:
        """Put the finished style beside the folder; return its path."""
        made, path = self.folder.result / self.style_file.name, self.style_file
        if path.is_file() and filecmp.cmp(path, made, shallow=False):  # killed just after it
            return path
        return keep_numbered(partial(link_or_copy, made), path, overwrite=overwrite)

    def finish(self, style: Path) -> None:
        """Note that everything is written; what comes next is another training."""
        write_json(self.folder.request_file, self.read() | {"file": style.name})
        shutil.rmtree(self.folder.result, ignore_errors=True)


@contextmanager
def open_run(out: Path, name: str, *, overwrite: bool) -> Iterator[RunFolder]:
    """Lock the folder to train in: an unfinished one, else a new one under the first free name.

    With `overwrite`, the name is taken in any case.
    """
    for numbered in number_names(name):
        run = RunFolder(out, numbered)
        if not (overwrite or run.is_unfinished() or run.is_free()):
            continue
        with run.locked():
            if overwrite or not run.is_finished():  # another command may just have ended
                if numbered != name:
                    tell("file_taken", taken=f"{name}.safetensors", file=run.style_file.name)
                yield run
                return


def list_differences(stored: dict[str, Any], recipe: Recipe, origin: dict[str, Any]) -> list[str]:
    """Return the names of what differs from the training that is stored, with what it was."""
    before, then = stored.get("recipe", {}), stored.get("origin", {})
    if not before:
        return ["recipe"]
    now = json.loads(json.dumps(recipe.to_json()))
    found = [
        describe_difference(part, then.get(part))
        for part, value in json.loads(json.dumps(origin)).items()
        if then.get(part) != value
    ]
    if then.get("photos") == origin["photos"] and now["photos"] != before.get("photos"):
        captions = [
            [photo["caption"] for photo in photos] for photos in (now["photos"], before["photos"])
        ]
        found.append("crops" if captions[0] == captions[1] else "captions")
    names = dict.fromkeys((*now, *LATER_FIELDS))
    changed = [
        name for name in names if name not in CHANGING and now.get(name) != before.get(name)
    ]
    told = [name for name in changed if name not in DERIVED]
    return found + [describe_difference(name, before.get(name)) for name in told or changed]


def describe_difference(name: str, before: object) -> str:
    """Return the name of something that differs, with what it was if that is short."""
    plain = name.replace("_", " ")
    short = isinstance(before, int | float | str) and 0 < len(str(before)) <= 20
    return f"{plain} (was {before})" if short else plain
