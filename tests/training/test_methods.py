"""Methods' declared traits are true."""

from __future__ import annotations

import pytest

from storage.errors import JobError
from training import methods

MODULES = methods.walk()


def test_each_is_called_as_its_file():
    """A method's catalog name is its module's name, so that recipes find it."""
    assert [module.METHOD.name for module in MODULES.values()] == list(MODULES)


@pytest.mark.parametrize("name", MODULES)
def test_paces_are_told(name, bases, make_recipe):
    """An optimizer with a single learning rate is refused exactly for methods with several."""
    told = MODULES[name].METHOD
    with bases.borrow("embedded") as family:
        attached = MODULES[name].attach(
            family.networks, make_recipe(name, rank=min(2, told.ranks[1]))
        )
        paces = dict(attached.rate_factors)
        attached.detach()

    assert bool(paces) is told.own_rates


@pytest.mark.parametrize("name", MODULES)
def test_help_agrees_with_the_table_of_programs(name):
    """A method's help speaks of fewer programs where some program does not read its files."""
    told, unreadable = MODULES[name].METHOD.help, MODULES[name].TRAITS.unreadable
    assert ("fewer programs" in told or "older programs" in told) is bool(unreadable)


@pytest.mark.parametrize(
    ("method", "rank"), [("lora", 0), ("embedding", 0), ("embedding", 9), ("hypernetwork", 9)]
)
def test_ranks(make_recipe, method, rank):
    """An unsupported rank is refused, listing the supported ones."""
    with pytest.raises(JobError) as refused:
        methods.find_for_recipe(make_recipe(method, rank=rank))

    facts = refused.value.facts
    assert (refused.value.code, facts["value"]) == ("out_of_range", rank)
    assert (facts["least"], facts["most"]) == MODULES[method].METHOD.ranks
