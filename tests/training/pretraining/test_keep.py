"""A new captioner can be trained for the shipped base."""

from __future__ import annotations

import pytest

from training.pretraining import keep
from training.pretraining.stages import STAGES, run_all


def test_the_base_is_not_made_again(tmp_path):
    """After `keep`, `all` runs every stage but the base's."""
    performed = []

    keep.run(tmp_path)
    run_all(tmp_path, performed.append)

    assert performed == [stage for stage in STAGES if stage not in keep.BASE]
    assert len(performed) == len(STAGES) - 5


def test_another_base_is_not_mixed_with_it(tmp_path):
    """A work folder with another base's files is refused and left as it is."""
    (tmp_path / "vae.ckpt").write_bytes(b"of today")

    with pytest.raises(SystemExit, match=r"vae\.ckpt of another base"):
        keep.run(tmp_path)

    assert [path.name for path in tmp_path.iterdir()] == ["vae.ckpt"]
