"""The command line as typed, with real child processes."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest
from PIL import Image

from benchmarks.hostile.weights import LORA, write_file
from bot import wording
from bot.demo.mascot import picture_files
from bot.terminal import cli
from bot.terminal.cli import TRAINING_COMMANDS
from training.cli.commands import parse

pytestmark = pytest.mark.slow(1)

SAFELIGHT = [sys.executable, "-m", "bot.terminal.cli"]


@pytest.fixture
def safelight(tmp_path):
    """Run a command in an empty folder, with its own data folder."""
    known = {n: v for n, v in os.environ.items() if not n.startswith(("SAFELIGHT", "DISCORD"))}
    environment = known | {"SAFELIGHT_HOME": str(tmp_path / "home"), "HF_HUB_OFFLINE": "1"}

    def typed(*arguments, **more):
        return subprocess.run(
            [*SAFELIGHT, *map(str, arguments)],
            check=False,
            cwd=tmp_path,
            env=environment | more,
            capture_output=True,
            text=True,
            timeout=300,
        )

    return typed


@pytest.fixture
def photos(tmp_path):
    """Return a folder of pictures."""
    folder = tmp_path / "photos"
    folder.mkdir()
    for picture in picture_files()[:4]:
        (folder / picture.name).write_bytes(picture.read_bytes())
    return folder


def test_help_names_every_command(safelight):
    """`safelight --help` lists all commands, and each has its own help."""
    said = safelight("--help")
    assert said.returncode == 0
    assert all(name in said.stdout for name in wording.shell.COMMANDS)
    assert "--no-browser" in safelight("demo", "--help").stdout


@pytest.mark.parametrize(
    ("command", "code"), [(["inspect", "{file}"], 141), (["bases"], 141), (["--help"], 141)]
)
def test_a_reader_that_leaves_is_no_error(tmp_path, command, code):
    """`safelight inspect FILE | head -0` ends quietly, with the code that shells know."""
    file = write_file(tmp_path / "mydog.safetensors", LORA)
    ours, theirs = os.pipe()
    os.close(ours)
    buffered = {name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"}
    run = subprocess.run(
        [*SAFELIGHT, *(each.format(file=file) for each in command)],
        env=buffered, check=False, stdout=theirs, stderr=subprocess.PIPE, timeout=60,
    )  # fmt: skip
    os.close(theirs)

    assert (run.returncode, run.stderr) == (code, b"")


def test_any_file_name_is_printed(safelight, tmp_path):
    """A name whose bytes are no letters has question marks in its place."""
    file = write_file(tmp_path / os.fsdecode(b"my\xff\xfe.safetensors"), LORA)

    told = safelight("inspect", file)

    assert (told.returncode, told.stderr) == (0, "")
    assert told.stdout.startswith("my??.safetensors: LoRA")


def test_the_trainings_own_options_are_its_helps(capfd):
    """A training command's options come from the training itself, in a process of its own."""
    assert cli.main(["inspect", "--help"]) == 0
    assert "usage: safelight inspect" in capfd.readouterr().out


@pytest.mark.parametrize("command", TRAINING_COMMANDS)
def test_the_training_knows_each_of_its_commands(command, capsys):
    """What is handed on to the training is a command there, with options of its own."""
    with pytest.raises(SystemExit) as ended:
        parse([command, "--help"])

    assert ended.value.code == 0
    assert f"usage: safelight {command}" in capsys.readouterr().out


def test_run_without_a_token_tells_how_to_get_one(safelight):
    """Without a token four steps and the demo's command are printed, with exit code 2."""
    said = safelight("run", DISCORD_TOKEN="")
    assert said.returncode == 2
    assert all(f"  {step}. " in said.stderr for step in (1, 2, 3, 4))
    assert "safelight demo" in said.stderr


def test_a_wrong_setting_is_a_sentence(safelight):
    """A wrong setting fails the start with its name and an example, without a traceback."""
    said = safelight("run", SAFELIGHT_UPLOAD_MIB="many")
    assert said.returncode == 2
    assert "SAFELIGHT_UPLOAD_MIB=20" in said.stderr
    assert "Traceback" not in said.stderr


@pytest.mark.parametrize("command", ["demo", "train"])
def test_an_unknown_flag_is_answered_with_the_nearest(safelight, command):
    """It is refused with exit code 2 and a suggestion, whichever process knows the flags."""
    said = safelight(command, "--prot" if command == "demo" else "--stpes", "7")
    nearest = "--port" if command == "demo" else "--steps"
    assert said.returncode == 2
    assert wording.fill(wording.shell.NEAREST, nearest=nearest) in said.stderr


@pytest.mark.slow(8)
def test_pictures_are_drawn_from_the_shell(safelight, tmp_path):
    """Without Discord a prompt becomes pictures."""
    drawn = safelight(
        "sample", "--prompt", "a panda", "--count", 2, "--steps", 4, "--out", tmp_path / "drawn"
    )
    assert drawn.returncode == 0, drawn.stderr
    assert "Done in" in drawn.stderr
    found = sorted((tmp_path / "drawn").glob("*.png"))
    assert len(found) == 2
    with Image.open(found[0]) as first:
        assert first.size == (64, 64)


def test_a_base_that_does_not_exist_is_a_sentence(safelight, photos, tmp_path):
    """An impossible training fails with a sentence and exit code 1."""
    said = safelight("train", photos, "--name", "x", "--base", "sd9", "--out", tmp_path / "out")
    assert said.returncode == 1
    assert "no base called sd9" in said.stderr
