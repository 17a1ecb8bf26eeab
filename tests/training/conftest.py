"""Real parts for training: the embedded base on one thread, drawn photos, job folders."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import pytest
from PIL import Image, ImageDraw

from storage.events import Event
from storage.folders import Home, JobFolder, write_json
from storage.records import Concept, Dial
from storage.requests import TrainRequest
from storage.store import Store
from tests.fakes.emptystore import lay_empty_store
from tests.fakes.jobqueue import QueueKit

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator
    from pathlib import Path

    from tests.fakes.smalldisk import SmallDisk
    from training.bases.cache import BaseCache
    from training.recipe.recipe import Recipe


@pytest.fixture(scope="session")
def bases() -> BaseCache:
    """Return the embedded base, loaded once, on the CPU with one thread."""
    import torch  # noqa: PLC0415  # tests without torch start fast

    from training.bases.cache import BaseCache  # noqa: PLC0415
    from training.device import Device  # noqa: PLC0415

    torch.set_num_threads(1)
    return BaseCache(None, Device.open(cpu=True))


@pytest.fixture(scope="session")
def tiny_bases(tmp_path_factory: pytest.TempPathFactory) -> BaseCache:
    """Return a tiny random model of every family, each a folder in a directory of bases."""
    import torch  # noqa: PLC0415  # tests without torch start fast

    from training import families  # noqa: PLC0415
    from training.bases import random  # noqa: PLC0415
    from training.bases.cache import BaseCache  # noqa: PLC0415
    from training.device import Device  # noqa: PLC0415

    torch.set_num_threads(1)
    home = tmp_path_factory.mktemp("tiny_bases")
    for name in families.names():
        random.write_random_model(home, name)
    return BaseCache(home, Device.open(cpu=True))


def draw_photos(folder: Path, count: int) -> list[str]:
    """Draw photos of a green ball."""
    folder.mkdir(parents=True, exist_ok=True)
    names = []
    for at in range(count):
        picture = Image.new("RGB", (90 + 10 * at, 80), (200, 60, 30 * at % 256))
        ImageDraw.Draw(picture).ellipse((20, 15, 70, 65), fill=(20, 200, 100))
        picture.save(folder / f"{at}.png")
        names.append(f"{at}.png")
    return names


@pytest.fixture
def make_recipe(bases: BaseCache) -> Callable[..., Recipe]:
    """Return a function that makes recipes for the embedded base."""
    from training.run.defaults import complete_recipe  # noqa: PLC0415  # torch is slow

    def make(method: str = "lora", photos: int = 3, steps: int = 4, **more: Any) -> Recipe:
        request = TrainRequest(
            method, "embedded", "mydog", "mydog", more.pop("concept", Concept.LOOK), Dial.QUICK,
            steps, more.pop("rank", 2), 1e-2, 2, 7, "dog",
        )  # fmt: skip
        shots = [(f"{at}.png", "") for at in range(photos)]
        given = {
            "prompts": (),
            "save_every": 2,
            "threads": 1,
            "accepted": 1.7e9,
            "resolution": 32,
        } | more
        return complete_recipe(request, bases.find("embedded"), shots, **given)

    return make


@pytest.fixture
def make_job_folder(tmp_path: Path) -> Callable[..., JobFolder]:
    """Return a function that makes the job folder of a recipe, with photos."""

    def make(recipe: Recipe, name: str = "job") -> JobFolder:
        folder = JobFolder(tmp_path / name)
        draw_photos(folder.photos, len(recipe.photos))
        write_json(
            folder.request_file, {"kind": "train", "attempt": 1, "recipe": recipe.to_json()}
        )
        return folder

    return make


def collect_events(task: Iterator[Event]) -> list[Event]:
    """Return the events of a whole task, without the steps' boundaries."""
    return [event for event in task if event.kind != "step"]


@pytest.fixture
def run_task() -> Callable[[Iterator[Event]], list[Event]]:
    """Return a function that runs a task and returns its events, without the boundaries."""
    return collect_events


@pytest.fixture
async def queue(tmp_path: Path) -> AsyncIterator[QueueKit]:
    """Open an empty job queue; stop its workers in the end."""
    async with opening_queue(tmp_path / "home") as queue:
        yield queue


@pytest.fixture
async def small_queue(small_disk: SmallDisk) -> AsyncIterator[QueueKit]:
    """Open an empty job queue on a small disk."""
    async with opening_queue(small_disk.path / "home") as queue:
        yield queue


@asynccontextmanager
async def opening_queue(home: Path) -> AsyncIterator[QueueKit]:
    """Open a job queue in a data folder; stop its workers in the end."""
    await lay_empty_store(home)
    async with await Store.open(Home(home)) as store:
        queue = QueueKit(store)
        try:
            yield queue
        finally:
            queue.stop_workers()


@pytest.fixture
def hold_trainings(queue: QueueKit) -> Callable[[], None]:
    """Hold trainings in the middle until the test releases them."""
    queue.hold.touch()
    return queue.hold.unlink
