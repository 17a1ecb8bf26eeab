"""The options' table: a line in it is all that a new option needs."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

ROOT = Path(__file__).parents[2]
LINE = (
    "    dummy_strength: float = option(\n"
    '        0.0, "an option of a test", limits=(0, 1), switch=0.25, label="A dummy switch"\n'
    "    )\n"
)
FORM = """
import asyncio
from bot.actions.order import TrainingOrder
from bot.cards.preflight import MoreForm

async def main():
    order = TrainingOrder(1, "lora", "embedded", options={"dummy_strength": 0.25})
    form = MoreForm(order, [])
    switches = {each.value: (each.label, each.default) for each in form.switches.options}
    print(*switches["dummy_strength"])

asyncio.run(main())
"""
HEADER = """
import json, pathlib, sys
from training.styles.header import read_header
metadata = read_header(pathlib.Path(sys.argv[1]))["__metadata__"]
print(json.loads(metadata["safelight.recipe"])["dummy_strength"])
"""


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a copy of the product whose table of options has one line more."""
    copy = tmp_path_factory.mktemp("checkout")
    for package in ("bot", "storage", "training"):
        shutil.copytree(
            ROOT / package, copy / package, ignore=shutil.ignore_patterns("weights", "__pycache__")
        )
    (copy / "training/embedded/weights").symlink_to(ROOT / "training/embedded/weights")
    table = copy / "storage/options.py"
    before, end, after = table.read_text("utf-8").partition("\n\n\ndef options_table(")
    table.write_text(f"{before}\n{LINE}{end}{after}", "utf-8")
    return copy


def run_python(checkout: Path, *arguments: str) -> str:
    """Run Python in the copy and return what it printed."""
    environment = {"PATH": os.environ["PATH"], "HOME": str(checkout), "HF_HUB_OFFLINE": "1"}
    done = subprocess.run(
        [sys.executable, "-W", "ignore", *arguments],
        cwd=checkout, env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_a_new_option_is_on_the_form(checkout: Path) -> None:
    """The form of more options has its switch, turned on where an order has it."""
    assert run_python(checkout, "-c", FORM) == "A dummy switch True"


@pytest.mark.slow(12)
def test_a_new_option_is_a_flag_and_in_the_files_header(checkout: Path, tmp_path: Path) -> None:
    """`safelight train` takes it as a flag, and the file's recipe has it."""
    photos = tmp_path / "photos"
    photos.mkdir()
    for number in range(3):
        Image.new("RGB", (64, 64), (80 * number, 40, 90)).save(photos / f"{number}.png")

    printed = run_python(
        checkout, "-m", "training", "train", str(photos), "--out", str(tmp_path / "out"),
        "--name", "dog", "--steps", "1", "--rank", "1", "--dummy-strength", "0.25",
    )  # fmt: skip
    assert json.loads(printed.splitlines()[-1])["kind"] == "done"
    (style,) = (tmp_path / "out").rglob("*.safetensors")

    assert run_python(checkout, "-c", HEADER, str(style)) == "0.25"
