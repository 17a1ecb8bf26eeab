"""Train the embedded models: `python -m training.pretraining all --work DIR --npm DIR`.

`all` goes on with the first stage that is not finished, and a stage with its last checkpoint. The
judge is frozen and not in it: what it measures compares only as long as it is the same.
"""

from __future__ import annotations

import argparse
import importlib
from pathlib import Path

from training.pretraining.stages import ALL, through, timed

FURTHER = ("keep", "examiner")


def main() -> None:
    """Run one stage, or all that are not finished."""
    parser = argparse.ArgumentParser(prog="python -m training.pretraining", description=__doc__)
    parser.add_argument("stage", choices=(*ALL, *FURTHER, "all"))
    parser.add_argument("--work", type=Path, required=True, help="folder for everything between")
    parser.add_argument("--npm", type=Path, help="node_modules folder with the icon packages")
    arguments = parser.parse_args()
    arguments.work.mkdir(parents=True, exist_ok=True)

    def perform(name: str) -> None:
        if name == "pictures" and not arguments.npm:
            parser.error("the stage pictures draws what is in --npm NODE_MODULES")
        stage = importlib.import_module(f"training.pretraining.{name}")
        stage.run(arguments.work, *[arguments.npm] * (name == "pictures"))

    if arguments.stage == "all":
        through(arguments.work, perform)
    else:
        timed(arguments.stage, perform)


if __name__ == "__main__":
    main()
