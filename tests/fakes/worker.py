"""A worker whose jobs need no torch: the real protocol and files, in milliseconds.

    python -m tests.fakes.worker scheduler    the real scheduler, whose workers are
    python -m tests.fakes.worker NAME         the real worker, with the fake runtime

The trained "weights" are a digest of the recipe and of every step, so a step that is skipped or
done twice changes the result. While a file `hold` lies in the data folder, a training stays at
step 25, between two steps; while a file `keep` does, trainings can be gone on from. A file `die`
names a moment of a training in which the worker is killed once: "step 15", "checkpoint 20" (half
of it is written), "result", "ending" (the result is). The worker called "mps" is a little one: it
has no memory for the base "large".
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import logging
import os
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from storage.errors import JobError
from storage.events import (
    Cancelled,
    CheckpointSaved,
    Done,
    Event,
    Paused,
    PhotoCaptioned,
    PictureDrawn,
    PreviewsDrawn,
    Progress,
    Started,
    StepBoundary,
    Timings,
)
from storage.folders import Home, JobFolder, replacing, write_whole
from storage.photofiles import write_photo
from storage.records import Base, Catalog, Concept, Dial, JobCommand, Kind, Method, Rule
from training.recipe.recipe import Recipe
from training.worker.execution import Task
from training.worker.folder import WorkerFolder
from training.worker.worker import serve

CHECKPOINT_INTERVAL = 10  #: steps
HOLD_STEP = 25
FEATURES = "AAEC"  #: of every photo
LARGE_BYTES = 8 << 20  #: of what the sample "large" writes
STEP_SECONDS = 0.002
POLL_SECONDS = 0.02  #: between two turns of the scheduler
HOLD_FILE = Path(os.environ.get("SAFELIGHT_HOME", ".")) / "hold"
DIE_FILE, KEEP_FILE = HOLD_FILE.with_name("die"), HOLD_FILE.with_name("keep")
SMALL = Base("embedded", "Fake", "sd1", "embedded:diffusion", 64, "none", "tests", present=True)
SMALL_MIB, LARGE_MIB = 40, 70  #: that trainings on them take
LITTLE, LITTLE_MIB = "mps", 50
RULE = Rule("lora", "", Concept.LOOK, Dial.QUICK, 40, 0, 1, 99, 2, 1e-3, 2, 1000, "tests")
LARGE = Base("large", "Large", "sd1", "large", 512, "none", "tests", present=True, memory_mib=60)


def train(folder: JobFolder) -> Task:
    """Train: hash the number of each step into the state."""
    began, recipe = time.perf_counter(), folder.read_request()["recipe"]
    last = Recipe.from_json(recipe).last_step  # read as a real training does, first of all
    step, state = read_checkpoint(folder, recipe)
    yield Started(step, last, "fake", resumed=step > 0)
    early = False
    if step and step % CHECKPOINT_INTERVAL == 0:
        yield PreviewsDrawn(step, (f"{step}.png",))
    while step < last:
        command = yield StepBoundary(step)
        if command is JobCommand.PAUSE:
            yield write_checkpoint(folder, step, state)
            yield Paused(step)
            return
        if command is JobCommand.CANCEL:
            yield Cancelled(step)
            return
        if command is JobCommand.FINISH:
            early = True
            break
        if step == HOLD_STEP and HOLD_FILE.exists():
            time.sleep(10 * STEP_SECONDS)
            continue
        die_at(f"step {step}")
        time.sleep(STEP_SECONDS)
        step, state = step + 1, hashlib.sha256(f"{state}{step}".encode()).hexdigest()
        yield Progress(step, last)
        if step % CHECKPOINT_INTERVAL == 0:
            yield write_checkpoint(folder, step, state)
            yield PreviewsDrawn(step, (f"{step}.png",))
    keep_state(folder, recipe, step)
    file = folder.result / f"{recipe['name']}.safetensors"
    write_or_die(file, state.encode(), "result")
    die_at("ending")
    timings = Timings(time.perf_counter() - began, 1 / STEP_SECONDS)
    full = not recipe["rank"]
    digest = hashlib.sha256(state.encode()).hexdigest()
    yield Done(step, timings, file.name, 64, digest, early=early, full_model=full)


def keep_state(folder: JobFolder, recipe: dict[str, Any], step: int) -> None:
    """Keep what a training may go on from: its step and its recipe."""
    if not KEEP_FILE.exists():
        return
    folder.kept_state.parent.mkdir(parents=True, exist_ok=True)
    metadata = {"step": str(step), "recipe": json.dumps(recipe)}
    header = json.dumps({"__metadata__": metadata}).encode()
    write_whole(folder.kept_state, len(header).to_bytes(8, "little") + header)


def die_at(moment: str) -> None:
    """Kill this process if it is to die at this moment."""
    if DIE_FILE.exists() and DIE_FILE.read_text() == moment:
        DIE_FILE.unlink()
        os.kill(os.getpid(), signal.SIGKILL)


def write_or_die(file: Path, content: bytes, moment: str) -> None:
    """Write a file as the real trainer does; at the moment to die, half of it."""
    with replacing(file) as part:
        part.write_bytes(content[: len(content) // 2])
        die_at(moment)
        part.write_bytes(content)


def write_checkpoint(folder: JobFolder, step: int, state: str) -> Event:
    """Write a checkpoint."""
    file = folder.checkpoints / f"{step:06}.json"
    write_or_die(file, json.dumps([step, state]).encode(), f"checkpoint {step}")
    return CheckpointSaved(step, f"{step:06}.json", "loss.png")


def read_checkpoint(folder: JobFolder, recipe: dict[str, Any]) -> tuple[int, str]:
    """Return step and state of the newest checkpoint, or of the start."""
    for path in sorted(folder.checkpoints.glob("[0-9]*.json"), reverse=True):
        with suppress(ValueError):  # a power cut has taken a part of it
            step, state = json.loads(path.read_bytes())
            return step, state
    asked = {key: recipe[key] for key in ("seed", "steps", "learning_rate", "photos")}
    return 0, hashlib.sha256(json.dumps(asked).encode()).hexdigest()


def sample(folder: JobFolder) -> Iterator[Event]:
    """Write a picture, or fail in the way that the prompt names."""
    request = folder.read_request()["request"]
    yield Started(0, 1)
    match request["prompt"]:
        case "foreseen":
            raise JobError("style_broken", reason="a test")
        case "bug":
            raise RuntimeError("a test")
        case "dies":
            os.abort()
        case "silent":
            return
        case "large":
            write_whole(folder.result / "large", bytes(LARGE_BYTES))
    worn = folder.path / "style.safetensors"
    write_whole(folder.result / "0.png", worn.read_bytes() if worn.exists() else b"bare")
    yield PictureDrawn("0.png", request["seed"], request["prompt"])
    yield Done(1)


def judge(folder: JobFolder) -> Iterator[Event]:
    """Grade styles: each entry is clearly better than those before it."""
    request = folder.read_request()["request"]
    assert all((folder.photos / each["file"]).exists() for each in request["photos"])
    numbers = [each["number"] for each in request["judged"]]
    assert all((folder.path / f"style-{number}.safetensors").exists() for number in numbers)
    if (folder.path.parent.parent / "unjudged").exists():
        raise JobError("memory_full")
    yield Started(0, 1)
    grades = {
        str(number): {
            "score": number / 10, "spread": 0.01, "likeness": 0.5, "variety": 1.0, "copies": 0.0,
            "beats": numbers[:at],
        }
        for at, number in enumerate(numbers)
    }  # fmt: skip
    write_whole(folder.result / "0.png", b"grid")
    content = {"grades": grades, "crossed": [], "bases": {}}
    write_whole(folder.result / "grades.json", json.dumps(content).encode())
    yield PictureDrawn("0.png")
    yield Done(1)


def caption(folder: JobFolder) -> Iterator[Event]:
    """Caption each photo with its number, and see the same in all."""
    photos = folder.read_request()["request"]["photos"]
    content = json.dumps(dict.fromkeys(photos, FEATURES)).encode()
    write_photo(folder.features_file, content, hashlib.sha256(content).hexdigest())
    for at, photo in enumerate(photos, 1):
        assert (folder.photos / f"{at:04}.png").exists()
        yield PhotoCaptioned(photo, f"{at:04}.png", f"photo {at}")
    yield Done(1)


TASKS = {Kind.TRAIN: train, Kind.SAMPLE: sample, Kind.CAPTION: caption, Kind.GRADE: judge}


class FakeRuntime:
    """What a worker runs its jobs in."""

    def __init__(self, memory_mib: int = 100) -> None:
        self.memory_mib = memory_mib

    def catalog(self) -> Catalog:
        """Return a catalog of two bases and one method, on a GPU."""
        rules = tuple(
            replace(RULE, base=base.name, memory_mib=mib)
            for base, mib in ((SMALL, SMALL_MIB), (LARGE, LARGE_MIB))
        )
        return Catalog(
            (SMALL, LARGE), (Method("lora"),), rules=rules, device="fake",
            memory_mib=self.memory_mib,
        )  # fmt: skip

    def start_task(self, kind: Kind, folder: JobFolder) -> Task:
        """Start a job's task."""
        return TASKS[kind](folder)

    def import_next(self) -> None:
        """Do nothing: there is nothing to load."""

    def free_memory(self) -> None:
        """Do nothing: there is no memory to free."""

    def state(self) -> dict[str, Any]:
        """Serve samples of the small base only."""
        return {"serves": ["embedded"], "free": 100}


async def run_scheduler(home: Home) -> None:
    """Run the real scheduler, with this file as its workers."""
    from storage.settings import read_settings  # noqa: PLC0415
    from storage.store import Store  # noqa: PLC0415 - a worker needs none of this
    from training.scheduler.local import LocalBackend  # noqa: PLC0415
    from training.scheduler.scheduler import Scheduler  # noqa: PLC0415
    from training.settings import TrainingSettings  # noqa: PLC0415

    stop, loop = asyncio.Event(), asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGTERM, stop.set)
    async with await Store.open(home) as store:
        backend = LocalBackend(home, (sys.executable, "-m", "tests.fakes.worker"))
        settings = read_settings(TrainingSettings, home=home.path, device="cpu")
        scheduler = Scheduler(store, settings, backend)
        scheduler.poll_seconds = POLL_SECONDS
        await scheduler.run(stop)


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO)
    here = Home(Path(os.environ["SAFELIGHT_HOME"]))
    if sys.argv[1] == "scheduler":
        asyncio.run(run_scheduler(here))
    else:
        runtime = partial(FakeRuntime, *([LITTLE_MIB] if sys.argv[1] == LITTLE else []))
        sys.exit(serve(here, WorkerFolder(here.workers / sys.argv[1]), runtime))
