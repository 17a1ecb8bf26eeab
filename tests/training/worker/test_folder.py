"""The files through which scheduler and worker communicate."""

from __future__ import annotations

import pytest

from training.worker.folder import WorkerFolder, name_folder
from training.worker.inbox import Command, Request


@pytest.fixture
def folder(tmp_path):
    """Return an unused folder."""
    return WorkerFolder(tmp_path / "cpu")


def test_nobody_was_here(folder):
    """An empty folder has no process, catalog or state."""
    assert (folder.read_process(), folder.read_catalog(), folder.read_state()) == (
        None,
        None,
        None,
    )


def test_what_is_said_is_read(folder):
    """Process, catalog and state are read as they were written."""
    folder.write_process({"pid": 1})
    folder.write_catalog({"bases": []})
    folder.write_state({"held": []})

    assert folder.read_process() == {"pid": 1}
    assert folder.read_catalog() == {"bases": []}
    assert folder.read_state() == {"held": []}


def test_a_new_worker_finds_it_empty(folder):
    """Only the last worker's process is still known."""
    folder.write_process({"pid": 1})
    folder.write_catalog({})
    folder.write_state({})
    folder.inbox.send(Request(Command.LEAVE))
    folder.clear()

    assert folder.read_process() == {"pid": 1}
    assert (folder.read_catalog(), folder.read_state(), folder.inbox.take()) == (None, None, [])


@pytest.mark.parametrize(
    ("worker", "expected"),
    [("box/cuda0", "cuda0"), ("cuda0", "cuda0"), ("none", "none"), ("lab.2/cuda0", "lab.2+cuda0")],
)
def test_names(worker, expected):
    """A folder has the device's name, as before; on another machine also that of the machine."""
    assert name_folder(worker, "box") == expected


def test_what_is_held(folder):
    """The state says which jobs the worker holds; without one it holds none."""
    before = folder.holds(3)
    folder.write_state({"held": [{"job": 3}]})

    assert (before, folder.holds(3), folder.holds(4)) == (False, True, False)


def test_a_broken_file_says_nothing(folder):
    """An unreadable file counts as missing."""
    folder.write_state({})
    (folder.path / "state.json").write_text("{")

    assert folder.read_state() is None
