"""Trained whole models become folders and bases."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from accelerate.state import AcceleratorState
from safetensors.torch import load_file

from storage.errors import JobError
from training.bases import promote, random
from training.bases.cache import BaseCache
from training.device import Device
from training.families import Picture
from training.methods import _full
from training.run.loop import train
from training.styles import writer

pytestmark = pytest.mark.slow(3)

PICTURE = Picture("a mydog emoji", "", 5, 2, 64, 64)


@pytest.fixture(scope="module")
def own_bases(tmp_path_factory):
    """Return the bases of an operator's own folder."""
    return BaseCache(tmp_path_factory.mktemp("bases"))


@pytest.fixture
def file(bases, make_recipe, make_job_folder, run_task):
    """Train a whole model."""
    folder = make_job_folder(make_recipe("finetune", learning_rate=1e-3, ema_decay=0.0, steps=2))
    run_task(train(folder, bases))
    return folder.result / "mydog.safetensors"


def test_a_model_becomes_a_base(bases, own_bases, file):
    """It has its origin's licence and size, and draws what the model draws."""
    place = promote.promote_model(file, "mine", own_bases)

    base, start = own_bases.find("mine"), bases.find("embedded")
    with BaseCache(own_bases.folder, bases.device).borrow("mine") as family:
        drawn = family.sample_image(PICTURE)

    with bases.borrow("embedded") as family:
        bare = family.sample_image(PICTURE)
        with _full.apply(family.networks, writer.read_tensors(file), "", 1.0):
            worn = family.sample_image(PICTURE)

    assert base in own_bases.list_bases()
    assert base.present
    assert (base.licence, base.resolution, base.small) == (start.licence, 64, True)
    assert (base.family, base.prediction, base.title) == ("sd1", start.prediction, "mine")
    assert drawn.tobytes() == worn.tobytes() != bare.tobytes()
    assert own_bases.fingerprint("mine") != bases.fingerprint("embedded")
    with pytest.raises(JobError, match="base_taken"):
        promote.promote_model(file, "mine", own_bases)
    (place / "old").touch()
    promote.promote_model(file, "mine", own_bases, overwrite=True)
    assert not (place / "old").exists()
    assert [path.name for path in own_bases.folder.iterdir()] == ["mine"]
    (weights,) = place.glob("unet/*.safetensors")
    assert {tensor.dtype.itemsize for tensor in load_file(weights).values()} == {2}


def test_a_transformer_becomes_a_base(
    tiny_bases, make_recipe, make_job_folder, run_task, tmp_path
):
    """A file with only the transformer takes the other parts from its origin base."""
    random.write_random_model(tmp_path, "zimage")
    own_bases = BaseCache(tmp_path, tiny_bases.device)
    asked = make_recipe(
        "finetune",
        learning_rate=1e-3,
        ema_decay=0.0,
        steps=2,
        min_snr_gamma=0.0,
        train_text_encoder=False,
    )
    folder = make_job_folder(replace(asked, base="tiny-zimage"))
    run_task(train(folder, own_bases))
    file = folder.result / "mydog.safetensors"

    promote.promote_model(file, "mine", own_bases)

    with own_bases.borrow("mine") as family:
        drawn = family.sample_image(PICTURE)
    with own_bases.borrow("tiny-zimage") as family, torch.no_grad():
        bare = family.sample_image(PICTURE)
        with _full.apply(family.networks, writer.read_tensors(file), "", 1.0):
            worn = family.sample_image(PICTURE)
    assert own_bases.find("mine").family == "zimage"
    assert drawn.tobytes() == worn.tobytes() != bare.tobytes()


@pytest.fixture
def bf16_process():
    """Return a process that computes in bf16."""
    AcceleratorState._reset_state()
    Device.open(cpu=True, precision="bf16")
    yield
    AcceleratorState._reset_state()
    Device.open(cpu=True)


@pytest.mark.usefixtures("bf16_process")
def test_a_folder_to_hand_over(file, own_bases, tmp_path):
    """It is written whatever device trained, without the path of the base."""
    promote.write_model_folder(file, tmp_path / "mydog", own_bases)

    texts = {path.name: path.read_text() for path in tmp_path.glob("mydog/**/*.json")}
    assert {"model_index.json", "config.json"} <= texts.keys()
    assert [name for name, text in texts.items() if str(Path.cwd()) in text] == []


@pytest.mark.parametrize("name", ["embedded", "../away", ".hidden"])
def test_names_that_cannot_be(own_bases, file, name):
    """A taken or invalid name is refused, and nothing is written."""
    before = set(own_bases.folder.parent.rglob("*"))

    for overwrite in (False, True):
        with pytest.raises(JobError, match=r"base_taken|name_bad"):
            promote.promote_model(file, name, own_bases, overwrite=overwrite)

    assert set(own_bases.folder.parent.rglob("*")) == before


def test_a_lora_is_no_model(bases, own_bases, make_recipe, make_job_folder, run_task):
    """Only our own whole models can be promoted."""
    folder = make_job_folder(make_recipe())
    run_task(train(folder, bases))

    with pytest.raises(JobError, match="model_foreign"):
        promote.promote_model(folder.result / "mydog.safetensors", "other", own_bases)
