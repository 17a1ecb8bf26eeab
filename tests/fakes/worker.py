"""A worker's studio without torch: the same protocol, files and ends, in milliseconds.

    python twin.py trainer        the real trainer, whose workers are
    python twin.py NAME           the real worker, with this studio

A training's weights are a digest of the recipe and of every step, so that a step left out, done
twice or begun anew shows in the result. While `hold` lies in the data folder, a training waits at
step 25 and only passes boundaries.
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
from pathlib import Path
from typing import Any

from storage.errors import JobError
from storage.folders import Home, JobFolder, write
from storage.records import Base, Catalog, Event, Kind, Method, Wish
from training.worker.execution import Task
from training.worker.folder import Desk
from training.worker.worker import serve

EVERY = 10  #: steps between checkpoints
HELD = 25  #: step at which a training can be held
PAUSE = 0.002  #: seconds of a step
HOLD = Path(os.environ.get("SAFELIGHT_HOME", ".")) / "hold"
SMALL = Base("embedded", "Twin", "sd1", "embedded:diffusion", 64, "none", "tests", present=True)
LARGE = Base("large", "Large", "sd1", "large", 512, "none", "tests", present=True)


def event(kind: str, **facts: Any) -> Event:
    """Note what happened, now."""
    return Event(kind, facts, time.time())


def train(folder: JobFolder) -> Task:
    """Add up the steps of a recipe."""
    recipe = folder.request()["recipe"]
    step, state = newest(folder, recipe)
    yield event(
        "started", step=step, steps=recipe["steps"], resumed=step > 0, device="twin",
    )  # fmt: skip
    early = False
    while step < recipe["steps"]:
        wish = yield event("step")
        if wish is Wish.PAUSE:
            yield save(folder, step, state)
            yield event("paused", step=step)
            return
        if wish is Wish.CANCEL:
            yield event("cancelled", step=step)
            return
        if wish is Wish.FINISH:
            early = True
            break
        if step == HELD and HOLD.exists():
            time.sleep(10 * PAUSE)
            continue
        time.sleep(PAUSE)
        step, state = step + 1, hashlib.sha256(f"{state}{step}".encode()).hexdigest()
        yield event("progress", step=step, steps=recipe["steps"])
        if step % EVERY == 0:
            yield save(folder, step, state)
    file = folder.result / f"{recipe['name']}.safetensors"
    write(file, state.encode())
    yield event(
        "done", file=file.name, bytes=64, steps=step, speed=1 / PAUSE, photo=0.0, picture=0.0,
        early=early,
        whole=not recipe["rank"],
    )  # fmt: skip


def save(folder: JobFolder, step: int, state: str) -> Event:
    """Write a checkpoint."""
    write(folder.checkpoints / f"{step:06}.json", json.dumps([step, state]).encode())
    return event("checkpoint", step=step, file=f"{step:06}.json", curve="loss.png")


def newest(folder: JobFolder, recipe: dict[str, Any]) -> tuple[int, str]:
    """Read the newest checkpoint."""
    for path in sorted(folder.checkpoints.glob("[0-9]*.json"), reverse=True):
        step, state = json.loads(path.read_bytes())
        return step, state
    asked = {key: recipe[key] for key in ("seed", "steps", "rate", "photos")}
    return 0, hashlib.sha256(json.dumps(asked).encode()).hexdigest()


def sample(folder: JobFolder) -> Iterator[Event]:
    """Draw a picture, or go wrong in the way the prompt names."""
    request = folder.request()["request"]
    yield event("started", step=0, steps=1)
    match request["prompt"]:
        case "foreseen":
            raise JobError("style_broken", reason="a test")
        case "bug":
            raise RuntimeError("a test")
        case "dies":
            os.kill(os.getpid(), signal.SIGKILL)
        case "silent":
            return
        case "full":
            raise OSError(28, "No space left on device")
    worn = folder.path / "style.safetensors"
    write(folder.result / "0.png", worn.read_bytes() if worn.exists() else b"bare")
    yield event("picture", file="0.png", seed=request["seed"], prompt=request["prompt"])
    yield event("done", steps=1)


def caption(folder: JobFolder) -> Iterator[Event]:
    """Describe photos by their order."""
    for at, photo in enumerate(folder.request()["request"]["photos"], 1):
        assert (folder.photos / f"{at:04}.png").exists()
        yield event("caption", photo=photo, file=f"{at:04}.png", caption=f"photo {at}")
    yield event("done", steps=1)


class Twin:
    """The studio."""

    def catalog(self) -> Catalog:
        """Offer two bases."""
        return Catalog(bases=(SMALL, LARGE), methods=(Method("lora"),), device="twin")

    def task(self, kind: Kind, folder: JobFolder) -> Task:
        """Begin a job."""
        return {Kind.TRAIN: train, Kind.SAMPLE: sample, Kind.CAPTION: caption}[kind](folder)

    def warm(self) -> None:
        """Need nothing."""

    def rest(self) -> None:
        """Hold nothing."""

    def state(self) -> dict[str, Any]:
        """Have room for the small base alone."""
        return {"serves": ["embedded"]}


async def trainer(home: Home) -> None:
    """Be the trainer of twins."""
    from storage.store import Store  # noqa: PLC0415 - a worker needs none of this
    from training import settings  # noqa: PLC0415
    from training.scheduler.local import LocalBackend  # noqa: PLC0415
    from training.scheduler.scheduler import Trainer  # noqa: PLC0415

    stop, loop = asyncio.Event(), asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGTERM, stop.set)
    async with await Store.open(home) as store:
        backend = LocalBackend(home, (sys.executable, __file__))
        await Trainer(store, settings.read(home=home.path, device="cpu"), backend).run(stop)


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO)
    here = Home(Path(os.environ["SAFELIGHT_HOME"]))
    if sys.argv[1] == "trainer":
        asyncio.run(trainer(here))
    else:
        sys.exit(serve(here, Desk(here.workers / sys.argv[1]), Twin))
