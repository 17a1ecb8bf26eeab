"""What methods tell of themselves is what they do."""

from __future__ import annotations

import pytest

from storage.errors import JobError
from training import methods

MODULES = methods.walk()


def test_each_is_called_as_its_file():
    """The catalog names a method as its module is named, so that a recipe finds it."""
    assert [module.METHOD.name for module in MODULES.values()] == list(MODULES)


@pytest.mark.parametrize("name", MODULES)
def test_paces_are_told(name, bases, make_recipe):
    """An optimizer that finds one rate is refused for those, and those only, that have several."""
    told = MODULES[name].METHOD
    with bases.borrow("embedded") as family:
        attached = MODULES[name].attach(
            family.networks, make_recipe(name, rank=min(2, told.ranks[1]))
        )
        paces = dict(attached.rate_factors)
        attached.detach()

    assert bool(paces) is told.own_rates


@pytest.mark.parametrize(
    ("method", "rank"), [("lora", 0), ("embedding", 0), ("embedding", 9), ("hypernetwork", 9)]
)
def test_ranks(make_recipe, method, rank):
    """A rank that the method does not have is refused, with those it has."""
    with pytest.raises(JobError) as refused:
        methods.find_for_recipe(make_recipe(method, rank=rank))

    facts = refused.value.facts
    assert (refused.value.code, facts["value"]) == ("out_of_range", rank)
    assert (facts["least"], facts["most"]) == MODULES[method].METHOD.ranks
