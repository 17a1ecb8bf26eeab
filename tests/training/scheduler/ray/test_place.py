"""What answers on another machine."""

from __future__ import annotations

import pytest

from storage.folders import Home
from training.scheduler.local import WORKER_COMMAND
from training.scheduler.ray.cluster import RayCluster
from training.scheduler.ray.place import PlaceActor

pytest.importorskip("ray", reason="needs the extra `ray`")


def test_each_machine_knows_its_own_worker(tmp_path, monkeypatch):
    """The main machine's Python is not asked for elsewhere, where it may lie in another folder."""
    monkeypatch.setenv("SAFELIGHT_HOME", str(tmp_path))
    token = tmp_path / "token"
    token.write_text("x")
    token.chmod(0o600)
    monkeypatch.setenv("RAY_AUTH_TOKEN_PATH", str(token))
    monkeypatch.setenv("RAY_AUTH_MODE", "token")

    sent = RayCluster(Home(tmp_path), "10.0.0.1:6379").command

    assert sent == ()
    assert PlaceActor("cpu", sent).targets["place"].backend.command == WORKER_COMMAND
