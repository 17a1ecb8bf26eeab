"""The grade task: a style of a tiny base is drawn beside its photos, and reported on."""

from __future__ import annotations

import json
from dataclasses import asdict

import pytest
import torch
from safetensors.torch import save_file

from storage.errors import JobError
from storage.events import PictureDrawn, Progress
from storage.folders import JobFolder, write_json
from storage.records import Concept
from storage.requests import GradeRequest
from tests.training.conftest import draw_photos
from training.bases import random
from training.bases.cache import BaseCache
from training.device import Device
from training.grade import grade

KEY = "lora_unet_mid_block_attentions_0_transformer_blocks_0_attn1_to_q"


ENTRY = """
[bases.mine]
title = "Mine"
family = "sd1"
source = "tiny-sd1"
resolution = 64
good = "nothing"
"""


@pytest.fixture(scope="module")
def bases(tmp_path_factory):
    """Return a tiny random base that draws 64 pixels."""
    home = tmp_path_factory.mktemp("bases")
    random.write_random_model(home, "sd1")
    (home / "own.toml").write_text(ENTRY)
    return BaseCache(home, Device.open(cpu=True), home / "own.toml")


def write_job(path, photos=3):
    """Write a grade job for a LoRA of a tiny base."""
    folder = JobFolder(path)
    names = draw_photos(folder.photos, photos)
    request = GradeRequest(
        "ball", "mine", Concept.LOOK, prompts=1, method="lora", trigger="sks",
        photos=tuple(range(70, 70 + len(names))),
    )  # fmt: skip
    write_json(folder.request_file, {"kind": "grade", "request": asdict(request)})
    rows = {
        f"{KEY}.lora_down.weight": torch.ones(2, 64),
        f"{KEY}.lora_up.weight": torch.ones(64, 2),
    }
    save_file(rows, folder.style_file)
    return folder


@pytest.mark.slow(4)
def test_a_report(bases, run_task, tmp_path):
    """It tells how far it is, and writes its numbers with the photos' ids and what it shows."""
    folder = write_job(tmp_path / "job")

    events = run_task(grade(folder, bases))

    progress = [each for each in events if isinstance(each, Progress)]
    assert progress[-1].step == progress[-1].steps
    report = json.loads(folder.report_file.read_text())["safelight"]
    drawn = [each.file for each in events if isinstance(each, PictureDrawn)]
    assert drawn == [each["file"] for each in report["pictures"]]
    assert all((folder.result / name).exists() for name in drawn)
    assert report["photo_ids"] == [70, 71, 72]
    assert {each["photo"] for each in report["pictures"]} <= {70, 71, 72}
    assert report["grades"]["obedience"] is None  # no captioner for photos is here
    assert report["shift"] is not None
    assert events[-1].kind == "done"


def test_one_photo_is_too_few(bases, run_task, tmp_path):
    """Nothing says how much alike photos of it are."""
    with pytest.raises(JobError) as refused:
        run_task(grade(write_job(tmp_path / "job", photos=1), bases))

    assert refused.value.code == "photos_few"
