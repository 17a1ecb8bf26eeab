"""Every optimizer lowers a loss, and interrupted runs end like undisturbed ones."""

from __future__ import annotations

import sys

import pytest
import torch

from storage.errors import JobError
from storage.events import StepBoundary
from storage.planning.plan import optimizer_learning_rate
from storage.records import Optimizer
from training import methods
from training.recipe.concepts import SamplePrompt
from training.run import optimizers
from training.run.loop import TrainingRun, train
from training.run.timing import RunTimer
from training.styles.writer import read_tensors


@pytest.fixture
def asked(make_recipe):
    """Return a function that makes recipes for an optimizer at its own learning rate."""

    def made(optimizer, method="lora", **more):
        usual = {"learning_rate": optimizer_learning_rate(1e-2, optimizer), "ema_decay": 0.0}
        return make_recipe(method, optimizer=optimizer, **usual | more)

    return made


def make_parameters():
    """Return parameters to train: a large one that 8 bits suffice for, and a small one."""
    generator = torch.Generator().manual_seed(1)
    return {
        name: torch.nn.Parameter(torch.randn(shape, generator=generator))
        for name, shape in {"large": (64, 128), "small": (4, 4)}.items()
    }


def take_steps(optimizer, parameters, steps):
    """Take steps towards zero; return the losses."""
    losses = []
    for _ in range(steps):
        loss = sum(each.square().mean() for each in parameters.values())
        loss.backward()
        for group in optimizer.param_groups:
            group["lr"] = group["rate"]
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
        losses.append(loss.item())
    return losses


@pytest.mark.parametrize("optimizer", list(Optimizer))
def test_a_loss_is_lowered(asked, optimizer, capsys):
    """Steps lower the loss, and no package prints to the event stream."""
    parameters, recipe = make_parameters(), asked(optimizer)
    made = optimizers.make_optimizer(recipe, parameters, {})
    for group in made.param_groups:
        group["rate"] = recipe.learning_rate

    losses = take_steps(made, parameters, 20)

    assert losses[-1] < losses[0]
    assert capsys.readouterr().out == ""


@pytest.mark.slow(3)
@pytest.mark.parametrize("optimizer", [each for each in Optimizer if each is not Optimizer.ADAMW])
def test_resume(bases, asked, make_job_folder, run_task, optimizer):
    """Killed after a checkpoint, a run ends in the bytes of an undisturbed one (AdamW: see loop).

    Previews, which only the first attempt samples, change nothing either.
    """
    shown = (SamplePrompt("a mydog", 1),) if optimizer is Optimizer.SCHEDULEFREE else ()
    recipe = asked(optimizer, steps=4, rank=4, train_text_encoder=False, prompts=shown)
    plain, disturbed = make_job_folder(recipe, "plain"), make_job_folder(recipe, "disturbed")
    run_task(train(plain, bases))

    for event in (task := train(disturbed, bases)):
        if event == StepBoundary(3):
            break
    task.close()
    started, *_ = run_task(train(disturbed, bases))

    assert started.step == 2
    files = [(folder.result / "mydog.safetensors").read_bytes() for folder in (plain, disturbed)]
    assert files[0] == files[1]


def test_schedule_free_numbers_are_told_apart(asked):
    """Schedule-free samples and saves its averaged weights and keeps its own exact."""
    parameters = make_parameters()
    recipe = asked(Optimizer.SCHEDULEFREE)
    made = optimizers.make_optimizer(recipe, parameters, {})
    made.param_groups[0]["rate"] = recipe.learning_rate
    take_steps(made, parameters, 4)
    before = parameters["large"].detach().clone()

    with optimizers.averaged_weights(made):
        inside = parameters["large"].detach().clone()

    assert not torch.equal(inside, before)
    assert torch.equal(parameters["large"], before)
    take_steps(made, parameters, 1)


@pytest.mark.parametrize(
    ("optimizer", "ema"), [(Optimizer.SCHEDULEFREE, 0.0), (Optimizer.ADAMW, 0.9)]
)
def test_a_file_holds_what_is_drawn_with(bases, asked, make_job_folder, optimizer, ema):
    """The file holds the weights that are sampled with."""
    recipe = asked(optimizer, steps=2, train_text_encoder=False, ema_decay=ema)
    folder = make_job_folder(recipe)
    with bases.borrow("embedded") as family:
        attached = methods.find_for_recipe(recipe).attach(family.networks, recipe)
        run = TrainingRun(folder, recipe, family, attached, bases, timer=RunTimer())
        list(run.run())
        steps = {name: each.half() for name, each in attached.weights().items()}
        with run.final_weights():
            draws = {name: each.half() for name, each in attached.weights().items()}
        attached.detach()
    kept = read_tensors(folder.result / "mydog.safetensors")

    assert all(torch.equal(kept[name], each) for name, each in draws.items())
    assert not all(torch.equal(kept[name], each) for name, each in steps.items())


def test_a_missing_package_is_named(asked, monkeypatch):
    """A missing package fails the job with its name."""
    monkeypatch.setitem(sys.modules, "prodigyopt", None)

    with pytest.raises(JobError) as refused:
        optimizers.check_installed(asked(Optimizer.PRODIGY))

    assert (refused.value.code, refused.value.facts["package"]) == (
        "optimizer_missing",
        "prodigyopt",
    )


def test_one_rate_is_not_two(bases, asked):
    """Prodigy refuses a method with two learning rates, since it finds only one."""
    recipe = asked(Optimizer.PRODIGY, "pivotal")
    with bases.borrow("embedded") as family:
        attached = methods.find_for_recipe(recipe).attach(family.networks, recipe)
        with pytest.raises(JobError) as refused:
            optimizers.make_optimizer(recipe, attached.parameters, attached.rate_factors)
        attached.detach()

    assert refused.value.code == "optimizer_paces"
