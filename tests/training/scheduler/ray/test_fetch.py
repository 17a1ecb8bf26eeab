"""Downloads of bases on another machine."""

from __future__ import annotations

import json
import time

import pytest

from storage.folders import Home
from training.scheduler.ray.fetch import BaseFetch

pytestmark = pytest.mark.slow(2)


def test_lines_and_exit_code(tmp_path):
    """What the download prints there is read here as it comes, and how it ended."""
    fetch, lines, code = BaseFetch(Home(tmp_path)), b"", None
    with pytest.raises(ValueError, match="no download"):
        fetch.read(0)

    fetch.begin("no-such-base")
    with pytest.raises(ValueError, match="another"):
        fetch.begin("another")
    while code is None:
        new, code = fetch.read(len(lines))
        lines += new
        time.sleep(0.02)

    assert code == 1
    assert [json.loads(line)["code"] for line in lines.splitlines()] == ["fetch_unknown"]
