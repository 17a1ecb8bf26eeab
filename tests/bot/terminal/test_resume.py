"""A training from a shell that was killed or stopped, and the same command after it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from bot.demo.mascot import picture_files
from bot.wording.shell import EVENTS, RESUMED
from storage.settings import read_settings
from training.cli.commands import parse
from training.settings import TrainingSettings

pytestmark = pytest.mark.slow(16)

STEPS = 28  #: the first checkpoint is at 25


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """Return a folder with two pictures."""
    folder = tmp_path / "photos"
    folder.mkdir()
    for picture in picture_files()[:2]:
        (folder / picture.name).write_bytes(picture.read_bytes())
    return folder


class Command:
    """`safelight train` into a folder, always the same."""

    def __init__(self, photos: Path, out: Path) -> None:
        self.out = out
        flags = ("--name", "glim", "--steps", str(STEPS), "--batch-size", "1")
        flags += ("--sample-prompt", "glim", "--out", str(out))
        self.typed = [sys.executable, "-m", "bot.terminal", "train", str(photos), *flags]
        self.environment = os.environ | {
            "SAFELIGHT_HOME": str(photos.parent / "home"), "SAFELIGHT_DEVICE": "cpu",
            "SAFELIGHT_THREADS_CPU": "1", "SOURCE_DATE_EPOCH": "1796000000",
        }  # fmt: skip

    def run_here(self, monkeypatch: pytest.MonkeyPatch) -> int:
        """Run the training to its end in this process, as the command's child does.

        Returns the exit code.
        """
        for name, value in self.environment.items():
            monkeypatch.setenv(name, value)
        command, given = parse(self.typed[3:])
        return command.run(given, read_settings(TrainingSettings))

    def start(self) -> subprocess.Popen[str]:
        """Start the command."""
        return subprocess.Popen(
            self.typed, env=self.environment, stderr=subprocess.PIPE, text=True
        )

    def end_at(self, moment: str, end: Callable[[psutil.Process], object]) -> tuple[int, str]:
        """Start the command and end it once a line has the words; return exit code and lines."""
        with self.start() as running:
            said = "".join(read_until(running, moment))
            end(psutil.Process(running.pid))
            rest = running.stderr.read() if running.stderr else ""
        return running.returncode, said + rest

    def read_seconds(self) -> list[float]:
        """Return how long the training had taken, each time that it told of progress."""
        lines = (self.out / "glim.training/events.jsonl").read_text().splitlines()
        return [event["seconds"] for event in map(json.loads, lines) if "seconds" in event]

    def result(self) -> dict[str, bytes]:
        """Return what the training made, by name."""
        made = [self.out / "glim.safetensors", *(self.out / "glim.training/samples").iterdir()]
        return {path.name: path.read_bytes() for path in made}


def read_until(running: subprocess.Popen[str], words: str) -> Iterator[str]:
    """Yield a command's lines up to the first with these words."""
    for line in running.stderr or ():
        yield line
        if words in line:
            return


def kill_both(command: psutil.Process) -> None:
    """Kill the command and the process that trains."""
    worker = next(each for each in command.children() if "training" in each.cmdline())
    command.kill()
    worker.kill()


def stop_command(command: psutil.Process) -> None:
    """Press Ctrl+C."""
    command.send_signal(signal.SIGINT)


def test_a_disturbed_training_ends_in_the_same_bytes(
    photos: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Stopped before its first checkpoint and killed after it, it ends in the same files.

    The time of all three commands is in what it tells at its end.
    """
    whole, disturbed = Command(photos, tmp_path / "whole"), Command(photos, tmp_path / "disturbed")
    resumed = RESUMED.partition("{")[0]

    assert whole.run_here(monkeypatch) == 0
    code, said = disturbed.end_at("Step 0", stop_command)
    assert (code, EVENTS["paused"].partition("{")[0] in said) == (130, True)
    code, said = disturbed.end_at("checkpoints/step-000025", kill_both)
    assert (code, resumed in said) == (-signal.SIGKILL, True)
    capsys.readouterr()
    killed = disturbed.read_seconds()
    assert disturbed.run_here(monkeypatch) == 0
    events = [json.loads(line) for line in capsys.readouterr().out.splitlines()]

    assert [event["step"] for event in events if event.get("resumed")] == [25]
    assert disturbed.result() == whole.result()
    assert sorted(told := disturbed.read_seconds()) == told
    assert events[-1]["timings"]["seconds"] > told[-1] > killed[-1]
    assert not (disturbed.out / "glim.training/photos").exists()
