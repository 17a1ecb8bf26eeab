"""A count in a file, as a sign of life."""

from __future__ import annotations

import pytest

from training.worker.counter import count_up, read_count


def test_counting(tmp_path):
    """A count begins at one, and a later process goes on from it."""
    file = tmp_path / "heartbeat"
    counts = [read_count(file)]
    for _ in range(3):
        count_up(file)
        counts.append(read_count(file))

    assert counts == [None, 1, 2, 3]


@pytest.mark.parametrize("content", ["", "soon", "12 of 20"])
def test_no_count(tmp_path, content):
    """A file of an older version, or a broken one, holds no count and is counted anew."""
    file = tmp_path / "heartbeat"
    file.write_text(content)
    before = read_count(file)
    count_up(file)

    assert (before, read_count(file)) == (None, 1)


def test_no_folder(tmp_path):
    """Without its folder nothing is counted, and nobody is disturbed."""
    count_up(tmp_path / "gone" / "heartbeat")

    assert list(tmp_path.iterdir()) == []
