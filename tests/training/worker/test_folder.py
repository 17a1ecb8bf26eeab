"""The files by which trainer and worker know of each other."""

from __future__ import annotations

import pytest

from training.worker.folder import Desk
from training.worker.inbox import Request, Verb


@pytest.fixture
def desk(tmp_path):
    """Return a desk where nobody has been."""
    return Desk(tmp_path / "cpu")


def test_nobody_was_here(desk):
    """An empty desk says nothing."""
    assert (desk.handle(), desk.catalog(), desk.state()) == (None, None, None)


def test_what_is_said_is_read(desk):
    """Handle, catalog and state are read as they were written."""
    desk.sign({"pid": 1})
    desk.offer({"bases": []})
    desk.tell({"held": []})

    assert desk.handle() == {"pid": 1}
    assert desk.catalog() == {"bases": []}
    assert desk.state() == {"held": []}


def test_a_new_worker_finds_it_empty(desk):
    """Only who was here last is still known."""
    desk.sign({"pid": 1})
    desk.offer({})
    desk.tell({})
    desk.inbox.send(Request(Verb.LEAVE))
    desk.clear()

    assert desk.handle() == {"pid": 1}
    assert (desk.catalog(), desk.state(), desk.inbox.take()) == (None, None, [])


def test_a_broken_file_says_nothing(desk):
    """What cannot be read counts as not written."""
    desk.tell({})
    (desk.path / "state.json").write_text("{")

    assert desk.state() is None
