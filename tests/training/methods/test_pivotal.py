"""Pivotal tuning: a LoRA with a learned word, its file and what is refused."""

from __future__ import annotations

import pytest
import torch

from storage.errors import JobError
from training.methods import pivotal
from training.run.optimizers import group_parameters

WORD = "bundle_emb.mydog.string_to_param.*"


@pytest.fixture
def networks(bases):
    """Return the embedded base's networks."""
    with bases.borrow("embedded") as family:
        yield family.networks


@pytest.fixture
def tensors(networks, make_recipe):
    """Return the tensors that a new style would write."""
    attached = pivotal.attach(networks, make_recipe("pivotal", trigger="mydog"))
    found = attached.weights()
    attached.detach()
    return found


def test_word_and_layers_are_trained_together(networks, make_recipe):
    """The word's vectors are trained at ten times the layers' learning rate."""
    attached = pivotal.attach(networks, make_recipe("pivotal"))
    groups = group_parameters(attached.parameters, attached.rate_factors)
    attached.detach()

    assert {group["pace"]: len(group["params"]) for group in groups}[10.0] == 1
    assert len(groups) == 2
    assert networks.attached is None
    assert networks.words == {}


def test_its_file_is_a_lora_with_one_word(tensors):
    """The file has a LoRA's tensors and the word's, (2, width of the text encoder)."""
    assert tensors[WORD].shape == (2, 192)
    assert {name.partition(".")[2] for name in tensors if name != WORD} == {
        "lora_down.weight", "lora_up.weight", "alpha",
    }  # fmt: skip


def test_worn_knows_the_word(networks, tensors):
    """The word is known while the style is applied, and not afterwards."""
    with pivotal.apply(networks, tensors, "mydog", 1.0):
        assert torch.equal(networks.words["mydog"]["emb_params"], tensors[WORD])

    assert networks.words == {}


def test_several_words_are_known(networks, tensors):
    """OneTrainer bundles several words: each is known under its own name, one alone under ours."""
    more = tensors | {"bundle_emb.<my.cat>.string_to_param.*": torch.ones(1, 192)}
    pivotal.check(networks, more)

    with pivotal.apply(networks, more, "", 1.0):
        assert networks.words.keys() == {"mydog", "<my.cat>"}
    with pivotal.apply(networks, tensors, "renamed", 1.0):
        assert networks.words.keys() == {"renamed"}


@pytest.mark.parametrize(
    "change",
    [
        {WORD: None},
        {"bundle_emb.other.string_to_param.*": torch.zeros(1, 768)},
        {WORD: torch.zeros(1, 768)},
        {"lora_unet_zork.alpha": torch.tensor(1.0)},
    ],
)
def test_what_is_amiss_is_refused(networks, tensors, change):
    """No word, a word of another base or an unknown layer is refused."""
    pivotal.check(networks, tensors)
    spoilt = {k: v for k, v in (tensors | change).items() if v is not None}

    with pytest.raises(JobError, match="style_broken"):
        pivotal.check(networks, spoilt)
