"""`safelight sweep`: rounds of trainings that take no time, and what becomes of their files."""

from __future__ import annotations

import json
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

import pytest
from PIL import Image

from storage.errors import JobError, UserError
from storage.records import Kind
from storage.settings import read_settings
from tests.fakes import worker
from training.cli.commands import parse
from training.cli.local import LocalJob
from training.cli.runfolder import RunFolder
from training.cli.stop import Stop
from training.cli.sweep import sweep
from training.settings import TrainingSettings
from training.worker.runtime import Runtime

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from storage.folders import JobFolder
    from training.worker.execution import Task

    Line = dict[str, Any]

pytestmark = pytest.mark.slow(4)
BEST, USUAL = "lr 0.0015 rank 32", "lr 0.0015 rank 16"  #: of four, the fake judge likes the last


class FakeRuntime(Runtime):
    """The device of this machine, on which trainings and grades take no time."""

    def __init__(self, place: Path) -> None:
        super().__init__(place, read_settings(TrainingSettings), "cpu")
        self.stop = Stop()
        self.trained: list[tuple[int, int, int]] = []  #: of each: recipe, first and last step
        self.fails: set[int] = set()  #: recipes that cannot be trained
        self.stops_at = -1  #: number of the training that Ctrl+C stops

    def start_task(self, kind: Kind, folder: JobFolder) -> Task:
        """Return a task that writes the files of a job."""
        if kind is not Kind.TRAIN:
            return worker.judge(folder)
        if int(folder.path.name) in self.fails:
            raise JobError("loss_nan", step=1)
        recipe = folder.read_request()["recipe"]
        begun, ends = recipe.get("continued_from", 0), recipe.get("stop_after", recipe["steps"])
        self.stop.asked = len(self.trained) == self.stops_at
        self.trained.append((int(folder.path.name), begun, ends))
        return worker.train(folder)


@pytest.fixture
def runtime(tmp_path: Path) -> FakeRuntime:
    """Return a device whose jobs take no time."""
    return FakeRuntime(tmp_path / "bases")


@pytest.fixture
def run(tmp_path: Path, runtime: FakeRuntime) -> Callable[..., Line]:
    """Sweep over three squares; return the last line."""
    photos = tmp_path / "photos"
    photos.mkdir()
    for at in range(3):
        Image.new("RGB", (64, 64), (80 * at, 90, 20)).save(photos / f"{at}.png")

    def run_command(*flags: str) -> Line:
        words = ["sweep", str(photos), "--out", str(tmp_path / "out"), "--name", "panda"]
        _, given = parse([*words, "--steps", "40", *flags])
        runtime.stop = Stop()
        with ExitStack() as stack:
            job = LocalJob(read_settings(TrainingSettings), runtime.stop, stack)
            job.runtime = runtime
            return sweep(job, given)

    return run_command


def test_rounds(
    run: Callable[..., Line], runtime: FakeRuntime, tmp_path: Path, capfd: Any
) -> None:
    """The better half goes on from where it is; the best is the style, and the grid lies beside.

    Its folder becomes that of an ordinary training, and nothing is left of the others.
    """
    end = run()

    assert runtime.trained == [
        *((at, 0, 5) for at in range(4)), (2, 5, 10), (3, 5, 10), (3, 10, 40),
    ]  # fmt: skip
    assert (end["kind"], end["labels"][end["winner"]], end["labels"][0]) == ("swept", BEST, USUAL)
    assert end["steps"] == [5, 5, 10, 40]
    assert [each["score"] for each in end["grades"]] == [0.0, 0.1, 0.2, 0.3]
    out = tmp_path / "out"
    assert {each.name for each in out.iterdir()} == {
        "panda.safetensors", "panda.training", "panda-sweep.png",
    }  # fmt: skip
    folder = RunFolder(out, "panda")
    assert folder.is_finished()
    assert not folder.sweep.exists()
    assert not folder.folder.photos.exists()
    recipe = folder.read()["recipe"]
    assert (recipe["rank"], recipe.get("stop_after", 0), recipe["steps"]) == (32, 0, 40)
    rounds = [json.loads(line) for line in capfd.readouterr().out.splitlines()]
    assert [each["step"] for each in rounds if each["kind"] == "round"] == [5, 10, 40]


def test_it_goes_on(run: Callable[..., Line], runtime: FakeRuntime, tmp_path: Path) -> None:
    """After Ctrl+C the same command goes on, and trains and grades nothing twice.

    Until then neither a sweep with other numbers nor a training replaces what it has begun.
    """
    runtime.stops_at = 5
    assert run()["kind"] == "paused"
    before, folder = len(runtime.trained), RunFolder(tmp_path / "out", "panda")
    saved = folder.sweep / "2" / "checkpoints" / "step-000005.safetensors"
    saved.touch()  # as a real training does
    with pytest.raises(JobError, match="run_differs"):
        run("--seed", "1")
    assert folder.list_checkpoints() == [saved]  # what a training looks at, too
    runtime.stops_at = -1

    end = run()

    assert runtime.trained[before:] == [(3, 5, 10), (3, 10, 40)]
    assert end["labels"][end["winner"]] == BEST


def test_what_fails(run: Callable[..., Line], runtime: FakeRuntime) -> None:
    """What fails is left out; if none is left, it says so, and loses nothing."""
    runtime.fails = {0, 3}
    end = run()
    assert end["labels"][end["winner"]] == "lr 0.0005 rank 16"
    assert len(end["labels"]) == 2
    runtime.fails = {0, 1, 2, 3}

    with pytest.raises(UserError, match="comparison_failed"):
        run()


@pytest.mark.parametrize(
    ("flags", "code"),
    [
        (("--recipes", "7"), "out_of_range"),
        (("--method", "finetune"), "sweep_single"),
        (("--photos", "more", "--trigger", "a", "--trigger", "b"), "sweep_single"),
    ],
)
def test_refused(
    run: Callable[..., Line], runtime: FakeRuntime, flags: tuple[str, ...], code: str
) -> None:
    """Nothing is trained where nothing can be varied."""
    with pytest.raises(UserError) as refused:
        run(*flags)

    assert refused.value.code == code
    assert runtime.trained == []
