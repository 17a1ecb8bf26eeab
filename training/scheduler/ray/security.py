"""The token of a cluster, without which nothing of Ray is started, and versions that must agree.

Ray runs any code for whoever holds the token:
https://docs.ray.io/en/latest/ray-security/token-auth.html
"""

from __future__ import annotations

import os
import platform
import re
import secrets
import socket
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path

from storage.errors import UserError
from storage.folders import write_whole
from storage.refusals import explain_refusal

TOKEN_BYTES = 32
OTHERS_MAY_READ = 0o077  #: the bits of a file's mode that a token's must not have


def token_path() -> Path:
    """Return where Ray looks for the token."""
    return Path(os.environ.get("RAY_AUTH_TOKEN_PATH", "~/.ray/auth_token")).expanduser()


def make_token() -> Path:
    """Write a new token for this user alone, unless there is one; return its file."""
    path = token_path()
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        path.touch(mode=0o600)
        write_whole(path, secrets.token_hex(TOKEN_BYTES).encode())
        path.chmod(0o600)
    return path


def require_token() -> None:
    """Turn Ray's token authentication on; raise UserError without Ray or a private token file."""
    if find_spec("ray") is None:
        raise UserError("ray_missing")
    if (mode := os.environ.setdefault("RAY_AUTH_MODE", "token")) != "token":
        raise UserError("ray_mode_wrong", mode=mode)
    path = token_path()
    if not path.is_file() or not path.stat().st_size:
        raise UserError("ray_token_missing", path=str(path))
    if path.stat().st_mode & OTHERS_MAY_READ:
        raise UserError("ray_token_open", path=str(path))
    os.environ.pop("RAY_AUTH_TOKEN", None)  # it would replace the file's
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    os.environ["RAY_ENABLE_UV_RUN_RUNTIME_ENV"] = (
        "0"  # else `uv run` sends the checkout, with .env
    )


def describe_head(address: str) -> dict[str, str]:
    """Return where other machines can join, or why none can; nothing without SAFELIGHT_HEAD."""
    if not address:
        return {}
    try:
        require_token()
        with socket.socket() as probe:
            probe.bind((address.rpartition(":")[0], 0))
    except UserError as wrong:
        return {"problem": explain_refusal(wrong)}
    except OSError:
        return {"problem": explain_refusal(UserError("head_foreign", address=address))}
    return {"address": address}


def read_versions() -> dict[str, str]:
    """Return the versions that must be the same on all machines, as labels of Ray's nodes."""
    found = {"python": platform.python_version()}
    for package in ("ray", "torch", "safelight"):
        try:
            found[package] = re.sub(r"[^\w.-]", "-", version(package))
        except PackageNotFoundError:
            found[package] = "none"  # Safelight, where it runs from its folder
    return found


def compare_versions(here: dict[str, str], there: dict[str, str]) -> str:
    """Return what differs, "torch 2.11.0 and 2.12.0", empty if nothing does."""
    return ", ".join(
        f"{name} {mine} and {there.get(name, 'none')}"
        for name, mine in here.items()
        if there.get(name) != mine
    )
