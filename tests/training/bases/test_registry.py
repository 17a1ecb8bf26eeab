"""The registry of bases: list, find and fingerprint."""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING

import pytest

from storage.errors import JobError
from training import embedded
from training.bases import random
from training.bases.registry import BaseRegistry

if TYPE_CHECKING:
    from pathlib import Path


def test_half(tmp_path: Path) -> None:
    """A folder that is still being written is not a base."""
    random.write_random_model(tmp_path, "sd1").rename(tmp_path / ".mine.part")

    assert BaseRegistry(tmp_path).list_own() == []


def test_listed() -> None:
    """The embedded base comes first; those on a hub are listed with licence and use."""
    bases = BaseRegistry(None).list_bases()

    assert bases[0].name == "embedded"
    assert bases[0].present
    assert bases[0].small
    assert {"sd15", "realistic", "dreamshaper"} <= {base.name for base in bases}
    assert all(base.licence and base.good and base.resolution for base in bases)


def test_own(tmp_path: Path) -> None:
    """Folders in the operator's folder are bases under their names; other files are not."""
    shutil.copytree(embedded.find_folder("diffusion"), tmp_path / "mine")
    (tmp_path / "notes.safetensors").write_bytes(b"hello")
    (tmp_path / "sdxl").mkdir()
    (tmp_path / "sdxl" / "model_index.json").write_text(
        json.dumps({"_class_name": "StableDiffusionXLPipeline"})
    )

    bases = BaseRegistry(tmp_path)

    assert [base.name for base in bases.list_own()] == ["mine"]
    assert bases.fingerprint("mine") == bases.fingerprint("mine") != ""
    assert bases.find("mine").family == "sd1"


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("nowhere", "base_unknown"),
        ("../home", "base_unknown"),
        ("*", "base_unknown"),
        ("", "base_unknown"),
        ("old", "base_pickle"),
        ("sd15", "base_missing"),
    ],
)
def test_refused(tmp_path: Path, name: str, code: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A base that is unknown, a pickle or missing on this machine is refused with a code."""
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "cache"))
    (tmp_path / "old.ckpt").write_bytes(b"\x80\x02}q\x00.")

    with pytest.raises(JobError) as refused:
        BaseRegistry(tmp_path).locate(name)

    assert refused.value.code == code


def test_changed(tmp_path: Path) -> None:
    """Other weights under the same name have another fingerprint."""
    shutil.copytree(embedded.find_folder("diffusion"), tmp_path / "mine")
    bases = BaseRegistry(tmp_path)
    before = bases.fingerprint("mine")
    weights = tmp_path / "mine" / "vae" / "diffusion_pytorch_model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-1] + b"x")

    assert bases.fingerprint("mine") != before


def test_skip(tmp_path: Path) -> None:
    """The same files with another clip skip have another fingerprint."""
    shutil.copytree(embedded.find_folder("diffusion"), tmp_path / "mine")
    entry = '[bases.{0}]\ntitle="x"\nfamily="sd1"\nsource="mine"\nresolution=64\ngood="x"\n{1}\n'
    (tmp_path / "own.toml").write_text(entry.format("a", "") + entry.format("b", "skip = 2"))
    bases = BaseRegistry(tmp_path, tmp_path / "own.toml")

    assert [base.name for base in bases.list_own()] == []
    assert (
        bases.fingerprint("a")
        == BaseRegistry(tmp_path).fingerprint("mine")
        != bases.fingerprint("b")
    )


def test_namesake(tmp_path: Path) -> None:
    """A local file replaces a listed base of the same name that is not installed."""
    shutil.copytree(embedded.find_folder("diffusion"), tmp_path / "sd15")
    bases = BaseRegistry(tmp_path)

    (found,) = (base for base in bases.list_bases() if base.name == "sd15")

    assert found == bases.find("sd15")
    assert (found.present, found.source, found.licence) == (True, "sd15", "unseen")


def test_an_unknown_name_is_answered_with_those_there_are(tmp_path: Path) -> None:
    """The error lists every base's name, so that the nearest one can be suggested."""
    with pytest.raises(JobError) as refused:
        BaseRegistry(tmp_path).find("embeded")

    assert {"embedded", "sd15"} <= set(refused.value.facts["choices"])
