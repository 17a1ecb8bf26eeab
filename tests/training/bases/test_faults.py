"""What lies in `bases/` and is no usable base is named with its reason, and not offered."""

from __future__ import annotations

import json
import os
import shutil

import pytest

from benchmarks.hostile.weights import KINDS, make_content, write_file
from storage.errors import JobError
from training import embedded
from training.bases.registry import BaseRegistry
from training.cli import bases as command
from training.settings import TrainingSettings

WEIGHTS = "unet/diffusion_pytorch_model.safetensors"
CONFIG = "unet/config.json"
INDEX = "model_index.json"
SOUND = make_content(KINDS["lora"])


@pytest.fixture
def folder(tmp_path):
    """Return the data folder's bases with a sound one in it."""
    bases = tmp_path / "bases"
    bases.mkdir()
    shutil.copytree(embedded.find_folder("diffusion"), bases / "sound")
    return bases


@pytest.mark.parametrize(
    ("name", "content", "code", "reason"),
    [
        ("old.ckpt", b"\x80\x04}", "base_pickle", ""),
        ("renamed.safetensors", b"\x80\x04}.", "base_unusable", "pickle"),
        ("zipped.safetensors", b"PK\x03\x04" + bytes(99), "base_unusable", "pickle in a zip"),
        ("empty.safetensors", b"", "base_unusable", "empty"),
        ("flux.gguf", b"GGUF\x03\0\0\0" + bytes(99), "base_unusable", "GGUF"),
        ("q8.safetensors", b"GGUF\x03\0\0\0" + bytes(99), "base_unusable", "GGUF"),
        ("half.safetensors", SOUND[:-9], "base_unusable", "half a download"),
        ("page.safetensors", b"<!doctype html>", "base_unusable", "web page"),
        ("lfs.safetensors", b"version https://git-lfs.github.com/spec/v1", "base_unusable", "LFS"),
        ("style.safetensors", SOUND, "base_style", "LoRA"),
        ("BIG.SAFETENSORS", SOUND, "base_unusable", "doesn't end in .safetensors"),
        ("strange.safetensors", make_content({"x": ("F16", (2,))}), "base_unusable", "no model"),
    ],
)
def test_files(folder, name, content, code, reason):
    """A file that cannot be used is told with what it is, by lists and to whoever names it."""
    (folder / name).write_bytes(content)
    registry = BaseRegistry(folder)

    (fault,) = registry.list_faults()
    assert (fault.code, fault.facts["base"]) == (code, name)
    assert reason in str(fault.facts.get("reason", ""))
    assert [base.name for base in registry.list_own()] == ["sound"]
    with pytest.raises(JobError) as refused:
        registry.find(name.partition(".")[0])
    assert refused.value.code == code


def pickle_unet(place):
    """Leave a folder with a pickled UNet."""
    (place / WEIGHTS).rename((place / WEIGHTS).with_suffix(".bin"))


def halve_unet(place):
    """Cut the UNet's file."""
    os.truncate(place / WEIGHTS, 5000)


def write_index(text):
    """Return a change that writes what a folder says of itself."""
    return lambda place: (place / INDEX).write_text(text)


def point(shard):
    """Return a change that makes an index name one file of weights."""

    def write(place):
        index = place / "unet" / "diffusion_pytorch_model.safetensors.index.json"
        index.write_text(json.dumps({"weight_map": {"conv_in.weight": shard}}))

    return write


@pytest.mark.parametrize(
    ("change", "code", "reason"),
    [
        (pickle_unet, "base_pickle", ""),
        (halve_unet, "base_unusable", "half a download"),
        (point("../../other/model.safetensors"), "base_unusable", "outside of its folder"),
        (point("/etc/passwd"), "base_unusable", "files outside of"),
        (point("model-00002.safetensors"), "base_unusable", "is missing"),
        (lambda place: shutil.rmtree(place / "vae"), "base_unusable", "no folder vae"),
        (lambda place: (place / WEIGHTS).unlink(), "base_unusable", "no .safetensors file"),
        (lambda place: (place / CONFIG).unlink(), "base_unusable", "its unet has no config.json"),
        (lambda place: (place / INDEX).unlink(), "base_unusable", "has no model_index.json"),
        (write_index("{"), "base_unusable", "model_index.json can't be read"),
        (write_index('{"_class_name": "FluxPipeline"}'), "base_unusable", "it is a FluxPipeline"),
    ],
)  # fmt: skip
def test_folders(folder, change, code, reason):
    """A folder with pickles, with shards elsewhere or without a part is told, and not ticked."""
    shutil.copytree(folder / "sound", folder / "mine")
    registry = BaseRegistry(folder)
    assert registry.list_faults() == []
    change(folder / "mine")

    (fault,) = registry.list_faults()
    assert (fault.code, fault.facts["base"]) == (code, "mine")
    assert reason in str(fault.facts.get("reason", ""))
    assert [base.name for base in registry.list_own()] == ["sound"]


def test_a_listed_base_is_not_ticked(folder, tmp_path):
    """An entry of a list whose file is damaged is not installed, and says why."""
    (folder / "mine.safetensors").write_bytes(SOUND[:-9])
    (tmp_path / "own.toml").write_text(
        '[bases.listed]\ntitle="x"\nfamily="sd1"\nsource="mine.safetensors"\nresolution=64\ngood="x"'
    )
    registry = BaseRegistry(folder, tmp_path / "own.toml")

    (listed,) = (base for base in registry.list_bases() if base.name == "listed")
    assert not listed.present
    with pytest.raises(JobError, match="base_unusable"):
        registry.find("listed")


def test_a_repaired_file_is_looked_at_again(folder):
    """What was found is forgotten when the file changes, and other files are left alone."""
    path = write_file(folder / "a.safetensors", KINDS["lora"])
    (folder / "notes.txt").write_text("mine")
    (folder / ".b.part").mkdir()
    registry = BaseRegistry(folder)
    assert [fault.code for fault in registry.list_faults()] == ["base_style"]

    path.write_bytes(b"")
    assert [fault.code for fault in registry.list_faults()] == ["base_unusable"]
    path.unlink()
    assert registry.list_faults() == []


def test_the_command_tells_them(folder):
    """`safelight bases`, from which the doctor asks, has them among what is wrong."""
    (folder / "old.ckpt").write_bytes(b"\x80\x04}")
    settings = TrainingSettings(_env_file=None, home=folder.parent)

    assert command.list_installed(settings)["wrong"] == [
        {"code": "base_pickle", "base": "old.ckpt"}
    ]
