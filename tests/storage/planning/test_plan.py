"""Plans by the catalog's rules."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from storage.errors import UserError
from storage.planning.plan import Plan, plan_training
from storage.records import Base, Catalog, Concept, Dial, Method, Rule

BASE = Base("embedded", "Emoji", "sd1", "embedded", 64, "Apache-2.0", "emoji", present=True)
RULE = Rule(
    "lora", "embedded", Concept.SUBJECT, Dial.QUICK, 50, 5, 40, 90, 4, 1e-3, 4, 1000, "few"
)
CATALOG = Catalog(bases=(BASE,), methods=(Method("lora"),), rules=(RULE,))


def make_plan(catalog: Catalog = CATALOG, photos: int = 1, **changes: Any) -> Plan:
    """Plan a quick training of a subject."""
    choices = {"method": "lora", "base": "embedded", "dial": Dial.QUICK} | changes
    return plan_training(catalog, concept=Concept.SUBJECT, photos=photos, **choices)


@pytest.mark.parametrize(
    ("photos", "steps", "reason"),
    [(0, 55, "least"), (1, 55, "least"), (3, 60, "photos"), (200, 90, "most")],
)
def test_steps(photos: int, steps: int, reason: str) -> None:
    """Steps grow with the photos, between the rule's least and most, and the plan says which."""
    plan = make_plan(replace(CATALOG, rules=(replace(RULE, min_steps=55),)), photos)
    assert (plan.steps, plan.reasons) == (steps, (f"steps_{reason}",))


def test_steps_without_photos() -> None:
    """Some methods take the same number for any photos."""
    rule = replace(RULE, steps=70, steps_per_photo=0)
    plan = make_plan(replace(CATALOG, rules=(rule,)), photos=9)
    assert (plan.steps, plan.reasons) == (70, ("steps_fixed",))


@pytest.mark.parametrize(("small", "steps"), [(False, 60), (True, 90)])
def test_diversity(*, small: bool, steps: int) -> None:
    """Photos of one shot count once; not on a tiny base, where its rules were measured so."""
    catalog = replace(CATALOG, bases=(replace(BASE, small=small),))
    plan = make_plan(catalog, photos=20, different=3)
    assert (plan.steps, plan.photos) == (steps, 20)


def test_defaults() -> None:
    """Everything else is taken from the rule."""
    plan = make_plan()

    assert (plan.rank, plan.learning_rate, plan.batch_size, plan.file_bytes, plan.reasons) == (
        RULE.rank,
        RULE.learning_rate,
        RULE.batch_size,
        RULE.file_bytes,
        ("steps_photos",),
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
