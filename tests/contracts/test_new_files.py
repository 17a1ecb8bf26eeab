"""A new method or family is one new file, a new option one new line.

The files are written into a folder that the package searches, too, and found like those that ship.
The line is added to a copy of the table.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path

import pytest
from PIL import Image

from benchmarks import compatibility
from storage.folders import JobFolder, write_json
from storage.records import Concept, Dial
from storage.requests import TrainRequest
from tests.fakes.discord import running
from training import families, methods
from training.bases import random
from training.bases.cache import BaseCache
from training.cli.bases import list_installed
from training.cli.commands import parse
from training.device import Device
from training.run import defaults
from training.run.loop import train
from training.settings import TrainingSettings
from training.styles.inspect import inspect_file
from training.worker.runtime import Runtime

pytestmark = pytest.mark.slow(3)

ROOT = Path(__file__).parents[2]
OPTION = """\
    sparkle: float = option(
        0.0, "how much to sparkle", limits=(0, 1), switch=0.5, label="Sparkle"
    )
"""
METHOD = """
from storage.records import Concept, Dial, Method, Rule
from training.methods import lora
from training.methods.lora import apply, check, defaults
from training.networks.traits import KeyMarks, MethodTraits

METHOD = Method("glow", (1, 4), title="Glow", help="a LoRA that glows", rank_help="how bright")
TRAITS = MethodTraits(
    marks=KeyMarks(ends=("lora_down", "glow_scale")), unreadable={"kohya": "does not glow"}
)


class Glow(lora.LoraAdapter):
    def weights(self):
        content = super().weights()
        scales = {n.replace("alpha", "glow_scale"): t for n, t in content.items() if "alpha" in n}
        return content | scales


def attach(networks, recipe):
    return Glow(networks, recipe)


def rules(base, family):
    yield Rule(
        "glow", base.name, Concept.LOOK, Dial.QUICK, 2, 0, 2, 2, 2, 1e-3, 1, 1000, "look_quick"
    )
"""
FAMILY = """
from dataclasses import replace
from functools import partial

from training.families import sd1
from training.families._stable_files import STABLE_FILES
from training.modelfiles import folder
from training.networks.counts import read_counts

RESOLUTION, MEMORY, OBJECTIVE, FULL_RATE, CAPTION_TOKENS = 64, 10, "epsilon", 1e-5, 75
COUNTS = read_counts(__file__)
FILES = replace(STABLE_FILES, unknown_to={"Forge": "knows no toys"})
SHAPE, make_random_pipeline = sd1.SHAPE, sd1.make_random_pipeline


class Toy(sd1.Sd1):
    name = "toy"


def recognises(place):
    return folder.read_pipeline_name(place) == "ToyPipeline"


def load(place, device, base):
    return Toy(partial(sd1.read_pipeline, place), device, base)
"""


@contextmanager
def adding_file(package, folder, name, source):
    """Add a file to a package inside the block."""
    (folder / f"{name}.py").write_text(source, "utf-8")
    package.__path__.append(str(folder))
    try:
        yield
    finally:
        package.__path__.remove(str(folder))
        sys.modules.pop(f"{package.__name__}.{name}", None)


def train_two_steps(bases, folder, method, base):
    """Train a style for two steps and return its file."""
    folder.photos.mkdir(parents=True)
    Image.new("RGB", (64, 64), "navy").save(folder.photos / "0.png")
    request = TrainRequest(
        method, base, "style", "zorp", Concept.LOOK, Dial.QUICK, 2, 2, 1e-3, 1, 0
    )
    recipe = defaults.complete_recipe(
        request, bases.find(base), [("0.png", "")], prompts=(), threads=1, resolution=64
    )
    write_json(folder.request_file, {"kind": "train", "attempt": 1, "recipe": recipe.to_json()})
    *_, done = train(folder, bases)
    assert done.kind == "done"
    return folder.result / done.file


@pytest.fixture
def settings(tmp_path):
    """Return settings of an empty data folder."""
    return TrainingSettings(_env_file=None, home=tmp_path / "home", device="cpu")


async def test_a_method(tmp_path, settings, capsys):
    """A new method is in the catalog, the shell, `/train`, the inspection and the table."""
    (tmp_path / "methods").mkdir()
    with adding_file(methods, tmp_path / "methods", "glow", METHOD):
        runtime = Runtime(tmp_path / "bases", settings, "cpu")
        catalog = runtime.catalog()
        assert catalog.method_title("glow") == "Glow"
        assert "glow" in {rule.method for rule in catalog.rules if rule.base == "embedded"}

        with pytest.raises(SystemExit):
            parse(["train", "--help"])
        help_text = capsys.readouterr().out
        assert "Glow: a LoRA that glows" in help_text
        assert "how bright (1 to 4)" in help_text

        file = train_two_steps(runtime.bases, JobFolder(tmp_path / "job"), "glow", "embedded")
        facts = inspect_file(file)
        assert (facts["method"], facts["method_title"]) == ("glow", "Glow")
        assert facts["amiss"] == {"kohya": "does not glow"}

        names = compatibility.file_names("glow", runtime.bases, "embedded")
        assert compatibility.row("glow", "sd1", names).startswith("| glow | sd1 | no: does not gl")

        async with running(tmp_path / "bot") as kit:
            await kit.store.catalog.publish(catalog)
            await kit.bot.cogs["train"].refresh()
            offered = kit.add_member("alice").available_commands(kit.channel)
        assert {f"train {name}" for name in methods.walk()} <= set(offered)


def test_a_family(tmp_path, settings):
    """A base of a new family is listed, has rules, trains, and is in the table of programs."""
    place = random.write_random_model(settings.home / "bases", "sd1")
    index = json.loads((place / "model_index.json").read_text("utf-8"))
    (place / "model_index.json").write_text(json.dumps(index | {"_class_name": "ToyPipeline"}))
    (tmp_path / "families").mkdir()
    with adding_file(families, tmp_path / "families", "toy", FAMILY):
        listed = {base["name"]: base for base in list_installed(settings)["bases"]}
        assert listed[place.name]["family"] == "toy"

        bases = BaseCache(settings.home / "bases", Device.open(cpu=True))
        assert any(defaults.rules("lora", bases.find(place.name)))

        file = train_two_steps(bases, JobFolder(tmp_path / "job"), "lora", place.name)
        assert inspect_file(file)["amiss"] == {"Forge": "knows no toys"}

        names = compatibility.file_names("lora", bases, place.name)
        assert "| no: knows no toys |" in compatibility.row("lora", "toy", names)


def test_an_option(tmp_path):
    """A new line in the table of options is a flag, a switch, and in recipe and header."""
    shutil.copytree(ROOT / "storage", tmp_path / "storage")
    table = tmp_path / "storage/options.py"
    text = table.read_text("utf-8")
    table.write_text(text.replace("\n\n\ndef options_table", f"\n{OPTION}\n\ndef options_table"))
    child = subprocess.run(
        [sys.executable, "-m", "tests.contracts.sparkle", str(tmp_path)],
        cwd=tmp_path, env=os.environ | {"PYTHONPATH": str(ROOT)}, capture_output=True, check=False,
    )  # fmt: skip

    assert child.returncode == 0, child.stderr.decode()
    assert json.loads((tmp_path / "found.json").read_text()) == {
        "flag": {"sparkle": 0.5}, "form": True, "recipe": 0.5, "header": 0.5,
    }  # fmt: skip
