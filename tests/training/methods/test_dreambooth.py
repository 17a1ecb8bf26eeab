"""DreamBooth: a whole network or, with a rank, a LoRA; class pictures by default."""

from __future__ import annotations

import pytest
import torch

from storage.errors import JobError
from storage.planning.plan import plan_training
from storage.records import Catalog, Concept, Dial
from training.families import walk
from training.methods import _full, dreambooth, lora
from training.networks.counts import file_sizes
from training.run import defaults


@pytest.fixture
def networks(bases):
    """Return the embedded base's networks."""
    with bases.borrow("embedded") as family:
        yield family.networks


@pytest.mark.parametrize(("rank", "kind"), [(0, _full.FullNetworks), (4, lora.LoraAdapter)])
def test_a_rank_makes_it_a_lora(networks, make_recipe, rank, kind):
    """A LoRA or a whole model is recognised as such; any other file is refused."""
    attached = dreambooth.attach(networks, make_recipe("dreambooth", rank=rank))
    tensors = attached.weights()
    attached.detach()

    assert type(attached) is kind
    dreambooth.check(networks, tensors)
    with dreambooth.apply(networks, tensors, "mydog", 1.0):
        pass
    with pytest.raises(JobError, match="style_broken"):
        dreambooth.check(networks, {"else": torch.zeros(1)})


def test_the_dial(bases):
    """Without a rank a whole network is trained, with one a LoRA; both with class pictures."""
    base = bases.find("embedded")
    rules = (*defaults.rules("dreambooth", base), *defaults.rules("lora", base))
    known = Catalog((base,), (dreambooth.METHOD, lora.METHOD), rules=rules)

    def planned(method, rank=0):
        return plan_training(
            known, method=method, base="embedded", dial=Dial.BALANCED,
            concept=Concept.SUBJECT, photos=5, rank=rank,
        )  # fmt: skip

    full, low, plain = planned("dreambooth"), planned("dreambooth", 16), planned("lora", 16)

    assert (full.rank, full.num_class_images, full.file_bytes) == (
        0,
        dreambooth.FEW_CLASS_IMAGES,
        file_sizes(base, walk()["sd1"]).model,
    )
    assert (low.rank, low.num_class_images) == (16, dreambooth.FEW_CLASS_IMAGES)
    assert (low.method, plain.num_class_images) == ("dreambooth", 0)
    assert (low.steps, low.learning_rate, low.file_bytes) == (
        plain.steps,
        plain.learning_rate,
        plain.file_bytes,
    )
