"""The whole recipe resumes where it was stopped."""

from __future__ import annotations

import json

import pytest

from training.pretraining.stages import (
    OLD_NAMES,
    STAGES,
    read_finished,
    rename_checkpoints,
    run_all,
)


def test_all_goes_on_where_it_was_stopped(tmp_path):
    """A stage that failed is run again; finished stages are not."""
    performed = []

    def perform(stage):
        performed.append(stage)
        if performed.count("scenes") == 1:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run_all(tmp_path, perform)
    run_all(tmp_path, perform)
    run_all(tmp_path, perform)

    assert performed == [*STAGES[:4], "scenes", "scenes", *STAGES[5:]]


def test_older_work_folders_are_resumed(tmp_path):
    """Finished stages and checkpoints with old names count under the current names."""
    (tmp_path / "finished.json").write_text(json.dumps(dict.fromkeys(["vae", *OLD_NAMES], 3)))
    (tmp_path / "tutor.ckpt").write_bytes(b"trained")

    rename_checkpoints(tmp_path)

    assert read_finished(tmp_path) == dict.fromkeys(["vae", *OLD_NAMES.values()], 3)
    assert (tmp_path / "content_teacher.ckpt").read_bytes() == b"trained"
