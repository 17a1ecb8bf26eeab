"""The files by which scheduler and worker know of each other."""

from __future__ import annotations

import pytest

from training.worker.folder import WorkerFolder
from training.worker.inbox import Command, Request


@pytest.fixture
def folder(tmp_path):
    """Return a folder where nobody has been."""
    return WorkerFolder(tmp_path / "cpu")


def test_nobody_was_here(folder):
    """An empty folder says nothing."""
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
    """Only who was here last is still known."""
    folder.write_process({"pid": 1})
    folder.write_catalog({})
    folder.write_state({})
    folder.inbox.send(Request(Command.LEAVE))
    folder.clear()

    assert folder.read_process() == {"pid": 1}
    assert (folder.read_catalog(), folder.read_state(), folder.inbox.take()) == (None, None, [])


def test_a_broken_file_says_nothing(folder):
    """What cannot be read counts as not written."""
    folder.write_state({})
    (folder.path / "state.json").write_text("{")

    assert folder.read_state() is None
