"""What was compiled is kept between processes, in one folder that does not grow for ever."""

from __future__ import annotations

import os

import pytest

from training.worker.compiled import FOLDER_VARIABLE, MIB, keep_compiled


@pytest.fixture(autouse=True)
def environment(monkeypatch):
    """Let the test set torch's variable, and restore it."""
    monkeypatch.setenv(FOLDER_VARIABLE, "")
    monkeypatch.delenv(FOLDER_VARIABLE)


@pytest.mark.parametrize(("mib", "stays"), [(1, True), (0, False)])
def test_it_stays_below_its_limit(tmp_path, mib, stays):
    """A folder above its limit is emptied; it is the owner's alone."""
    folder = tmp_path / "compiled"
    keep_compiled(folder)
    (folder / "kernel").write_bytes(bytes(MIB))
    os.environ.pop(FOLDER_VARIABLE)

    keep_compiled(folder, mib)

    assert (folder / "kernel").exists() == stays
    assert os.environ[FOLDER_VARIABLE] == str(folder)
    assert folder.stat().st_mode & 0o077 == 0


def test_the_operators_own_folder_is_left_alone(tmp_path, monkeypatch):
    """Whoever sets torch's variable decides."""
    monkeypatch.setenv(FOLDER_VARIABLE, "elsewhere")

    keep_compiled(tmp_path / "compiled")

    assert os.environ[FOLDER_VARIABLE] == "elsewhere"
    assert not (tmp_path / "compiled").exists()
