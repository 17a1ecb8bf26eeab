"""What a training order leads to, and which orders are refused."""

from __future__ import annotations

import io

import pytest
from PIL import Image

from bot.actions.order import TrainingOrder
from bot.actions.training import check_options, preview_training
from storage.errors import UserError
from storage.limits import MAX_CONCEPTS
from storage.records import Method, Optimizer


@pytest.mark.parametrize(
    ("options", "code"),
    [({"masked_loss": True}, "mask_missing"), ({"random_backgrounds": 4}, "transparent_missing")],
)
async def test_transparent_photos_are_needed(kit, scheduler, options, code):
    """Masks and backgrounds are refused before the start unless a photo has transparency."""
    alice = kit.add_member("alice")
    dataset = await scheduler.add_dataset(alice)
    order = TrainingOrder(dataset.id, "lora", "embedded", options=options)

    with pytest.raises(UserError, match=code):
        await preview_training(kit.bot, order, alice.id, kit.guild.id)
    clear = io.BytesIO()
    Image.new("RGBA", (64, 64), (200, 30, 30, 120)).save(clear, "PNG")
    await kit.store.photos.add(dataset, await kit.bot.darkroom.check(clear.getvalue()))

    preview = await preview_training(kit.bot, order, alice.id, kit.guild.id)
    assert preview.order.options == options


def test_one_rate():
    """An optimizer with one learning rate is refused for a method that needs two."""
    with pytest.raises(UserError, match="optimizer_paces"):
        check_options(
            TrainingOrder(1, "pivotal", "embedded", options={"optimizer": Optimizer.PRODIGY}),
            Method("pivotal", own_rates=True),
        )


async def test_further_datasets_are_ones_own(kit, scheduler):
    """An order with another member's dataset is refused."""
    alice, bob = kit.add_member("alice"), kit.add_member("bob")
    mine, theirs = (
        await scheduler.add_dataset(alice),
        await scheduler.add_dataset(bob, name="his cat"),
    )
    order = TrainingOrder(mine.id, "lora", "embedded", other_datasets=(theirs.id,))

    with pytest.raises(UserError) as refused:
        await preview_training(kit.bot, order, alice.id, kit.guild.id)

    assert refused.value.code == "dataset_unknown"


async def test_as_many_concepts_as_a_run_takes(kit, scheduler):
    """One training takes up to five datasets; a sixth is refused."""
    alice = kit.add_member("alice")
    numbers = [
        (await scheduler.add_dataset(alice, name=f"thing {chr(97 + at)}")).id
        for at in range(MAX_CONCEPTS + 1)
    ]
    order = TrainingOrder(numbers[0], "lora", "embedded", other_datasets=tuple(numbers[1:-1]))
    more = TrainingOrder(numbers[0], "lora", "embedded", other_datasets=tuple(numbers[1:]))

    preview = await preview_training(kit.bot, order, alice.id, kit.guild.id)
    with pytest.raises(UserError, match="concepts_many"):
        await preview_training(kit.bot, more, alice.id, kit.guild.id)

    assert len(preview.datasets) == MAX_CONCEPTS


async def test_a_class_word_is_as_long_as_a_trigger(kit, scheduler):
    """A class word has the same length limit as a trigger."""
    alice = kit.add_member("alice")
    dataset = await scheduler.add_dataset(alice)
    longest = TrainingOrder(dataset.id, "lora", "embedded", class_word="w" * 32)
    longer = TrainingOrder(dataset.id, "lora", "embedded", class_word="w" * 33)

    assert await preview_training(kit.bot, longest, alice.id, kit.guild.id)
    with pytest.raises(UserError, match="trigger_bad"):
        await preview_training(kit.bot, longer, alice.id, kit.guild.id)


async def test_no_rank(kit, scheduler):
    """A rank is refused if whole networks are trained."""
    alice = kit.add_member("alice")
    dataset = await scheduler.add_dataset(alice)
    order = TrainingOrder(dataset.id, "finetune", "embedded", rank=8)

    with pytest.raises(UserError, match="rank_method"):
        await preview_training(kit.bot, order, alice.id, kit.guild.id)
