"""A step neither waits for the device nor makes tensors that it could do without."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from storage.records import Base
from tests.fakes.gpu import MetaDevice
from tests.training.run.test_step import SIDES, Training, make_graph
from training import methods
from training.device import Device
from training.families import walk
from training.run.draws import NoiseDraws
from training.run.ema import EmaWeights
from training.run.examples import Batches, Example
from training.run.step import MicroBatch, OptimizerStep
from training.run.text import CaptionEncoder

SIZES = {"sizes": torch.zeros(6)}  #: of a photo, which SDXL is told


class Operations(TorchDispatchMode):
    """Counts what is computed inside the block, and copies between memories."""

    def __init__(self):
        super().__init__()
        self.names, self.copies = [], []  #: of each copy, whether the CPU goes on meanwhile

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        """Run an operation and note it."""
        kwargs = kwargs or {}
        made = function(*args, **kwargs)
        if not function.is_view:
            self.names.append(function._schema.name)
        if function._schema.name in {"aten::_to_copy", "aten::copy_"}:
            places = {each.device for each in tree_leaves((args, made)) if hasattr(each, "device")}
            if len(places) > 1:
                asynchronous = kwargs.get("non_blocking", args[2] if len(args) > 2 else False)
                self.copies.append(asynchronous)
        return made


class Steps:
    """The steps of a LoRA on a small random base, as the loop draws and takes them."""

    def __init__(self, recipe, family, device, *, learns=False):
        module = walk()[family]
        kind = next(each for each in vars(module).values() if getattr(each, "name", "") == family)
        base = Base(family, family, family, family, 64, "", "", present=True)
        pipeline = module.make_random_pipeline(large=False)
        self.recipe = replace(recipe, caption_dropout_rate=0.5, train_text_encoder=learns)
        self.family = kind(lambda _: pipeline, device, base)
        method = methods.find("lora")
        self.parameters = method.attach(self.family.networks, self.recipe).parameters
        shape = (self.family.vae.config.latent_channels, 8, 8)
        told = SIZES if family == "sdxl" else {}
        photos = [Example(torch.zeros(shape), at, told) for at in range(len(recipe.photos))]
        self.batches = Batches(photos, recipe.batch_size, recipe.seed)
        self.captions = CaptionEncoder(self.family, self.recipe, device, learns=learns)
        self.draws = NoiseDraws(self.recipe, self.family, device, 1)

    def draw(self, step):
        """Draw what a step needs."""
        return self.draws.draw(self.batches, self.captions, step, "noise")


@pytest.mark.parametrize(
    ("family", "more", "learns"),
    [("sd1", {}, False), ("sd1", {"shuffle_caption": True}, False), ("sdxl", {}, True)],
)
def test_nothing_in_a_step_waits_for_the_device(make_recipe, family, more, learns):
    """What is drawn is sent once, without a wait; forward and backward send and read nothing."""
    steps = Steps(make_recipe(**more), family, MetaDevice(), learns=learns)

    with Operations() as drawing:
        (batch,) = steps.draw(0)
    with Operations() as computing:
        steps.family.compute_loss(batch.inputs).backward()

    assert {each.device.type for each in batch.inputs.values()} == {"meta"}
    assert all(drawing.copies)
    assert len(drawing.copies) <= len(batch.inputs)
    assert computing.copies == []


def test_a_replayed_step_makes_one_tensor():
    """Inputs go into buffers that stay; what the step reports is all that is new."""
    training = Training(make_graph)
    training.take(SIDES)
    graph = next(iter(training.stepper.graphs.values())).graph
    graph.replay = lambda: None

    batches = [MicroBatch({"x": torch.zeros(2, 1, SIDES[0], SIDES[0])})]
    with Operations() as counted:
        training.stepper(batches)

    assert counted.names == ["aten::copy_", "aten::clone"]


def test_an_average_is_moved_by_one_operation():
    """However many weights there are."""
    parameters = {str(at): torch.nn.Parameter(torch.zeros(2)) for at in range(9)}
    average = EmaWeights(parameters, 0.9)

    with Operations() as counted:
        average.update(0)

    assert counted.names == ["aten::_foreach_lerp_"]


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
@pytest.mark.parametrize("learns", [False, True])
def test_no_step_makes_a_gpu_wait(make_recipe, learns):
    """CUDA itself reports no wait in whole steps, the optimizer's part included."""
    device = Device.open()
    steps = Steps(make_recipe(), "sd1", device, learns=learns)
    optimizer = torch.optim.AdamW(steps.parameters.values(), fused=True)
    parts = steps.parameters.values(), optimizer, device.scaler(), device.autocast
    take = OptimizerStep(steps.family.compute_loss, *parts)
    take(steps.draw(0))

    torch.cuda.set_sync_debug_mode("error")
    try:
        for step in (1, 2):
            take(steps.draw(step))
    finally:
        torch.cuda.set_sync_debug_mode("default")
