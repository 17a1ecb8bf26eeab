"""The training settings."""

from __future__ import annotations

import pytest

from storage.errors import UserError
from storage.settings import read_settings
from training.settings import TrainingSettings


@pytest.fixture(autouse=True)
def no_env_file(tmp_path, monkeypatch):
    """Read no `.env` of this machine."""
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("SAFELIGHT_DEVICE", "gpu"),
        ("SAFELIGHT_DEVICE", "cuda:x"),
        ("SAFELIGHT_DEVICE", "cpu,"),
        ("SAFELIGHT_PRECISION", "fp8"),
        ("SAFELIGHT_THREADS_CPU", "-1"),
        ("SAFELIGHT_THREADS_CPU", "many"),
        ("SAFELIGHT_NICE", "20"),
        ("SAFELIGHT_DISK_MB", "-5"),
    ],
)
def test_a_wrong_setting_is_named(monkeypatch, name, value):
    """The error names the setting, and its example is valid."""
    monkeypatch.setenv(name, value)
    with pytest.raises(UserError) as wrong:
        read_settings(TrainingSettings)

    facts = wrong.value.facts
    monkeypatch.setenv(name, facts["example"].partition("=")[2])

    assert (wrong.value.code, facts["name"]) == ("setting_wrong", name)
    assert read_settings(TrainingSettings)


def test_a_worker_for_each_device():
    """Each device has a worker, whose name is valid for a folder."""
    known = read_settings(TrainingSettings, device="cuda:0,cuda:1")

    assert known.devices == {"cuda0": "cuda:0", "cuda1": "cuda:1"}
    assert read_settings(TrainingSettings).devices == {"auto": "auto"}


def test_several_workers_on_a_device():
    """A GPU may have several; a processor has one for each time it is named."""
    known = read_settings(TrainingSettings, device="cuda:0,cpu", workers_per_gpu=2)
    twice = read_settings(TrainingSettings, device="cpu,cpu")

    assert known.devices == {"cuda0": "cuda:0", "cuda0-2": "cuda:0", "cpu": "cpu"}
    assert twice.devices == {"cpu": "cpu", "cpu-2": "cpu"}


def test_only_our_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    """Variables without our prefix, such as HOME, set nothing."""
    monkeypatch.setenv("XDG_DATA_HOME", "/data")
    before = read_settings(TrainingSettings)
    for field in TrainingSettings.model_fields:
        monkeypatch.setenv(field.upper(), "7")

    assert read_settings(TrainingSettings) == before
