"""The whole recipe goes on where it was stopped."""

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
    """A stage that fails is begun again; those before it are not."""
    performed = []

    def perform(stage):
        performed.append(stage)
        if performed.count("scenes") == 1:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run_all(tmp_path, perform)
    run_all(tmp_path, perform)
    run_all(tmp_path, perform)

    assert performed == [*STAGES[:3], "scenes", "scenes", *STAGES[4:]]


def test_older_work_folders_are_resumed(tmp_path):
    """Stages, and their checkpoints, that have an older name count under today's."""
    (tmp_path / "finished.json").write_text(json.dumps(dict.fromkeys(["vae", *OLD_NAMES], 3)))
    (tmp_path / "tutor.ckpt").write_bytes(b"trained")

    rename_checkpoints(tmp_path)

    assert read_finished(tmp_path) == dict.fromkeys(["vae", *OLD_NAMES.values()], 3)
    assert (tmp_path / "content_teacher.ckpt").read_bytes() == b"trained"
