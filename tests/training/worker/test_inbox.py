"""The folder of requests."""

from __future__ import annotations

import json

from training.worker.inbox import SENT, Command, Inbox, Request
from training.worker.process import PROTOCOL


def test_requests_come_in_order_and_once(tmp_path):
    """Requests are read in order, once."""
    inbox = Inbox(tmp_path / "inbox")
    asked = [Request(Command.RUN, 1, 2), Request(Command.PAUSE, 1, 2), Request(Command.LEAVE)]

    for request in asked:
        inbox.send(request)

    assert inbox.take() == asked
    assert inbox.take() == []


def test_numbers_go_on(tmp_path):
    """A later request has the larger number: after the inbox was read, emptied, or left behind.

    What a version of before has left there, by the nanoseconds of its clock, comes first.
    """
    inbox = Inbox(tmp_path)
    inbox.send(Request(Command.RUN, 1, 1))
    (first,) = tmp_path.glob("*.json")
    inbox.take()
    inbox.send(Request(Command.RUN, 2, 1))
    (second,) = tmp_path.glob("*.json")
    inbox.clear()
    (tmp_path / f"{10**15:020}.json").write_text('{"verb": "leave", "job": 0, "fence": 0}')
    inbox.send(Request(Command.RUN, 3, 1))

    assert first.name < second.name
    assert [request.job for request in Inbox(tmp_path).take()] == [0, 3]


def test_what_is_no_request_is_left_out(tmp_path):
    """Broken files, unknown commands and half-written files are skipped."""
    inbox = Inbox(tmp_path)
    (tmp_path / "1.json").write_text("{")
    (tmp_path / "2.json").write_text('{"verb": "dance", "job": 1, "fence": 1}')
    (tmp_path / "3.json").write_text("[]")
    (tmp_path / ".4.json.1.part").write_text("{}")
    inbox.send(Request(Command.CANCEL, 3, 1))

    assert inbox.take() == [Request(Command.CANCEL, 3, 1)]
    assert {path.name for path in tmp_path.iterdir()} == {".4.json.1.part", SENT}


def test_nobody_is_there_yet(tmp_path):
    """An inbox without a folder is empty; clearing creates the folder."""
    inbox = Inbox(tmp_path / "inbox")

    assert inbox.take() == []
    inbox.clear()
    inbox.send(Request(Command.LEAVE))
    inbox.clear()
    assert inbox.take() == []


def test_keys(tmp_path):
    """A request that changes its keys counts PROTOCOL up: workers outlive their scheduler."""
    Inbox(tmp_path).send(Request(Command.RUN, 1, 2, "1-ab"))

    [file] = tmp_path.glob("*.json")
    content = {"verb": "run", "job": 1, "fence": 2, "folder": "1-ab"}
    assert (json.loads(file.read_bytes()), PROTOCOL) == (content, 3)
