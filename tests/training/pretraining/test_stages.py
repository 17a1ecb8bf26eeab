"""The whole recipe goes on where it was stopped."""

from __future__ import annotations

import pytest

from training.pretraining.stages import ALL, through


def test_all_goes_on_where_it_was_stopped(tmp_path):
    """A stage that fails is begun again; those before it are not."""
    performed = []

    def perform(stage):
        performed.append(stage)
        if performed.count("scenes") == 1:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        through(tmp_path, perform)
    through(tmp_path, perform)
    through(tmp_path, perform)

    assert performed == [*ALL[:3], "scenes", "scenes", *ALL[4:]]
