"""Layer sizes are those of the true networks."""

from __future__ import annotations

from dataclasses import replace

import pytest

from benchmarks.memory import blueprint, counts
from storage.records import Base
from training import families
from training.networks.counts import file_sizes
from training.networks.sizes import SMALL


@pytest.mark.parametrize("name", families.names())
def test_true_sizes(name):
    """The JSON beside a family holds its networks' layers, embedding widths and file size."""
    assert counts.count_sizes(blueprint.make_family(name)) == families.walk()[name].COUNTS.sizes


def test_small(bases):
    """The embedded base's sizes, used for every small base, are its true ones."""
    with bases.borrow("embedded") as loaded:
        assert counts.count_sizes(loaded) == SMALL


def test_any_other_is_its_familys():
    """A small base of any family has the embedded one's sizes, any other its family's."""
    base = Base("b", "B", "sd2", "b", 768, "", "", present=True)

    family = families.walk()["sd2"]

    assert file_sizes(base, family) is family.COUNTS.sizes
    assert file_sizes(replace(base, small=True), family) is SMALL
