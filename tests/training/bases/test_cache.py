"""The cache of loaded bases: loading, lending and unloading."""

from __future__ import annotations

import shutil
from types import SimpleNamespace
from typing import TYPE_CHECKING

import pytest
import torch

from storage.errors import JobError
from training import embedded
from training.bases.cache import BaseCache
from training.device import Device

if TYPE_CHECKING:
    from pathlib import Path

ENTRY = """
[bases.mine]
title = "x"
family = "sd1"
source = "mine"
resolution = 64
good = "x"
clip_skip = 2
"""


class Narrow(Device):
    """A device with little memory."""

    def free_mib(self) -> int:
        """Return the free memory in MiB."""
        return 100


def test_an_entry_says_how_its_files_are_read(tmp_path: Path) -> None:
    """A base is loaded with the settings of its list entry."""
    shutil.copytree(embedded.find_folder("diffusion"), tmp_path / "mine")
    (tmp_path / "own.toml").write_text(ENTRY)
    bases = BaseCache(tmp_path, Device.open(cpu=True), tmp_path / "own.toml")

    with bases.borrow("mine") as family:
        assert (family.name, family.clip_skip) == ("sd1", 2)  # type: ignore[attr-defined]


def test_pickled_folder(tmp_path: Path) -> None:
    """A folder whose weights are pickles is refused before anything is read."""
    shutil.copytree(embedded.find_folder("diffusion"), tmp_path / "mine")
    weights = tmp_path / "mine" / "unet" / "diffusion_pytorch_model.safetensors"
    weights.rename(weights.with_suffix(".bin"))

    with pytest.raises(JobError) as refused, BaseCache(tmp_path).borrow("mine"):
        pass

    assert refused.value.code == "base_pickle"


def test_damaged(tmp_path: Path) -> None:
    """A damaged base fails the job with a code, and can be tried again."""
    shutil.copytree(embedded.find_folder("diffusion"), tmp_path / "mine")
    weights = tmp_path / "mine" / "unet" / "diffusion_pytorch_model.safetensors"
    weights.write_bytes(weights.read_bytes()[:5000])
    bases = BaseCache(tmp_path)

    with pytest.raises(JobError) as refused, bases.borrow("mine"):
        pass

    assert refused.value.code == "base_unusable"
    assert not bases.loaded


def test_loaded() -> None:
    """A base stays loaded; a base in use is never unloaded, an idle one makes room."""
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
    """Another base is loaded beside the one in use only if there is memory for it."""
    bases = BaseCache(None, Narrow(Device.open(cpu=True).accelerator))

    assert bases.fits("sd15", 3500)
    with bases.borrow_model("embedded", 0, lambda: "loaded", small=True):
        assert bases.fits("embedded", 50)
        assert bases.fits("captioner", 50)
        assert not bases.fits("sd15", 3500)


def test_modified() -> None:
    """A quantized base is not shared, and is unloaded when its borrower is done."""
    bases, rounded = BaseCache(None, Device.open(cpu=True)), SimpleNamespace(modified=False)

    with bases.borrow_model("a", 1, lambda: rounded, small=True):
        rounded.modified = True
        assert not bases.fits("a", 1)
    assert bases.fits("a", 1)
    assert not bases.loaded


@pytest.mark.parametrize(
    ("error", "kept"), [(JobError("loss_nan"), True), (torch.OutOfMemoryError(""), False)]
)
def test_tainted(error: Exception, *, kept: bool) -> None:
    """A base whose borrower crashed may have changed, so it is loaded again."""
    bases = BaseCache(None, Device.open(cpu=True))

    with pytest.raises(type(error)), bases.borrow_model("a", 1, object, small=True):
        raise error
    assert ("a" in bases.loaded) == kept
    assert bases.fits("a", 1)


def test_threads(tmp_path: Path) -> None:
    """Each model computes on the threads that suit it, whatever was lent before."""
    bases = BaseCache(tmp_path, Device.open(cpu=True))
    bases.device.max_threads = 3
    seen = []
    for small in (True, False, True):
        with bases.borrow_model(f"model {small}", 1, object, small=small):
            seen.append(torch.get_num_threads())
    torch.set_num_threads(1)

    assert seen == [1, 3, 1]
