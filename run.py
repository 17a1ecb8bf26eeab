"""Run a command of the project with nothing but Python and pip: `python3 run.py safelight demo`.

It is `uv run …`, and brings uv into the folder `.uv` where there is none. pip's index, if one is
set on this machine, is uv's too.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent
FOLDER = ROOT / ".uv"
SETTINGS = {"index-url": "UV_DEFAULT_INDEX", "cert": "SSL_CERT_FILE"}


def pip(*arguments: str, stdout: int | None = None) -> subprocess.CompletedProcess[str]:
    """Run this Python's pip."""
    command = [sys.executable, "-m", "pip", *arguments]
    return subprocess.run(command, check=False, text=True, stdout=stdout)


def uv() -> str:
    """Find uv, or install it into the checkout."""
    found = shutil.which("uv") or shutil.which("uv", path=str(FOLDER / "bin"))
    if found is None:
        pip("install", "--quiet", "--target", str(FOLDER), "uv").check_returncode()
        found = shutil.which("uv", path=str(FOLDER / "bin"))
    return found or sys.exit(f"uv did not arrive in {FOLDER}; remove that folder and try again.")


def configured() -> dict[str, str]:
    """Read what pip is told of its index, in uv's names; a variable already set wins."""
    found = {}
    for line in pip("config", "list", stdout=subprocess.PIPE).stdout.splitlines():
        name, _, value = line.partition("=")
        variable = SETTINGS.get(name.rpartition(".")[2])
        if variable and variable not in os.environ:
            found[variable] = value.strip("'\"")
    return found


def main() -> int:
    """Run the command in the project's environment."""
    if sys.version_info < (3, 11):  # noqa: UP036 - this is the file an older Python meets first
        sys.exit("Safelight needs Python 3.11 or newer: https://www.python.org/downloads/")
    environment = {"UV_PYTHON": sys.executable, **os.environ, **configured()}
    command = [uv(), "run", "--project", str(ROOT), *sys.argv[1:]]
    running = subprocess.Popen(command, env=environment)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the command's to answer
    return running.wait()


if __name__ == "__main__":
    sys.exit(main())
