"""The token without which nothing of Ray starts, and the versions that must agree."""

from __future__ import annotations

import os

import pytest

from storage.errors import UserError
from training.scheduler.ray.process import read_environment
from training.scheduler.ray.security import (
    compare_versions,
    describe_head,
    make_token,
    read_versions,
    require_token,
)

pytest.importorskip("ray", reason="needs the extra `ray`")


@pytest.fixture(autouse=True)
def token_file(tmp_path, monkeypatch):
    """Point Ray to a token of this test; return its file, which is not there yet."""
    path = tmp_path / "ray" / "token"
    monkeypatch.setenv("RAY_AUTH_TOKEN_PATH", str(path))
    monkeypatch.delenv("RAY_AUTH_MODE", raising=False)
    return path


def refused():
    """Return the code of why Ray is not started."""
    with pytest.raises(UserError) as error:
        require_token()
    return error.value.code


def test_a_token_is_made_once(token_file):
    """Its owner alone may read it, and a second command keeps it."""
    first = make_token().read_bytes()

    assert make_token().read_bytes() == first
    assert len(first) == 64
    assert token_file.stat().st_mode & 0o777 == 0o600


def test_with_a_token(monkeypatch):
    """With a private token, authentication is turned on, no other token replaces it."""
    monkeypatch.setenv("RAY_AUTH_TOKEN", "of somebody else")
    make_token()

    require_token()

    assert os.environ["RAY_AUTH_MODE"] == "token"
    assert os.environ["RAY_ENABLE_UV_RUN_RUNTIME_ENV"] == "0"  # nothing of the checkout is sent
    assert "RAY_AUTH_TOKEN" not in os.environ


def test_without_a_token(token_file, monkeypatch):
    """Without one, with one that others can read, or with authentication off, nothing starts."""
    assert refused() == "ray_token_missing"
    make_token()
    token_file.chmod(0o644)
    assert refused() == "ray_token_open"
    token_file.chmod(0o600)
    monkeypatch.setenv("RAY_AUTH_MODE", "disabled")
    assert refused() == "ray_mode_wrong"


def test_no_token_of_the_bot(monkeypatch):
    """What Ray starts does not get the bot's token."""
    monkeypatch.setenv("DISCORD_TOKEN", "canary")

    assert "canary" not in read_environment().values()


def test_versions():
    """What differs is named with both versions."""
    here = read_versions()

    assert here.keys() == {"python", "ray", "torch", "safelight"}
    assert compare_versions(here, here) == ""
    assert (
        compare_versions(here | {"torch": "2.1"}, here | {"torch": "2.2"}) == "torch 2.1 and 2.2"
    )
    assert compare_versions({"ray": "2.60.0"}, {}) == "ray 2.60.0 and none"


def test_where_others_can_join():
    """Without a head nothing is said; without a token, or with a foreign address, what to do."""
    without = describe_head("127.0.0.1:6379")
    make_token()

    assert describe_head("") == {}
    assert "safelight node token" in without["problem"]
    assert "192.0.2.1" in describe_head("192.0.2.1:6379")["problem"]  # an address of examples
    assert describe_head("127.0.0.1:6379") == {"address": "127.0.0.1:6379"}
