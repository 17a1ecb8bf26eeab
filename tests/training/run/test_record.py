"""What is recorded of a run, and the alarms that follow from it."""

from __future__ import annotations

import csv
import json
import math
from dataclasses import replace

import pytest
import torch
from PIL import Image

from storage.events import Note
from storage.folders import JobFolder
from tests.fakes.interrupts import train_with_interruption
from tests.training.conftest import draw_photos
from training.recipe.preparation import hold_out
from training.run.alarms import find_alarm
from training.run.copies import CopyFinder
from training.run.loop import train
from training.run.metrics import COLUMNS, QUARTER_COLUMNS, MetricsLog, read_rows
from training.run.probes import measure_change
from training.styles.writer import read_tensors


def read_table(folder):
    """Return the rows of the table, as numbers, without the seconds."""
    with folder.metrics_csv.open() as opened:
        rows = list(csv.DictReader(opened))
    return [
        {name: float(value) for name, value in row.items() if value and name != "seconds"}
        for row in rows
    ]


@pytest.mark.slow(2)
@pytest.mark.parametrize("case", [(1e-7, ["not_learning"]), (0.1, ["diverging"])])
def test_alarms(bases, make_recipe, make_job_folder, run_task, case):
    """A rate near zero teaches nothing, and one far too high diverges."""
    rate, alarms = case
    folder = make_job_folder(make_recipe(steps=6, save_every=50, learning_rate=rate))

    events = run_task(train(folder, bases))
    rows = read_table(folder)

    assert [event.code for event in events if isinstance(event, Note)] == alarms
    assert [row["step"] for row in rows] == list(range(7))
    assert set(rows[6]) == {*COLUMNS} - {"seconds", "validation_loss"}
    assert all(math.isfinite(value) for row in rows for value in row.values())
    assert rows[0]["drift"] == 0 < rows[6]["drift"]


@pytest.mark.slow(3)
def test_held_out_photos(bases, make_recipe, make_job_folder, run_task):
    """The loss of photos that are held out is measured; they change nothing that is learned.

    At a good rate there is no alarm.
    """
    costly = {"scoring_share": 5.0, "validation_split": 0.1}  # is measured every other step
    recipe = hold_out(make_recipe(photos=20, steps=6, **costly))
    plain = replace(recipe, validation_photos=(), validation_split=0.0)
    taught = []
    for each, name in ((recipe, "held"), (plain, "plain")):
        folder = make_job_folder(each, name)
        draw_photos(folder.photos, 20)
        events = run_task(train(folder, bases))
        assert not [event for event in events if isinstance(event, Note)]
        taught.append(read_tensors(folder.result / "mydog.safetensors"))

    assert [photo.file for photo in recipe.validation_photos] == ["5.png", "15.png"]
    assert len(recipe.photos) == 18
    assert all("validation_loss" not in row for row in read_table(folder))
    rows = read_table(JobFolder(folder.path.with_name("held")))
    measured = [row["validation_loss"] for row in rows if "validation_loss" in row]
    assert (len(measured), len({0, *measured})) == (4, 5)
    assert all(torch.equal(taught[0][name], tensor) for name, tensor in taught[1].items())


@pytest.mark.parametrize(("photos", "split"), [(19, 0.1), (20, 0.0)])
def test_few_photos_are_all_learned_from(make_recipe, photos, split):
    """With few photos each is missed, so none is held out."""
    recipe = make_recipe(photos=photos, validation_split=split)

    assert hold_out(recipe) == recipe


@pytest.mark.slow(2)
def test_a_resumed_run_records_the_same(bases, make_recipe, make_job_folder):
    """A run that was stopped after a checkpoint has one row a step, and the same numbers."""
    recipe = make_recipe(steps=4)
    whole, stopped = make_job_folder(recipe, "whole"), make_job_folder(recipe, "stopped")

    train_with_interruption(whole, stopped, bases, 3)

    assert read_table(stopped) == read_table(whole)
    lines = stopped.metrics_json.read_text().splitlines()
    assert [json.loads(line)["step"] for line in lines] == [0, 1, 2, 3, 4]


def test_half_a_line(tmp_path):
    """What a killed worker left of a line is dropped, and so are rows after the checkpoint."""
    folder = JobFolder(tmp_path)
    log = MetricsLog(folder, 0)
    log.append({"step": step, "loss": math.inf if step == 1 else 0.1} for step in range(4))
    with folder.metrics_json.open("a") as opened:
        opened.write('{"step": 1, "lo')

    kept = MetricsLog(folder, 2).kept

    assert kept == [{"step": 0, "loss": 0.1}, {"step": 1}, {"step": 2, "loss": 0.1}]
    assert read_rows(folder.metrics_json, 9) == kept
    assert len(folder.metrics_csv.read_text().splitlines()) == 4


@pytest.mark.parametrize("name", ["metrics.csv", "metrics.jsonl"])
def test_refused_file(tmp_path, name):
    """What the disk refuses of one file comes later, and doubles no row of the other."""
    folder = JobFolder(tmp_path)
    (tmp_path / name).mkdir()
    log = MetricsLog(folder, 0)
    log.append([{"step": 0, "loss": 0.1}])
    (tmp_path / name).rmdir()
    log.append([{"step": 1, "loss": 0.2}])

    assert read_rows(folder.metrics_json, 9) == [
        {"step": 0, "loss": 0.1},
        {"step": 1, "loss": 0.2},
    ]
    assert read_table(folder) == read_rows(folder.metrics_json, 9)


def test_refused_start(tmp_path):
    """A resumed run that could not drop later rows at once does so when it can."""
    folder = JobFolder(tmp_path)
    MetricsLog(folder, 0).append({"step": step, "loss": 0.1} for step in range(4))
    kept = folder.metrics_csv.rename(tmp_path / "aside")
    folder.metrics_csv.mkdir()
    log = MetricsLog(folder, 2)
    folder.metrics_csv.rmdir()
    kept.rename(folder.metrics_csv)
    log.append([{"step": 3, "loss": 0.2}])

    assert [(row["step"], row["loss"]) for row in read_table(folder)] == [
        (0, 0.1), (1, 0.1), (2, 0.1), (3, 0.2),
    ]  # fmt: skip


def make_rows(losses, validation=()):
    """Return measurements at every tenth step."""
    rows = [
        dict.fromkeys(QUARTER_COLUMNS, loss) | {"step": 10 * at} for at, loss in enumerate(losses)
    ]
    for row, loss in zip(rows, validation, strict=False):
        row["validation_loss"] = loss
    return rows


@pytest.mark.parametrize(
    ("losses", "validation", "alarm"),
    [
        ([0.2], [], ""),
        ([0.2, 0.19, 0.18], [], ""),
        ([0.2, 0.3], [], "diverging"),
        ([0.2, 0.2], [], ""),
        ([0.2, 0.2, 0.2, 0.2, 0.2], [], "not_learning"),
        ([0.2, 0.15, 0.12, 0.1], [0.2, 0.18, 0.19, 0.2], "overfitting"),
        ([0.2, 0.15, 0.12, 0.1], [0.2, 0.18, 0.2, 0.18], ""),
        ([0.2, 0.15, 0.17, 0.18], [0.2, 0.18, 0.19, 0.2], ""),
    ],
)
def test_the_rules_of_alarms(losses, validation, alarm):
    """One bad measurement of held-out photos is no alarm, nor one while the photos fit worse."""
    assert find_alarm(make_rows(losses, validation), 100) == alarm


@pytest.mark.parametrize("losses", [[0.2, 0.2], [0.2, 0.3]])
def test_no_alarm_of_the_start(losses):
    """A run that goes on from step 90 has learnt before, and is not compared with its start."""
    rows = [row | {"step": 90 + row["step"]} for row in make_rows(losses)]

    assert find_alarm(rows, 100) == ""


def test_drift():
    """The change is a share of what was there."""
    start = {"a": torch.tensor([3.0, 4.0]), "b": torch.zeros(2)}
    now = {"a": torch.tensor([3.0, 4.0]), "b": torch.tensor([0.0, 1.0])}

    assert measure_change(start, now) == pytest.approx(0.2)


def test_copies():
    """A picture that is a photo, if reduced and brighter, is a copy; this is told once."""
    noise = torch.Generator().manual_seed(1)
    photos = [
        Image.fromarray((torch.rand(9, 9, 3, generator=noise) * 200).byte().numpy()).resize(
            (256, 256)
        )
        for _ in range(3)
    ]
    finder = CopyFinder(lambda: photos[:2])

    assert not finder.finds_new_copy([photos[2]])
    copy = photos[1].resize((64, 64)).point(lambda level: level + 9)
    assert finder.finds_new_copy([photos[2], copy])
    assert not finder.finds_new_copy([copy])
