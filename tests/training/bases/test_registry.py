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
from training.bases.cache import BaseCache
from training.device import Device

if TYPE_CHECKING:
    from pathlib import Path


class Narrow(Device):
    """A device with little room."""

    def free_mib(self) -> int:
        """Count MiB that are still to be had."""
        return 100


def test_half(tmp_path: Path) -> None:
    """What is still being written into the folder is no base."""
    random.write_random_model(tmp_path, "sd1").rename(tmp_path / ".mine.part")

    assert BaseCache(tmp_path).list_own() == []


def test_listed() -> None:
    """The embedded base is there and first; those on a hub are listed with licence and use."""
    bases = BaseCache(None).list_bases()

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

    bases = BaseCache(tmp_path, Device.open(cpu=True))

    assert [base.name for base in bases.list_own()] == ["mine"]
    assert bases.fingerprint("mine") == bases.fingerprint("mine") != ""
    with bases.borrow("mine") as family:
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

    with pytest.raises(JobError) as refused, BaseCache(tmp_path).borrow(name):
        pass

    assert refused.value.code == code


def test_pickled_folder(tmp_path: Path) -> None:
    """A folder whose weights are pickles is refused before anything is read."""
    shutil.copytree(embedded.folder("diffusion"), tmp_path / "mine")
    weights = tmp_path / "mine" / "unet" / "diffusion_pytorch_model.safetensors"
    weights.rename(weights.with_suffix(".bin"))

    with pytest.raises(JobError) as refused, BaseCache(tmp_path).borrow("mine"):
        pass

    assert refused.value.code == "base_pickle"


def test_damaged(tmp_path: Path) -> None:
    """A damaged base ends the job with a code, and can be tried again."""
    shutil.copytree(embedded.folder("diffusion"), tmp_path / "mine")
    weights = tmp_path / "mine" / "unet" / "diffusion_pytorch_model.safetensors"
    weights.write_bytes(weights.read_bytes()[:5000])
    bases = BaseCache(tmp_path)

    with pytest.raises(JobError) as refused, bases.borrow("mine"):
        pass

    assert refused.value.code == "base_broken"
    assert not bases.loaded


def test_changed(tmp_path: Path) -> None:
    """Other weights under the same name are another base."""
    shutil.copytree(embedded.folder("diffusion"), tmp_path / "mine")
    bases = BaseCache(tmp_path)
    before = bases.fingerprint("mine")
    weights = tmp_path / "mine" / "vae" / "diffusion_pytorch_model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-1] + b"x")

    assert bases.fingerprint("mine") != before


def test_skip(tmp_path: Path) -> None:
    """The same files read with another clip skip are another base."""
    shutil.copytree(embedded.folder("diffusion"), tmp_path / "mine")
    entry = '[bases.{0}]\ntitle="x"\nfamily="sd1"\nsource="mine"\nresolution=64\ngood="x"\n{1}\n'
    (tmp_path / "own.toml").write_text(entry.format("a", "") + entry.format("b", "skip = 2"))
    bases = BaseCache(tmp_path, Device.open(cpu=True), tmp_path / "own.toml")

    assert [base.name for base in bases.list_own()] == []
    assert (
        bases.fingerprint("a") == BaseCache(tmp_path).fingerprint("mine") != bases.fingerprint("b")
    )
    with bases.borrow("b") as family:
        assert family.skip == 2  # type: ignore[attr-defined]


def test_namesake(tmp_path: Path) -> None:
    """A file in the folder that is called as a missing base of the list is taken for that name."""
    shutil.copytree(embedded.folder("diffusion"), tmp_path / "sd15")
    bases = BaseCache(tmp_path, Device.open(cpu=True))

    (found,) = (base for base in bases.list_bases() if base.name == "sd15")

    assert found == bases.find("sd15")
    assert (found.present, found.source, found.licence) == (True, "sd15", "unseen")


def test_resident() -> None:
    """A base stays loaded; what is lent is never put away, what is not makes room."""
    bases = BaseCache(None, Device.open(cpu=True))
    loads: list[str] = []

    def load(name: str) -> str:
        loads.append(name)
        return name

    for name in ("a", "a", "b"):
        with bases.borrow_model(name, 1, lambda name=name: load(name), small=True):
            pass
    with (
        bases.borrow_model("a", 1, lambda: load("a"), small=True),
        bases.borrow_model("c", 2**40, lambda: load("c"), small=True),
    ):
        assert list(bases.loaded) == ["a", "c"]

    assert loads == ["a", "b", "c"]


def test_fits() -> None:
    """Another base fits beside the one at work only where there is room for it."""
    bases = BaseCache(None, Narrow(Device.open(cpu=True).accelerator))

    assert bases.fits("sd15", 3500)
    with bases.borrow_model("embedded", 0, lambda: "loaded", small=True):
        assert bases.fits("embedded", 50)
        assert bases.fits("captioner", 50)
        assert not bases.fits("sd15", 3500)


def test_modified() -> None:
    """A base whose numbers were rounded serves nobody else, and is forgotten once given back."""
    bases, rounded = BaseCache(None, Device.open(cpu=True)), SimpleNamespace(modified=False)

    with bases.borrow_model("a", 1, lambda: rounded, small=True):
        rounded.modified = True
        assert not bases.fits("a", 1)
    assert bases.fits("a", 1)
    assert not bases.loaded


@pytest.mark.parametrize(
    ("error", "kept"), [(JobError("loss_nan"), True), (torch.OutOfMemoryError(""), False)]
)
def test_suspect(error: Exception, *, kept: bool) -> None:
    """What broke off in the middle of its work may have left its base changed: it is read anew."""
    bases = BaseCache(None, Device.open(cpu=True))

    with pytest.raises(type(error)), bases.borrow_model("a", 1, object, small=True):
        raise error
    assert ("a" in bases.loaded) == kept
    assert bases.fits("a", 1)


def test_threads(tmp_path: Path) -> None:
    """Whatever was lent before, each model computes on the threads that suit it."""
    bases = BaseCache(tmp_path, Device.open(cpu=True))
    bases.device.max_threads = 3
    seen = []
    for small in (True, False, True):
        with bases.borrow_model(f"model {small}", 1, object, small=small):
            seen.append(torch.get_num_threads())
    torch.set_num_threads(1)

    assert seen == [1, 3, 1]
