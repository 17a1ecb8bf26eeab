"""Train the embedded models: `python -m training.embedded STAGE --work DIR [--npm DIR]`."""

# ruff: noqa: T201  # a stage prints what it measured

from __future__ import annotations

import argparse
import importlib
import time
from pathlib import Path

STAGES = (
    "restore",
    "pictures", "vae", "latents", "scenes", "unet", "combining", "blip", "examiner", "export",
    "exhibits", "score",
)  # fmt: skip


def main() -> None:
    """Run one stage and print how long it took."""
    parser = argparse.ArgumentParser(prog="python -m training.embedded", description=__doc__)
    parser.add_argument("stage", choices=STAGES)
    parser.add_argument("--work", type=Path, required=True, help="folder for everything between")
    parser.add_argument("--npm", type=Path, help="node_modules folder with the icon packages")
    arguments = parser.parse_args()
    arguments.work.mkdir(parents=True, exist_ok=True)
    started = time.monotonic()
    stage = importlib.import_module(f"training.embedded.{arguments.stage}")
    if arguments.stage == "pictures":
        stage.run(arguments.work, arguments.npm)
    else:
        stage.run(arguments.work)
    print(f"{arguments.stage}: {time.monotonic() - started:.0f} s")


if __name__ == "__main__":
    main()
