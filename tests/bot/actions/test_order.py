"""Training orders, as buttons keep them."""

from __future__ import annotations

import json

import pytest

from bot.actions.order import TrainingOrder
from storage.errors import UserError
from storage.records import Dial, Optimizer


def test_an_order_is_read_back_as_it_was():
    """An order survives a round trip through JSON, with its options' types."""
    order = TrainingOrder(
        7, "hypernetwork", "sd15", Dial.THOROUGH, 20_000, 128, 1e-07, "w" * 32, private=True,
        other_datasets=(8, 9),
        options={"optimizer": Optimizer.SCHEDULEFREE, "extra_resolutions": (48, 96)},
        num_class_images=1000,
    )  # fmt: skip

    assert TrainingOrder.from_json(json.loads(json.dumps(order.to_json()))) == order


@pytest.mark.parametrize("change", [{"dial": "endless"}, {"options": {"x": 1}}, {"y": 1}])
def test_an_order_of_another_version_is_an_old_card(change):
    """Unknown fields make the order an old card, instead of being lost."""
    body = TrainingOrder(7, "lora", "sd15").to_json() | change

    with pytest.raises(UserError, match="card_old"):
        TrainingOrder.from_json(body)
