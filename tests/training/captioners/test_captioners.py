"""A captioner is one module in its folder."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from PIL import Image

from storage.errors import JobError
from storage.settings import read_settings
from training import captioners, embedded
from training.cli.commands import parse
from training.settings import TrainingSettings

if TYPE_CHECKING:
    from pathlib import Path

DUMMY = '''"""Names the size of a picture."""

from training.captioners import Description

MEMORY = 1


class Ruler:
    def describe(self, pictures):
        return [Description("{} by {}".format(*picture.size)) for picture in pictures]


def recognises(place):
    return (place / "ruler.txt").exists()


def load(place, device):
    return Ruler()
'''


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Return a data folder with a model that only a new module in the package recognises."""
    package = tmp_path / "package"
    package.mkdir()
    (package / "ruler.py").write_text(DUMMY)
    monkeypatch.setattr(captioners, "__path__", [*captioners.__path__, str(package)])
    model = tmp_path / "home" / "bases" / "my-ruler"
    model.mkdir(parents=True)
    (model / "ruler.txt").write_text("")
    monkeypatch.setenv("SAFELIGHT_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("SAFELIGHT_DEVICE", "cpu")


def run_command(*arguments: str) -> int:
    """Run a command of the shell in this process."""
    command, given = parse(arguments)
    return command.run(given, read_settings(TrainingSettings))


@pytest.mark.usefixtures("home")
def test_a_new_module_is_a_captioner(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Its model is listed with the bases, and captions photos, without further edits."""
    photos, out = tmp_path / "photos", tmp_path / "out"
    photos.mkdir()
    Image.new("RGB", (90, 60)).save(photos / "a.png")

    assert run_command("bases") == 0
    listed = json.loads(capsys.readouterr().out.splitlines()[-1])["captioners"]
    assert run_command(
        "caption", str(photos), "--captioner", "my-ruler", "--trigger", "a", "--out", str(out)
    ) == 0  # fmt: skip

    assert ("my-ruler", "ruler") in [(each["name"], each["family"]) for each in listed]
    assert (out / "a.txt").read_text().strip() == "a, 90 by 60"


def test_a_strange_folder_is_no_captioner(tmp_path: Path) -> None:
    """BLIP is recognised by its config; an unknown folder is refused by name."""
    (tmp_path / "config.json").write_text('{"model_type": "bert"}')

    assert captioners.find_name(embedded.WEIGHTS / "blip") == "blip"
    with pytest.raises(JobError, match="captioner_broken"):
        captioners.find_module(tmp_path)
