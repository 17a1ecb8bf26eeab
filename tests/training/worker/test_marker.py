"""The file that names the run a worker advances."""

from __future__ import annotations

import pytest

from training.worker.marker import AdvanceMarker, read_marker


def test_only_inside(tmp_path):
    """A run is named while it is advanced, however long the name before was."""
    path = tmp_path / "cpu" / "advancing"
    marker = AdvanceMarker(path)
    with marker.advancing(123456789, 100):
        inside = read_marker(path)
    with marker.advancing(7, 1):
        shorter = read_marker(path)

    assert (inside, shorter, read_marker(path)) == ((123456789, 100), (7, 1), None)


def test_an_error_keeps_the_name(tmp_path):
    """A run whose error ends the worker stays named; the next worker forgets it."""
    path = tmp_path / "advancing"
    with pytest.raises(RuntimeError), AdvanceMarker(path).advancing(7, 2):
        raise RuntimeError
    left = read_marker(path)
    AdvanceMarker(path)

    assert (left, read_marker(path)) == ((7, 2), None)


@pytest.mark.parametrize("content", [None, "", "7", "x y"])
def test_a_broken_file(tmp_path, content):
    """A missing or broken file names nobody."""
    if content is not None:
        (tmp_path / "advancing").write_text(content)

    assert read_marker(tmp_path / "advancing") is None
