"""The recipe is a command, stage by stage."""

from __future__ import annotations

import subprocess
import sys

from training.pretraining.stages import current_name, read_finished


def test_a_stage_is_a_command(tmp_path):
    """A single stage can be run, and prints how long it took."""
    done = subprocess.run(
        [sys.executable, "-m", "training.pretraining", "keep", "--work", tmp_path],
        check=True,
        capture_output=True,
        text=True,
    )

    assert "keep: " in done.stdout
    assert read_finished(tmp_path) == {"photos": 0, "vae": 0, "latents": 0, "scenes": 0, "unet": 0}


def test_a_stage_has_its_old_name_too():
    """The command line accepts the stages' old names."""
    assert [current_name(stage) for stage in ("tutor", "exhibits", "vae")] == [
        "content_teacher", "benchmark_pictures", "vae",
    ]  # fmt: skip


def test_pictures_need_a_place(tmp_path):
    """Without the icon packages the command names the missing flag."""
    done = subprocess.run(
        [sys.executable, "-m", "training.pretraining", "all", "--work", tmp_path],
        check=False,
        capture_output=True,
        text=True,
    )

    assert done.returncode == 2
    assert "--npm" in done.stderr
