"""Textual inversion: how it starts, and which files it refuses."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import torch

from storage.errors import JobError
from storage.records import Concept, Dial
from training.methods import embedding
from training.run import defaults

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from training.bases.cache import BaseCache
    from training.networks.networks import Networks
    from training.recipe.recipe import Recipe


@pytest.fixture
def networks(bases: BaseCache) -> Iterator[Networks]:
    """Return the embedded base's networks."""
    with bases.borrow("embedded") as family:
        yield family.networks


def test_start(networks: Networks, make_recipe: Callable[..., Recipe]) -> None:
    """The first vectors are the initial word's; further ones are near its last."""
    (vocabulary,) = networks.vocabularies
    word = vocabulary.embedding.weight[vocabulary.encode("cat")]

    vectors = embedding.initial_vectors(
        networks, make_recipe("embedding", rank=3, class_word="cat")
    )["emb_params"]

    assert torch.equal(vectors[0], word[0])
    assert len(vectors) == 3
    assert not torch.equal(vectors[1], vectors[2])
    assert (vectors[2] - word[-1]).abs().max() < 0.5


def test_no_word(networks: Networks, make_recipe: Callable[..., Recipe]) -> None:
    """Without an initial word the vectors start at the mean of all words."""
    (vectors,) = embedding.initial_vectors(
        networks, make_recipe("embedding", rank=1, class_word=" ")
    ).values()

    (vocabulary,) = networks.vocabularies
    assert torch.allclose(vectors[0], vocabulary.embedding.weight.mean(0), atol=1e-6)


def test_attached(networks: Networks, make_recipe: Callable[..., Recipe]) -> None:
    """The word is known while attached; not when disabled or detached."""
    attached = embedding.attach(networks, make_recipe("embedding"))

    assert list(networks.words) == ["mydog"]
    with networks.without_adapter():
        assert not networks.words
    assert list(networks.words) == ["mydog"]
    attached.detach()
    assert not networks.words
    assert networks.attached is None


@pytest.mark.parametrize(
    "style",
    [
        {},
        {"emb_params": torch.ones(2, 768)},
        {"emb_params": torch.ones(192)},
        {"emb_params": torch.ones(0, 192)},
        {"emb_params": torch.ones(99, 192)},
        {"emb_params": torch.full((1, 192), float("inf"))},
        {"emb_params": torch.ones(1, 192).int()},
        {"emb_params": torch.ones(1, 192), "more": torch.ones(1)},
        {"other": torch.ones(1, 192)},
    ],
)
def test_refused(networks: Networks, style: dict[str, torch.Tensor]) -> None:
    """Tensors that are no embedding for this text encoder are refused before use."""
    with pytest.raises(JobError) as refused:
        embedding.check(networks, style)

    assert refused.value.code == "style_broken"


def test_rules(bases: BaseCache) -> None:
    """Every concept and dial has a rule of one to eight vectors; flow families have none."""
    for base in bases.list_bases():
        rules = list(defaults.rules("embedding", base))

        assert len(rules) == (0 if base.family == "zimage" else len(Concept) * len(Dial))
        assert all(1 <= rule.rank <= 8 for rule in rules)
