"""The grade task: a style of a tiny base is drawn beside its photos, and reported on."""

from __future__ import annotations

import copy
import json
from dataclasses import asdict

import pytest
from diffusers.utils.state_dict_utils import convert_state_dict_to_kohya
from peft import LoraConfig, get_peft_model_state_dict, inject_adapter_in_model
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
from training.grade import find_captioner, grade

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


def write_job(path, bases, photos=3):
    """Write a grade job for a LoRA with kohya's keys, as peft and diffusers write it."""
    folder = JobFolder(path)
    names = draw_photos(folder.photos, photos)
    request = GradeRequest(
        "ball", "mine", Concept.LOOK, prompts=1, method="lora", trigger="sks",
        photos=tuple(range(70, 70 + len(names))),
    )  # fmt: skip
    write_json(folder.request_file, {"kind": "grade", "request": asdict(request)})
    with bases.borrow("mine") as family:
        unet = copy.deepcopy(family.networks.parts[0].module)
    config = LoraConfig(r=2, lora_alpha=2, target_modules=["to_q"], init_lora_weights=False)
    inject_adapter_in_model(config, unet)
    theirs = {f"unet.{name}": each for name, each in get_peft_model_state_dict(unet).items()}
    save_file(convert_state_dict_to_kohya(theirs), folder.style_file)
    return folder


@pytest.mark.slow(4)
def test_a_report(bases, run_task, tmp_path):
    """It tells how far it is, and writes its numbers with the photos' ids and what it shows."""
    folder = write_job(tmp_path / "job", bases)

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
    assert report["computed_by"]["obedience"] is None
    assert report["shift"] is not None
    assert events[-1].kind == "done"


@pytest.mark.parametrize("concept", Concept)
def test_who_judges_obedience(concept):
    """The embedded captioner judges pictures of subjects, but not of looks, which it misreads."""
    embedded = BaseCache(None, Device.open(cpu=True))
    base = embedded.find("embedded")

    describe = find_captioner(embedded, base, GradeRequest("ball", base.name, concept))

    assert (describe is None) is (concept is Concept.LOOK)


def test_one_photo_is_too_few(bases, run_task, tmp_path):
    """Nothing says how much alike photos of it are."""
    with pytest.raises(JobError) as refused:
        run_task(grade(write_job(tmp_path / "job", bases, photos=1), bases))

    assert refused.value.code == "photos_few"
