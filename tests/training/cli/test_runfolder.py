"""The folder beside a style, and whether a command is the same as the one that began it."""

from __future__ import annotations

import json
from contextlib import ExitStack
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from storage.crops import Framing
from storage.errors import JobError
from storage.folders import write_json
from storage.records import Concept
from training.cli.runfolder import RunFolder, open_run
from training.recipe.concepts import TrainingPhoto
from training.recipe.recipe import Recipe

if TYPE_CHECKING:
    from pathlib import Path

RECIPE = Recipe(
    method="lora", base="embedded", name="dog", trigger="dog", concept=Concept.SUBJECT, steps=240,
    rank=8, learning_rate=1e-3, batch_size=1, seed=0, resolution=64,
    photos=(TrainingPhoto("0001.png", "a dog"),), accepted=7.0,
)  # fmt: skip
ORIGIN = {"photos": [["digest"]], "safelight": "0.2.0"}


@pytest.fixture
def run(tmp_path: Path) -> RunFolder:
    """Return the folder of an unfinished training with a checkpoint."""
    found = RunFolder(tmp_path, "dog")
    found.folder.path.mkdir()
    write_json(found.folder.request_file, {"recipe": RECIPE.to_json(), "origin": ORIGIN})
    found.folder.checkpoints.mkdir()
    (found.folder.checkpoints / "step-000120.safetensors").touch()
    return found


def open_folder(out: Path, *, overwrite: bool = False) -> str:
    """Return the name under which a training of a dog would begin or go on."""
    with open_run(out, "dog", overwrite=overwrite) as run:
        return run.name


def test_the_same_command_goes_on(run: RunFolder) -> None:
    """The checkpoints stay, and the file will have the date of the first command."""
    later = replace(RECIPE, accepted=8.0)

    assert open_folder(run.out) == "dog"
    assert run.settle(later, ORIGIN, fresh=False) == RECIPE
    assert run.list_checkpoints()


@pytest.mark.parametrize(
    ("change", "origin", "differs"),
    [
        ({"steps": 300, "save_every": 60}, {}, ["steps (was 240)"]),
        ({"learning_rate": 0.01}, {}, ["learning rate (was 0.001)"]),
        ({"photos": (TrainingPhoto("0001.png", "a cat"),)}, {}, ["captions"]),
        (
            {"photos": (TrainingPhoto("0001.png", "a dog", framing=Framing(0.1, 0.5)),)},
            {},
            ["crops"],
        ),
        ({"flip_aug": True}, {}, ["flip aug"]),
        ({}, {"photos": [["other"]]}, ["photos"]),
        ({}, {"safelight": "0.3.0"}, ["safelight (was 0.2.0)"]),
        ({"resolution": 96}, {}, ["resolution (was 64)"]),
    ],
)
def test_another_command_loses_nothing(
    run: RunFolder, change: dict[str, Any], origin: dict[str, Any], differs: list[str]
) -> None:
    """What differs is named and nothing is removed, unless it is to begin afresh."""
    recipe = replace(RECIPE, **change)

    with pytest.raises(JobError) as refused:
        run.settle(recipe, ORIGIN | origin, fresh=False)

    assert (refused.value.code, refused.value.facts["differs"]) == ("run_differs", differs)
    assert refused.value.facts["step"] == 120
    assert run.list_checkpoints()
    assert run.settle(recipe, ORIGIN | origin, fresh=True) == recipe
    assert not run.list_checkpoints()


def test_without_a_checkpoint_another_command_begins(run: RunFolder) -> None:
    """Nothing would be lost, so the samples of the other command are removed."""
    run.list_checkpoints()[0].unlink()
    run.folder.samples.mkdir()

    recipe = replace(RECIPE, seed=1)

    assert run.settle(recipe, ORIGIN, fresh=False) == recipe
    assert not run.folder.samples.exists()


def test_a_damaged_note_loses_nothing(run: RunFolder) -> None:
    """Where it cannot be read what began, the checkpoints stay."""
    run.folder.request_file.write_text("{")

    assert open_folder(run.out) == "dog"
    with pytest.raises(JobError, match="run_differs"):
        run.settle(RECIPE, ORIGIN, fresh=False)
    assert run.list_checkpoints()


def test_a_finished_style_stays(run: RunFolder) -> None:
    """The next training of the name gets a number, and goes on under it; or it may replace."""
    run.folder.result.mkdir()
    (run.folder.result / "dog.safetensors").write_text("made")
    run.finish(run.keep_style(overwrite=False))

    assert run.style_file.read_text() == "made"
    assert open_folder(run.out) == "dog-2"
    write_json(RunFolder(run.out, "dog-2").folder.request_file, {"recipe": {}})
    assert open_folder(run.out) == "dog-2"
    assert open_folder(run.out, overwrite=True) == "dog"
    assert run.list_checkpoints()


def test_a_style_of_another_origin_stays(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A file that somebody put there keeps its name, also if it came while the training ran.

    That the name is taken is told before the training begins.
    """
    (tmp_path / "dog.safetensors").write_text("theirs")
    run = RunFolder(tmp_path, "dog")
    run.folder.result.mkdir(parents=True)
    (run.folder.result / "dog.safetensors").write_text("ours")

    assert open_folder(tmp_path) == "dog-2"
    (told,) = map(json.loads, capsys.readouterr().out.splitlines())
    assert (told["code"], told["file"]) == ("file_taken", "dog-2.safetensors")
    assert run.keep_style(overwrite=False).name == "dog-2.safetensors"
    assert run.style_file.read_text() == "theirs"


def test_a_command_killed_just_before_its_end_keeps_one_style(run: RunFolder) -> None:
    """A style that was already put in its place is not put there twice."""
    run.folder.result.mkdir()
    for place in (run.folder.result, run.out):
        (place / "dog.safetensors").write_text("made")

    assert open_folder(run.out) == "dog"
    assert run.keep_style(overwrite=False) == run.style_file


def test_what_never_began_leaves_nothing(tmp_path: Path) -> None:
    """A command that is refused before it trains removes its folder."""
    with ExitStack() as stack:
        run = stack.enter_context(open_run(tmp_path, "dog", overwrite=False))
        run.folder.photos.mkdir()

    assert list(tmp_path.iterdir()) == []


def test_photos_and_half_files_of_a_killed_command_go(run: RunFolder) -> None:
    """The next command removes them before it begins."""
    run.folder.photos.mkdir()
    halves = [
        run.folder.checkpoints / ".step-000180.safetensors.7.part",
        run.out / ".dog.safetensors.7.new",
    ]
    for half in halves:
        half.touch()

    open_folder(run.out)

    assert not any(half.exists() for half in halves)
    assert not run.folder.photos.exists()
    assert run.list_checkpoints()
