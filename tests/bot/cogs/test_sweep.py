"""`/train sweep`: a thorough training's settings are varied, the best is kept."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bot import wording
from bot.actions.comparing import ComparisonOrder, preview_comparison
from bot.actions.order import TrainingOrder
from bot.actions.sweeping import SweepOrder, preview_sweep
from bot.cards.sweep import name_winner
from bot.wording.errors import ERRORS
from storage.planning.comparison import Grading
from storage.planning.durations import TimingKey
from storage.records import Concept, Dial, Kind, Timing
from storage.tables.comparisons import Entry
from tests.fakes.comparisons import advance, judge, train


async def start_sweep(kit, alice, *recipes, **options):
    """Start a sweep from a thorough training's card; return what its card says and its options.

    With `options` it is started by its own command.
    """
    if options:
        card = (await alice.slash(kit.channel, "train sweep", **options)).response
    else:
        options = {"dataset": "my dog", "dial": "thorough", "steps": 400}
        card = (await alice.slash(kit.channel, "train lora", **options)).response
        await alice.click(card, label=wording.sweep.SWEEP)
    (select,) = (each for each in kit.components(card) if each["type"] == 3)
    if recipes:
        await alice.select(card, values=[*recipes])
    said = kit.text(card)
    await alice.click(card, label=wording.comparison.START)
    await advance(kit)
    return said, select["options"]


async def test_sweep(kit, scheduler, alice):
    """A thorough training offers to try settings around its own; the best is the style."""
    said, options = await start_sweep(kit, alice, "0", "1")
    assert [each["default"] for each in options] == [True] * 4 + [False] * 2
    assert options[0]["label"].endswith("(usual)")
    assert "2 until step 200 and 1 until step 400" in said
    assert "1.5 times the steps of one training" in said

    first, _ = await train(kit, scheduler)
    second, _ = await train(kit, scheduler)
    await judge(kit, scheduler, 0.52, 0.41, beats=[1])
    (message,) = kit.find_messages("Looking for the best settings")
    assert "score 41 ± 3, ended after 100 steps" in kit.text(message)
    await advance(kit)
    third = await scheduler.claim(Kind.TRAIN)
    assert (first.request["stop_after"], third.request["stop_after"]) == (200, 0)
    assert third.request["continues"] == first.id
    rates = [each.request["learning_rate"] for each in (first, second, third)]
    assert rates == [rates[0], pytest.approx(3 * rates[0], rel=0.05), rates[0]]
    style = await scheduler.finish_training(third)
    await advance(kit)
    await judge(kit, scheduler, 0.6, 0.41, beats=[1])

    (result,) = kit.find_messages("came out best")
    assert "clearly lower" not in kit.text(result)
    facts = {"best": options[0]["label"], "score": "60", "spread": "3", "steps": 100}
    assert kit.says(result, wording.sweep.WINNER, **facts)
    others = wording.sweep.OTHER.format(label=options[1]["label"], steps=100)
    assert kit.says(result, wording.sweep.OTHERS, others=others)
    assert [each.id for each in await kit.store.styles.list_for(alice.id)] == [style.id]


async def test_sweep_cancelled(kit, scheduler, alice):
    """What was trained a part of the way goes with a sweep that is cancelled."""
    await start_sweep(kit, alice)
    await train(kit, scheduler)
    (message,) = kit.find_messages("Looking for the best settings")

    asked = await alice.click(message, label=wording.comparison.CANCEL)
    said = kit.text(asked.response)
    await alice.click(asked.response, label=wording.comparison.CANCEL_GO)

    assert wording.sweep.CANCEL_ASK in said
    assert await kit.store.styles.list_for(alice.id) == []


async def test_no_sweep(kit, alice):
    """Only a thorough training offers it."""
    card = (await alice.slash(kit.channel, "train lora", dataset="my dog")).response

    assert wording.sweep.SWEEP not in kit.labels(card)


async def test_sweep_command(kit, scheduler, alice):
    """The command opens the same card, of a thorough training unless another one is chosen."""
    said, options = await start_sweep(kit, alice, dataset="my dog", steps=400, rank=4)

    assert "thorough" in said
    assert options[0]["label"].endswith("rank 4 (usual)")
    job = await scheduler.claim(Kind.TRAIN)
    assert (job.request["dial"], job.request["rank"], job.request["stop_after"]) == (
        "thorough", 4, 50,
    )  # fmt: skip


async def test_sweep_refused(kit, alice):
    """A method that trains whole models has nothing to vary."""
    answer = await alice.slash(kit.channel, "train sweep", dataset="my dog", method="finetune")

    assert kit.says(answer, ERRORS["sweep_single"])


def test_a_shorter_training_that_is_better():
    """It is said where the winner, by now, is clearly worse than one that ended on the way."""
    grades = Grading(0.3, 0.05, 0.8, 1.0, 0.5)
    facts = {"comparison": 1, "request": {}, "base": "embedded", "round": 1, "status": "done"}
    winner = Entry(number=1, label="fast", job=3, out=None, style=3, grades=grades, **facts)
    better = replace(grades, score=0.6, beats=(1,))
    other = Entry(number=0, label="usual", job=1, out=0, style=None, grades=better, **facts)

    said = "\n".join(name_winner([(other, 90), (winner, 370)]))

    assert "**fast** came out best" in said
    assert "clearly lower than that of usual after fewer steps" in said
    assert "clearly lower" not in "\n".join(name_winner([(winner, 370)]))


async def test_times(kit, alice):
    """The time of a sweep and of a comparison has the pictures by which they are graded."""
    dataset = await kit.store.datasets.get_by_name(alice.id, "my dog")
    for method in ("lora", "embedding"):
        key = TimingKey("two cores", "embedded", 64, method, Concept.SUBJECT, 4)
        await kit.store.durations.add_run(key, Timing(0.1, 0.0, 1.0, 0.0))
    training = TrainingOrder(dataset.id, "lora", "embedded", Dial.THOROUGH, 400)
    compared = ComparisonOrder(dataset.id, ("embedded",), ("lora", "embedding"), steps=400)
    place = alice.id, kit.guild.id

    sweep = await preview_sweep(kit.bot, SweepOrder(training), *place)
    comparison = await preview_comparison(kit.bot, compared, *place)

    assert sweep.usual.plan.seconds == 400 * 0.1 + 18
    assert sweep.seconds == pytest.approx(58 * sweep.steps / 400 + 3 * 8 + 12 * (4 + 2 + 4))
    assert comparison.seconds == pytest.approx(2 * (400 * 0.1 + 10 + 8 + 12))
