"""Train the embedded models: `python -m training.pretraining all --work DIR --npm DIR`.

`all` resumes at the first unfinished stage, and a stage resumes at its last checkpoint. The judge
is frozen and not part of `all`: measurements are comparable only while it stays the same.
"""

from __future__ import annotations

import argparse
import importlib
from pathlib import Path

from training.pretraining.stages import (
    STAGES,
    current_name,
    rename_checkpoints,
    run_all,
    run_timed,
)

FURTHER = ("keep", "start", "judge_training")


def main() -> None:
    """Run one stage, or all that are not finished."""
    parser = argparse.ArgumentParser(prog="python -m training.pretraining", description=__doc__)
    parser.add_argument("stage", type=current_name, choices=(*STAGES, *FURTHER, "all"))
    parser.add_argument("--work", type=Path, required=True, help="folder for intermediate files")
    parser.add_argument("--npm", type=Path, help="node_modules folder with the icon packages")
    arguments = parser.parse_args()
    arguments.work.mkdir(parents=True, exist_ok=True)
    rename_checkpoints(arguments.work)

    def perform(name: str) -> None:
        if name == "pictures" and not arguments.npm:
            parser.error("the stage pictures draws what is in --npm NODE_MODULES")
        stage = importlib.import_module(f"training.pretraining.{name}")
        stage.run(arguments.work, *[arguments.npm] * (name == "pictures"))

    if arguments.stage == "all":
        run_all(arguments.work, perform)
    else:
        run_timed(arguments.stage, perform)


if __name__ == "__main__":
    main()
