"""A training by replayed steps teaches what one by eager steps does."""

from __future__ import annotations

import logging
from dataclasses import replace

import pytest
import torch

from storage.records import Optimizer
from tests.fakes.gpu import WRONG_CUDA, Fp16Device, GraphDevice
from training.bases.cache import BaseCache
from training.recipe.recipe import AUTO, GRAPH, MemoryFallback, Recipe
from training.run.checkpoint import hash_request, path_of_step, read
from training.run.loop import train
from training.run.step import WARMUP_STEPS
from training.run.steppers import find_obstacle, settle
from training.styles.writer import read_tensors

STEPS = WARMUP_STEPS + 3
ROUNDING = 5e-3  #: of tensors in half precision, as a share of their norm
OPTIONS = {
    "ema_decay": 0.9,
    "caption_dropout_rate": 0.5,
    "noise_offset": 0.1,
    "min_snr_gamma": 5.0,
}


@pytest.fixture(scope="module")
def graph_bases(bases):
    """Return the embedded base on a device that replays CUDA graphs."""
    return BaseCache(None, GraphDevice(bases.device))


@pytest.fixture
def learn(make_recipe, make_job_folder, run_task):
    """Return a function that trains, if need be in two attempts, and returns the file."""

    def run(cache, name, stop=0, steps=STEPS, **more):
        recipe = make_recipe(
            "lora", steps=steps, save_every=WARMUP_STEPS + 1, photos=2, **OPTIONS, **more
        )
        folder = make_job_folder(recipe, name)
        if stop:
            task = train(folder, cache)
            while not ((event := next(task)).kind == "step" and event.step == stop):
                pass
            task.close()
        run_task(train(folder, cache))
        return folder.result / "mydog.safetensors"

    return run


@pytest.mark.slow(5)
def test_a_replayed_training_teaches_the_same(bases, graph_bases, learn, caplog):
    """Only rounding differs, also in the text encoder; resumed, it ends in the same bytes."""
    eager, replayed, resumed = (
        learn(cache, name, stop, train_text_encoder=True)
        for cache, name, stop in (
            (bases, "eager", 0),
            (graph_bases, "graph", 0),
            (graph_bases, "resumed", STEPS - 1),
        )
    )

    assert resumed.read_bytes() == replayed.read_bytes()
    plain, graph = read_tensors(eager), read_tensors(replayed)
    for name, tensor in plain.items():  # AdamW makes much of a gradient that is next to nothing
        apart = (graph[name].float() - tensor.float()).norm()
        assert apart <= ROUNDING * max(1e-3, tensor.float().norm()), name
    assert "op by op" not in caplog.text


def test_what_cannot_be_replayed_says_why(bases, graph_bases, learn, caplog):
    """The training goes on op by op, with the same numbers as without the worker's choice."""
    caplog.set_level(logging.WARNING)
    plain = GraphDevice(bases.device)
    plain.stepper = ""

    kept, told = (
        read_tensors(learn(cache, name, steps=2, dropout=0.2))
        for cache, name in ((BaseCache(None, plain), "plain"), (graph_bases, "chosen"))
    )

    assert "dropout" in caplog.text
    assert all(torch.equal(told[name], tensor) for name, tensor in kept.items())


@pytest.mark.parametrize(
    ("more", "word"),
    [
        ({}, ""),
        ({"gradient_checkpointing": True}, "checkpointing"),
        ({"optimizer": Optimizer.ADAFACTOR}, "AdamW"),
        ({"dropout": 0.1}, "dropout"),
        ({"nf4": True}, "4 bits"),
        ({"family": "zimage"}, "prompts"),
    ],
)
def test_obstacles(graph_bases, make_recipe, more, word):
    """What reads the device or draws within a step keeps it from being replayed."""
    recipe = replace(make_recipe(), **({"family": "sd1"} | more))

    obstacle = find_obstacle(recipe, graph_bases.device)

    assert word in obstacle
    assert bool(word) == bool(obstacle)


def test_a_device_without_graphs_or_in_fp16_has_an_obstacle(bases, make_recipe):
    """A CPU has no graphs, and a gradient scaler looks at each step."""
    recipe, half = replace(make_recipe(), family="sd1"), Fp16Device(bases.device)
    half.cuda = object()

    assert "no CUDA graphs" in find_obstacle(recipe, bases.device)
    assert "fp16" in find_obstacle(recipe, half)


CHECKPOINTING = MemoryFallback(0, "gradient_checkpointing")


@pytest.mark.parametrize(
    ("more", "chosen", "word"),
    [
        ({}, GRAPH, "CUDA graphs"),
        ({"dropout": 0.1}, "", "dropout"),
        ({"stepper": "compile"}, "compile", ""),
        ({"memory_fallbacks": (CHECKPOINTING,)}, "", "random"),
    ],
)
def test_a_gpu_replays_what_it_can(graph_bases, make_recipe, caplog, more, chosen, word):  # noqa: PLR0917
    """Left open, the choice is made before the first step, and the log says why."""
    caplog.set_level(logging.INFO)
    recipe = replace(make_recipe(), **({"family": "sd1", "stepper": AUTO} | more))

    assert settle(recipe, graph_bases.device, 1).stepper == chosen
    assert word in caplog.text


def test_a_processor_computes_op_by_op(bases, make_recipe):
    """Nothing is tried there, and nothing of it stands in the recipe."""
    recipe = replace(make_recipe(), family="sd1", stepper=AUTO)

    assert settle(recipe, bases.device, 1) == replace(recipe, stepper="")


def test_after_a_crash_nothing_is_replayed(graph_bases, make_recipe):
    """A second attempt without a checkpoint: a graph may have ended the first."""
    recipe = replace(make_recipe(), family="sd1", stepper=AUTO)

    assert not settle(recipe, graph_bases.device, 2).stepper


@pytest.mark.slow(2)
def test_a_wrong_replay_is_trained_op_by_op(bases, learn, caplog):
    """The training begins anew, its recipe says so, and it ends."""
    wrong = GraphDevice(bases.device)
    wrong.stepper, wrong.cuda = AUTO, WRONG_CUDA
    steps = WARMUP_STEPS + 1

    trained = learn(BaseCache(None, wrong), "wrong", steps=steps)

    kept = read(path_of_step(trained.parents[1] / "checkpoints", steps)).recipe
    assert kept.memory_fallbacks == (MemoryFallback(0, "eager"),)
    assert "a replayed step" in caplog.text


def test_the_choice_is_the_workers(make_recipe):
    """An older recipe has none, and a checkpoint is of the same job whatever it is."""
    recipe = make_recipe()
    chosen = replace(recipe, stepper=GRAPH)

    assert Recipe.from_json(chosen.to_json()).stepper == GRAPH
    assert "stepper" not in recipe.public_json()
    assert hash_request(chosen) == hash_request(recipe)
