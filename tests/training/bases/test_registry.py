"""The bases there are, and which of them are loaded."""

from __future__ import annotations

import json
import shutil
from types import SimpleNamespace
from typing import TYPE_CHECKING

import pytest
import torch

from storage.errors import JobError
from training import embedded
from training.bases import random
from training.bases.registry import Bases
from training.device import Device

if TYPE_CHECKING:
    from pathlib import Path


class Narrow(Device):
    """A device with little room."""

    def free(self) -> int:
        """Count MiB that are still to be had."""
        return 100


def test_half(tmp_path: Path) -> None:
    """What is still being written into the folder is no base."""
    random.kept(tmp_path, "sd1").rename(tmp_path / ".mine.part")

    assert Bases(tmp_path).own() == []


def test_listed() -> None:
    """The embedded base is there and first; those on a hub are listed with licence and use."""
    bases = Bases(None).describe()

    assert bases[0].name == "embedded"
    assert bases[0].present
    assert bases[0].small
    assert {"sd15", "realistic", "dreamshaper"} <= {base.name for base in bases}
    assert all(base.licence and base.good and base.resolution for base in bases)


def test_own(tmp_path: Path) -> None:
    """Folders in the operator's folder are bases, by their name; other things there are not."""
    shutil.copytree(embedded.folder("diffusion"), tmp_path / "mine")
    (tmp_path / "notes.safetensors").write_bytes(b"hello")
    (tmp_path / "sdxl").mkdir()
    (tmp_path / "sdxl" / "model_index.json").write_text(
        json.dumps({"_class_name": "StableDiffusionXLPipeline"})
    )

    bases = Bases(tmp_path, Device.open(cpu=True))

    assert [base.name for base in bases.own()] == ["mine"]
    assert bases.identity("mine") == bases.identity("mine") != ""
    with bases.family("mine") as family:
        assert family.name == "sd1"


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
    """A base that is unknown, a pickle or not on this machine is refused with its code."""
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "cache"))
    (tmp_path / "old.ckpt").write_bytes(b"\x80\x02}q\x00.")

    with pytest.raises(JobError) as refused, Bases(tmp_path).family(name):
        pass

    assert refused.value.code == code


def test_pickled_folder(tmp_path: Path) -> None:
    """A folder whose weights are pickles is refused before anything is read."""
    shutil.copytree(embedded.folder("diffusion"), tmp_path / "mine")
    weights = tmp_path / "mine" / "unet" / "diffusion_pytorch_model.safetensors"
    weights.rename(weights.with_suffix(".bin"))

    with pytest.raises(JobError) as refused, Bases(tmp_path).family("mine"):
        pass

    assert refused.value.code == "base_pickle"


def test_damaged(tmp_path: Path) -> None:
    """A damaged base ends the job with a code, and can be tried again."""
    shutil.copytree(embedded.folder("diffusion"), tmp_path / "mine")
    weights = tmp_path / "mine" / "unet" / "diffusion_pytorch_model.safetensors"
    weights.write_bytes(weights.read_bytes()[:5000])
    bases = Bases(tmp_path)

    with pytest.raises(JobError) as refused, bases.family("mine"):
        pass

    assert refused.value.code == "base_broken"
    assert not bases.resident


def test_changed(tmp_path: Path) -> None:
    """Other weights under the same name are another base."""
    shutil.copytree(embedded.folder("diffusion"), tmp_path / "mine")
    bases = Bases(tmp_path)
    before = bases.identity("mine")
    weights = tmp_path / "mine" / "vae" / "diffusion_pytorch_model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-1] + b"x")

    assert bases.identity("mine") != before


def test_skip(tmp_path: Path) -> None:
    """The same files read with another clip skip are another base."""
    shutil.copytree(embedded.folder("diffusion"), tmp_path / "mine")
    entry = '[bases.{0}]\ntitle="x"\nfamily="sd1"\nsource="mine"\nresolution=64\ngood="x"\n{1}\n'
    (tmp_path / "own.toml").write_text(entry.format("a", "") + entry.format("b", "skip = 2"))
    bases = Bases(tmp_path, Device.open(cpu=True), tmp_path / "own.toml")

    assert [base.name for base in bases.own()] == []
    assert bases.identity("a") == Bases(tmp_path).identity("mine") != bases.identity("b")
    with bases.family("b") as family:
        assert family.skip == 2  # type: ignore[attr-defined]


def test_namesake(tmp_path: Path) -> None:
    """A file in the folder that is called as a missing base of the list is taken for that name."""
    shutil.copytree(embedded.folder("diffusion"), tmp_path / "sd15")
    bases = Bases(tmp_path, Device.open(cpu=True))

    (found,) = (base for base in bases.describe() if base.name == "sd15")

    assert found == bases.find("sd15")
    assert (found.present, found.source, found.licence) == (True, "sd15", "unseen")


def test_resident() -> None:
    """A base stays loaded; what is lent is never put away, what is not makes room."""
    bases = Bases(None, Device.open(cpu=True))
    loads: list[str] = []

    def load(name: str) -> str:
        loads.append(name)
        return name

    for name in ("a", "a", "b"):
        with bases.kept(name, 1, lambda name=name: load(name), small=True):
            pass
    with (
        bases.kept("a", 1, lambda: load("a"), small=True),
        bases.kept("c", 2**40, lambda: load("c"), small=True),
    ):
        assert list(bases.resident) == ["a", "c"]

    assert loads == ["a", "b", "c"]


def test_fits() -> None:
    """Another base fits beside the one at work only where there is room for it."""
    bases = Bases(None, Narrow(Device.open(cpu=True).accelerator))

    assert bases.fits("sd15", 3500)
    with bases.kept("embedded", 0, lambda: "loaded", small=True):
        assert bases.fits("embedded", 50)
        assert bases.fits("captioner", 50)
        assert not bases.fits("sd15", 3500)


def test_rough() -> None:
    """A base whose numbers were rounded serves nobody else, and is forgotten once given back."""
    bases, rounded = Bases(None, Device.open(cpu=True)), SimpleNamespace(rough=False)

    with bases.kept("a", 1, lambda: rounded, small=True):
        rounded.rough = True
        assert not bases.fits("a", 1)
    assert bases.fits("a", 1)
    assert not bases.resident


@pytest.mark.parametrize(
    ("error", "kept"), [(JobError("loss_nan"), True), (torch.OutOfMemoryError(""), False)]
)
def test_suspect(error: Exception, *, kept: bool) -> None:
    """What broke off in the middle of its work may have left its base changed: it is read anew."""
    bases = Bases(None, Device.open(cpu=True))

    with pytest.raises(type(error)), bases.kept("a", 1, object, small=True):
        raise error
    assert ("a" in bases.resident) == kept
    assert bases.fits("a", 1)


def test_threads(tmp_path: Path) -> None:
    """Whatever was lent before, each model computes on the threads that suit it."""
    bases = Bases(tmp_path, Device.open(cpu=True))
    bases.device.most = 3
    seen = []
    for small in (True, False, True):
        with bases.kept(f"model {small}", 1, object, small=small):
            seen.append(torch.get_num_threads())
    torch.set_num_threads(1)

    assert seen == [1, 3, 1]
