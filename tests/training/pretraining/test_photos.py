"""The squares that are cut from photographs."""

from __future__ import annotations

import random

import numpy as np
import pytest
import torch
from PIL import Image

from training.pretraining import photos


@pytest.fixture
def packages(tmp_path, monkeypatch):
    """Put two packages with a photograph, a grey one and a portrait onto the path."""
    generator = np.random.default_rng(3)
    for name in (
        "mvtbdata/images/campus/a.png",
        "mvtbdata/images/lena.png",
        "skimage/data/coffee.png",
    ):
        path = tmp_path / "site" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(generator.integers(0, 255, (90, 200, 3), np.uint8)).save(path)
    Image.new("L", (80, 80)).save(tmp_path / "site/mvtbdata/images/grey.png")
    for name in ("mvtbdata", "skimage"):
        (tmp_path / "site" / name / "__init__.py").write_text("raise RuntimeError('imported')")
    monkeypatch.syspath_prepend(str(tmp_path / "site"))


@pytest.mark.usefixtures("packages")
def test_squares_are_cut_from_both_packages(tmp_path, capsys):
    """Grey photographs and the portrait are left out, and the packages' code never runs."""
    photos.run(tmp_path)

    squares = torch.load(tmp_path / "photos.pt", weights_only=True)
    assert [path.name for path in photos.list_files()] == ["a.png", "grey.png", "coffee.png"]
    assert capsys.readouterr().out == "2 photographs\n"
    assert squares.shape == (photos.SQUARES, 3, 64, 64)
    assert squares.dtype is torch.uint8


def test_a_square_is_inside_its_photograph():
    """Small and large photographs give 64 pixels."""
    generator = random.Random(1)
    for size in ((50, 70), (64, 64), (640, 480)):
        photo = Image.new("RGB", size, "red")

        assert photos.cut_square(photo, generator).shape == (64, 64, 3)
        assert (photos.cut_square(photo, generator) == (255, 0, 0)).all()


def test_a_missing_package_is_named(monkeypatch):
    """Without the packages the stage says which is missing."""
    monkeypatch.setattr("sys.path", [])

    with pytest.raises(SystemExit, match="mvtbdata is missing"):
        photos.find_package("mvtbdata")
