"""The loop: its events, and the commands that it obeys."""

from __future__ import annotations

import hashlib
import json
import math
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors import safe_open
from safetensors.torch import load_file, save_file

from storage import limits
from storage.errors import JobError
from storage.events import Event, Note
from storage.folders import JobFolder, write_json
from storage.records import JobCommand
from tests.fakes.interrupts import run_until
from training import methods
from training.bases.cache import BaseCache
from training.families import Picture
from training.recipe.concepts import SamplePrompt
from training.run.loop import TrainingRun, train
from training.run.previews import SAMPLING_STEPS
from training.run.timing import RunTimer
from training.sample import LoadedStyle, draw_pictures
from training.styles.header import read_header, read_metadata, read_method_and_trigger
from training.styles.thumbnail import make_thumbnail
from training.styles.writer import read_tensors

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from training.recipe.recipe import Recipe

    Laid = Callable[..., JobFolder]
    Made = Callable[..., Recipe]
    Told = Callable[[Iterator[Event]], list[Event]]


def kinds(events: list[Event]) -> list[str]:
    """Return the kinds of events, without progress."""
    return [event.kind for event in events if event.kind != "progress"]


def result(folder: JobFolder) -> bytes:
    """Return the bytes of the result."""
    return (folder.result / "mydog.safetensors").read_bytes()


@pytest.mark.slow(4)
def test_story(bases: BaseCache, make_recipe: Made, make_job_folder: Laid, run_task: Told) -> None:
    """A training reports start, samples from step 0 on, checkpoints, progress and end."""
    folder = make_job_folder(make_recipe(prompts=(SamplePrompt("a mydog emoji", 3),)))

    events = run_task(train(folder, bases))
    told, done = {event.kind: event for event in events}, events[-1]

    assert kinds(events) == [
        "started", "sample", "sample", "checkpoint", "result", "checkpoint", "done",
    ]  # fmt: skip
    assert [e.step for e in events if e.kind in {"sample", "result"}] == [0, 2, 4]
    progress = told["progress"]
    assert progress.step == progress.steps == 4
    names = ("loss", "smoothed_loss", "eta_seconds", "steps_per_second")
    assert all(math.isfinite(getattr(progress, name)) for name in names)
    assert progress.memory_mib > 100
    assert done.bytes == len(result(folder))
    assert done.digest == hashlib.sha256(result(folder)).hexdigest()
    assert (done.steps, done.early) == (4, False)
    assert min(done.timings.seconds, done.timings.steps_per_second) > 0
    assert sorted(path.name for path in folder.kept.iterdir()) == [
        "state.safetensors", "step-000002.safetensors", "step-000004.safetensors",
    ]  # fmt: skip
    assert folder.kept_style(4).read_bytes() == result(folder)
    assert read_tensors(folder.kept_style(2)).keys() == read_tensors(folder.kept_style(4)).keys()
    recipe = json.loads(read_metadata(read_header(folder.kept_style(2)))["safelight.recipe"])
    assert recipe["steps"] == 2
    with Image.open(folder.samples / told["checkpoint"].curve) as curve:
        assert curve.size == (640, 240)
    assert all((folder.samples / name).exists() for name in told["sample"].files)
    with safe_open(folder.result / "mydog.safetensors", "pt") as opened:
        shown = opened.metadata()["modelspec.thumbnail"]
    assert shown == make_thumbnail(folder.samples / "step-000004-end-0.png")


@pytest.mark.slow(4)
def test_long_caption(bases: BaseCache, make_recipe: Made, make_job_folder: Laid) -> None:
    """A training says at its beginning which captions it cannot read to their end."""
    recipe = make_recipe()
    long = tuple(replace(photo, caption="mydog, " * 50) for photo in recipe.photos)
    events = train(make_job_folder(replace(recipe, photos=long)), bases)

    noted = next(event for event in events if isinstance(event, Note))
    events.close()

    assert (noted.code, noted.facts["cut"], noted.facts["captions"]) == ("captions_cut", 3, 3)


def test_before(
    bases: BaseCache, make_recipe: Made, make_job_folder: Laid, run_task: Told
) -> None:
    """Before training the base's own pictures are shown, just before its end none."""
    prompt = SamplePrompt("a mydog emoji", 3)
    more = {"learning_rate": 0.1, "steps": 4, "save_every": 3, "prompts": (prompt,)}
    folder = make_job_folder(make_recipe(**more))
    run_task(train(folder, bases))
    with bases.borrow("embedded") as family:
        alone = family.sample_image(Picture(prompt.text, "", prompt.seed, SAMPLING_STEPS, 32, 32))

    before, after = (folder.samples / f"step-00000{step}.png" for step in ("0-0", "4-end-0"))

    assert sorted(folder.samples.glob("step-*.png")) == [before, after]
    assert Image.open(before).tobytes() == alone.tobytes()
    assert Image.open(after).tobytes() != alone.tobytes()


@pytest.mark.slow(2)
@pytest.mark.parametrize("method", ["lora", "loha"])
def test_small(
    bases: BaseCache, make_recipe: Made, make_job_folder: Laid, run_task: Told, method: str
) -> None:
    """A LoRA over the size limit gets a smaller copy that fits."""
    made = method == "lora"
    plain = make_job_folder(make_recipe(method, rank=16, steps=1), "plain")
    whole = run_task(train(plain, bases))[-1]
    most = round(whole.bytes * 0.6)
    folder = make_job_folder(make_recipe(method, rank=16, steps=1, max_file_bytes=most))

    done = run_task(train(folder, bases))[-1]

    assert whole.small_copy is None
    assert bool(done.small_copy) is made
    assert (
        read_tensors(folder.result / done.file).keys()
        == read_tensors(plain.result / whole.file).keys()
    )
    if made:
        copy = folder.result / done.small_copy.file
        assert copy.stat().st_size == done.small_copy.bytes <= most
        assert 0 < done.small_copy.rank < 16
        assert 0 < done.small_copy.error < 1


@pytest.mark.slow(3)
@pytest.mark.parametrize("most", [9_000_000, 20_000_000])
def test_small_copy_of_a_whole_model(
    bases: BaseCache, make_recipe: Made, make_job_folder: Laid, run_task: Told, most: int
) -> None:
    """A whole model over the size limit gets a LoRA of what its training changed.

    Drawn with it, the picture is nearer to the model's than the base's is, by far. Where much
    fits, its rank is still one that a recipe may have.
    """
    recipe = make_recipe("finetune", rank=0, steps=3, learning_rate=1e-4, max_file_bytes=most)
    folder = make_job_folder(recipe)
    done = run_task(train(folder, bases))[-1]
    copy = folder.result / done.small_copy.file
    picture = Picture("a mydog emoji", "", 5, 8, 64, 64)

    drawn = {}
    for method, file in (("finetune", folder.result / done.file), ("locon", copy), ("", None)):
        with bases.borrow("embedded") as family:
            style = file and LoadedStyle(methods.find(method), read_tensors(file), "mydog", 1.0)
            (image,) = draw_pictures(family, bases.device, [picture], style)
        drawn[method] = np.asarray(image, dtype=float)

    assert copy.stat().st_size == done.small_copy.bytes <= recipe.max_file_bytes
    assert read_method_and_trigger(copy)["method"] == "locon"
    assert 0 < done.small_copy.rank <= limits.RANK[1]
    to_model = np.abs(drawn["locon"] - drawn["finetune"]).mean()
    assert to_model < 0.65 * np.abs(drawn["finetune"] - drawn[""]).mean()


def test_pause(bases: BaseCache, make_recipe: Made, make_job_folder: Laid, run_task: Told) -> None:
    """A paused training leaves a checkpoint at its step and resumes from it."""
    folder = make_job_folder(make_recipe(steps=5))
    task = train(folder, bases)

    run_until(task, 3)
    events = [task.send(JobCommand.PAUSE), *run_task(task)]
    again = run_task(train(folder, bases))

    assert kinds(events) == ["checkpoint", "paused"]
    assert events[-1].step == again[0].step == 3
    assert again[-1].kind == "done"


def test_cancel(
    bases: BaseCache, make_recipe: Made, make_job_folder: Laid, run_task: Told
) -> None:
    """A cancelled training ends at once and leaves no file."""
    folder = make_job_folder(make_recipe())
    task = train(folder, bases)

    run_until(task, 0)
    events = [task.send(JobCommand.CANCEL), *run_task(task)]

    assert kinds(events) == ["cancelled"]
    assert not folder.result.exists()


@pytest.mark.parametrize("at", [0, 3])
def test_finish(
    bases: BaseCache, make_recipe: Made, make_job_folder: Laid, run_task: Told, at: int
) -> None:
    """A training finished early keeps what it has, and its file says how many steps."""
    folder = make_job_folder(make_recipe(steps=50, save_every=25))
    task = train(folder, bases)

    run_until(task, at)
    events = [task.send(JobCommand.FINISH), *run_task(task)]

    assert events[-1].kind == "done"
    assert (events[-1].steps, events[-1].early) == (at, True)
    with safe_open(folder.result / "mydog.safetensors", "pt") as opened:
        assert opened.metadata()["ss_steps"] == str(max(1, at))


def test_a_resumed_run_tells_of_all(
    bases: BaseCache, make_recipe: Made, make_job_folder: Laid, run_task: Told
) -> None:
    """Its time is the sum; previews whose event may be lost are told again, not drawn again."""
    folder = make_job_folder(make_recipe(prompts=(SamplePrompt("a dog", 1),)))
    run_until(train(folder, bases), 3)
    path = max(folder.checkpoints.glob("step-*.safetensors"))
    with safe_open(path, "pt") as opened:
        metadata = opened.metadata() | {"seconds": str(float(opened.metadata()["seconds"]) + 500)}
    save_file(load_file(path), path, metadata)

    before = (folder.samples / "step-000002-0.png").stat().st_mtime_ns

    events = run_task(train(folder, bases))

    assert 500 < events[-1].timings.seconds < 1000
    assert (events[1].kind, events[1].step) == ("sample", 2)
    assert (folder.samples / "step-000002-0.png").stat().st_mtime_ns == before


def test_damaged_checkpoint(
    bases: BaseCache, make_recipe: Made, make_job_folder: Laid, run_task: Told
) -> None:
    """A damaged checkpoint is skipped for the one before it."""
    folder = make_job_folder(make_recipe(steps=5))
    run_task(train(folder, bases))
    whole = result(folder)
    for step in (4, 5):
        path = folder.checkpoints / f"step-{step:06d}.safetensors"
        path.write_bytes(path.read_bytes()[:1000])

    events = run_task(train(folder, bases))

    assert events[0].step == 2
    assert result(folder) == whole


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"base_fingerprint": "another"}, "base_changed"),
        ({"method": "magic"}, "method_unknown"),
        ({"base": "nowhere"}, "base_unknown"),
        ({"steps": 10**9}, "out_of_range"),
    ],
)
def test_refused(
    bases: BaseCache, make_recipe: Made, make_job_folder: Laid, change: dict[str, Any], code: str
) -> None:
    """An invalid training fails with a code."""
    folder = make_job_folder(make_recipe())
    write_json(folder.request_file, {"kind": "train", "recipe": make_recipe().to_json() | change})

    with pytest.raises(JobError) as refused:
        next(train(folder, bases))

    assert refused.value.code == code


def test_nonsense(bases: BaseCache, make_recipe: Made, make_job_folder: Laid) -> None:
    """A NaN loss fails the job with a code."""
    asked = replace(make_recipe(), threads=1)
    with bases.borrow("embedded") as family:
        attached = methods.walk()["lora"].attach(family.networks, asked)
        run = TrainingRun(make_job_folder(asked), asked, family, attached, bases, timer=RunTimer())
        run.record.add(torch.tensor([float("nan"), 1.0]))

        with pytest.raises(JobError) as refused:
            run.record.fetch()
        attached.detach()

    assert refused.value.code == "loss_nan"
