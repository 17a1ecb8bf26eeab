"""What a training's bytes depend on: on its recipe alone, and on every option in it."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
import torch

from storage.events import Event
from storage.folders import JobFolder, write_json
from training import methods
from training.bases.cache import BaseCache
from training.recipe.concepts import SamplePrompt
from training.run.loop import train
from training.sample import sample
from training.styles.writer import read_tensors

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from training.recipe.recipe import Recipe

    Laid = Callable[..., JobFolder]
    Made = Callable[..., Recipe]
    Told = Callable[[Iterator[Event]], list[Event]]


@pytest.fixture(scope="module")
def untouched(bases: BaseCache) -> str:
    """Return the hash of the base before any of these trainings."""
    return fingerprint(bases)


@pytest.fixture
def base_stays(bases: BaseCache, untouched: str) -> Iterator[None]:
    """Fail a test after which the loaded base is another, be it by a byte."""
    yield
    assert fingerprint(bases) == untouched


def fingerprint(bases: BaseCache) -> str:
    """Return a hash of every tensor of the embedded base."""
    total = hashlib.sha256()
    with bases.borrow("embedded") as family:
        for part in (*(part.module for part in family.networks.parts), family.vae):  # type: ignore[attr-defined]
            for name, tensor in sorted(part.state_dict().items()):
                total.update(name.encode() + tensor.numpy().tobytes())
    return total.hexdigest()


def result(folder: JobFolder) -> bytes:
    """Return the bytes of the result."""
    return (folder.result / "mydog.safetensors").read_bytes()


@pytest.mark.slow(2)
@pytest.mark.usefixtures("base_stays")
@pytest.mark.parametrize("method", sorted(methods.walk()))
def test_the_recipe_alone_counts(
    bases: BaseCache, make_recipe: Made, make_job_folder: Laid, run_task: Told, method: str
) -> None:
    """A killed training that also served samples ends in the bytes of an undisturbed one.

    With another seed it ends in others, and each time the loaded base is unchanged.
    """
    more = (
        {
            "ema_decay": 0.9,
            "caption_dropout_rate": 0.5,
            "noise_offset": 0.1,
            "shuffle_caption": True,
        }
        if method != "lora"
        else {}
    )
    more |= {"dropout": 0.3} if method in {"pivotal", "lokr", "hypernetwork"} else {}
    shown = (SamplePrompt("a mydog", 1),) if method in {"lora", "embedding"} else ()
    asked = make_recipe(method, train_text_encoder=method == "lora", prompts=shown, **more)
    tagged = [replace(shot, caption=f"{shot.caption}, red, green") for shot in asked.photos]
    asked = replace(asked, photos=tuple(tagged))
    plain, disturbed = make_job_folder(asked, "plain"), make_job_folder(asked, "disturbed")
    other = make_job_folder(replace(asked, seed=8, prompts=()), "other")
    run_task(train(plain, bases))
    run_task(train(other, bases))

    task = train(disturbed, bases)
    for event in task:
        if event.kind == "step" and event.step in ({1, 2} if shown else {1}):
            ask = serve(plain, disturbed.path.with_name(f"served-{event.step}"), method)
            served = run_task(sample(ask, bases))
            assert [each.kind for each in served] == ["started", "picture", "done"]
            torch.manual_seed(99)
            torch.set_num_threads(2)
        if event.kind == "step" and event.step == 3:
            break
    task.close()
    again = run_task(train(disturbed, bases))

    assert again[0].resumed
    assert again[0].step == 2
    assert result(plain) == result(disturbed)
    learnt, differently = read_result_tensors(plain), read_result_tensors(other)
    assert any(not torch.equal(learnt[key], differently[key]) for key in learnt)


@pytest.mark.slow(2)
@pytest.mark.parametrize("text", [False, True])
def test_options(
    bases: BaseCache, make_recipe: Made, make_job_folder: Laid, run_task: Told, text: bool
) -> None:
    """Every option changes the result, with and without the text encoder."""
    options = (
        {}, {"ema_decay": 0.9}, {"noise_offset": 0.2}, {"caption_dropout_rate": 0.5},
        {"weight_decay": 0.9}, {"dropout": 0.5}, {"min_snr_gamma": 0.5},
    )  # fmt: skip
    folders = [
        make_job_folder(
            make_recipe(
                steps=2,
                train_text_encoder=text,
                learning_rate=2e-2,
                **({"ema_decay": 0.0} | option),
            ),
            str(at),
        )
        for at, option in enumerate(options)
    ]

    for folder in folders:
        run_task(train(folder, bases))

    assert len({result(folder) for folder in folders}) == len(options)
    learnt_by = [read_result_tensors(folder) for folder in folders]
    for option, other in zip(options[1:], learnt_by[1:], strict=True):
        assert any(not torch.equal(learnt_by[0][key], other[key]) for key in other), option


@pytest.mark.slow(1)
def test_all_silent(
    bases: BaseCache, make_recipe: Made, make_job_folder: Laid, run_task: Told
) -> None:
    """With every caption dropped the captions do not matter."""
    asked = make_recipe(caption_dropout_rate=1.0)
    other = replace(asked, photos=tuple(replace(shot, caption="a bus") for shot in asked.photos))
    files = [make_job_folder(asked, "one"), make_job_folder(other, "other")]

    for folder in files:
        run_task(train(folder, bases))

    one, two = (read_result_tensors(folder) for folder in files)
    assert all(torch.equal(one[key], two[key]) for key in one)


def read_result_tensors(folder: JobFolder) -> dict[str, torch.Tensor]:
    """Return the tensors of the result."""
    return read_tensors(folder.result / "mydog.safetensors")


def serve(trained: JobFolder, path: Path, method: str) -> JobFolder:
    """Write a sample job with a style that was trained before."""
    folder = JobFolder(path)
    folder.path.mkdir()
    (folder.path / "style.safetensors").write_bytes(result(trained))
    asked = {
        "base": "embedded",
        "prompt": "a mydog",
        "steps": 2,
        "method": method,
        "trigger": "mydog",
    }
    write_json(folder.request_file, {"kind": "sample", "attempt": 1, "request": asked})
    return folder
