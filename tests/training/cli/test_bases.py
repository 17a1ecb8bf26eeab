"""`safelight bases`: what it lists and what it refuses to fetch."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from storage.errors import JobError
from training.cli import bases
from training.settings import TrainingSettings

if TYPE_CHECKING:
    from pathlib import Path

OWN = """
[bases.mine]
title = "Mine"
family = "sd1"
source = "mine.safetensors"
resolution = 512
good = "tests"

[bases.odd]
title = "Odd"
family = "sd9"
source = "maker/odd"
resolution = 512
good = "tests"

[bases.half]
title = "Half"
"""


@pytest.fixture
def settings(tmp_path: Path) -> TrainingSettings:
    """Return settings with an operator's own list."""
    (tmp_path / "own.toml").write_text(OWN)
    return TrainingSettings(
        _env_file=None, home=tmp_path, base_list=tmp_path / "own.toml", captioner="maker/blip"
    )


def test_listing(settings: TrainingSettings) -> None:
    """Bases and captioners are listed with missing files and bytes; wrong entries are reported."""
    listing = bases.list_installed(settings)

    found = {base["name"]: base for base in listing["bases"]}
    assert (found["embedded"]["lack"], found["embedded"]["checked"]) == ("", True)
    assert found["embedded"]["bytes"] > 1 << 20
    assert (found["mine"]["lack"], found["mine"]["bytes"]) == ("base_bring", 0)
    assert found["odd"]["lack"] == "base_family"
    assert {"embedded", "blip", "florence2", "wd"} == {
        one["name"] for one in listing["captioners"]
    }
    assert listing["captioner"] == {"name": "maker/blip", "present": False}
    assert listing["wrong"] == [
        {"code": "list_missing", "file": "own.toml", "base": "half", "field": "family"}
    ]


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("embedded", "fetch_embedded"),
        ("mine", "base_bring"),
        ("odd", "base_family"),
        ("nothing", "fetch_unknown"),
        ("maker/other", "fetch_unknown"),
    ],
)
def test_refused(settings: TrainingSettings, name: str, code: str) -> None:
    """Shipped, manual and unknown models are refused without asking the hub."""
    with pytest.raises(JobError) as refused:
        bases.fetch(settings, name, lambda _: None)

    assert refused.value.code == code


def test_named(settings: TrainingSettings) -> None:
    """A captioner is found by its name or its hub repository, in our list and the operator's."""
    known = bases.open_registry(settings)

    blip = bases.find_fetchable(known, "blip", settings.captioner)
    assert bases.find_fetchable(known, blip.source, settings.captioner) == blip
    assert bases.find_fetchable(known, "maker/blip", settings.captioner).source == "maker/blip"
