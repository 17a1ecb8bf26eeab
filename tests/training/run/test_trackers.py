"""What TensorBoard and Weights & Biases get of a run."""

from __future__ import annotations

import sys
from types import SimpleNamespace

import pytest

from storage.folders import JobFolder
from training.run.metrics import MetricsLog
from training.run.trackers import Trackers


class Recorder:
    """A tracker that keeps what it is told; one that breaks fails at a step."""

    def __init__(self, breaks_at=None):
        self.told, self.breaks_at, self.finished = [], breaks_at, False

    def log(self, values, step):
        """Keep the numbers of a step."""
        if step == self.breaks_at:
            raise ConnectionError
        self.told.append((step, values))

    def finish(self):
        """End."""
        self.finished = True


def test_a_tracker_that_fails_is_left_out(tmp_path):
    """The other one gets every row, and the files are written as ever."""
    log = MetricsLog(JobFolder(tmp_path), 0)
    good, bad = Recorder(), Recorder(breaks_at=1)
    log.trackers.open = {"good": good, "bad": bad}

    log.append({"step": step, "loss": 0.5} for step in range(3))
    log.trackers.finish()

    assert good.told == [(step, {"loss": 0.5}) for step in range(3)]
    assert (good.finished, bad.told, bad.finished) == (True, good.told[:1], False)
    assert len(JobFolder(tmp_path).metrics_json.read_text().splitlines()) == 3


def test_a_tracker_that_is_not_installed(tmp_path, caplog):
    """A training goes on without it, and the log names it."""
    trackers = Trackers(["nonsense"], JobFolder(tmp_path))
    assert "nonsense" not in caplog.text  # a run that fails before its first step opens none
    trackers.start()

    assert "nonsense" in caplog.text
    assert trackers.open == {}


def test_tensorboard(tmp_path):
    """TensorBoard finds the numbers in the job's folder."""
    pytest.importorskip("tensorboard")
    log = MetricsLog(JobFolder(tmp_path), 0, ["tensorboard"])

    log.trackers.start()
    log.append([{"step": 0, "loss": 0.5}])
    log.trackers.finish()

    assert list(JobFolder(tmp_path).tensorboard.glob("events.*"))


def test_wandb_gets_numbers_alone(tmp_path, monkeypatch):
    """W&B gets a run by its folder's name, and nothing of what the worker prints or runs."""
    begun = []
    known = SimpleNamespace(init=lambda **facts: begun.append(facts))
    monkeypatch.setitem(sys.modules, "wandb", known)
    trackers = Trackers(["wandb"], JobFolder(tmp_path / "7-key"))

    trackers.start()

    (facts,) = begun
    assert (facts["project"], facts["id"], facts["name"]) == ("safelight", "7-key", "7-key")
    assert facts["settings"] == {"console": "off", "disable_code": True, "disable_git": True}
