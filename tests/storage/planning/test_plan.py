"""Plans by the catalog's rules."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from storage.errors import UserError
from storage.planning.plan import plan_training
from storage.records import Base, Catalog, Concept, Dial, Method, Plan, Rule

BASE = Base("embedded", "Emoji", "sd1", "embedded", 64, "Apache-2.0", "emoji", present=True)
RULE = Rule(
    "lora", "embedded", Concept.SUBJECT, Dial.QUICK, 50, 5, 40, 90, 4, 1e-3, 4, 1000, "few"
)
CATALOG = Catalog(bases=(BASE,), methods=(Method("lora"),), rules=(RULE,))


def make_plan(catalog: Catalog = CATALOG, photos: int = 1, **changes: Any) -> Plan:
    """Plan a quick training of a subject."""
    choices = {"method": "lora", "base": "embedded", "dial": Dial.QUICK} | changes
    return plan_training(catalog, concept=Concept.SUBJECT, photos=photos, **choices)


@pytest.mark.parametrize(("photos", "steps"), [(0, 50), (1, 50), (3, 60), (200, 90)])
def test_steps(photos: int, steps: int) -> None:
    """Steps grow with the photos, up to the rule's maximum."""
    assert make_plan(photos=photos).steps == steps


def test_defaults() -> None:
    """Everything else is taken from the rule."""
    plan = make_plan()

    assert (plan.rank, plan.learning_rate, plan.batch_size, plan.file_bytes, plan.reasons) == (
        RULE.rank,
        RULE.learning_rate,
        RULE.batch_size,
        RULE.file_bytes,
        ("few",),
    )


@pytest.mark.parametrize(
    ("changes", "code", "facts"),
    [
        ({"base": "x.ckpt"}, "base_unknown", {"base": "x.ckpt", "choices": ["embedded"]}),
        ({"method": "dream"}, "method_unknown", {"method": "dream", "choices": ["lora"]}),
        ({"dial": Dial.THOROUGH}, "method_unknown", {"method": "lora", "choices": ["lora"]}),
        ({"catalog": Catalog()}, "scheduler_away", {}),
        (
            {"catalog": replace(CATALOG, rules=())},
            "method_family",
            {"method": "lora", "family": "sd1"},
        ),
    ],
)
def test_unknown(changes: dict[str, Any], code: str, facts: dict[str, Any]) -> None:
    """An unknown base or method is refused, with the names there are."""
    with pytest.raises(UserError) as caught:
        make_plan(**changes)

    assert (caught.value.code, caught.value.facts) == (code, facts)
