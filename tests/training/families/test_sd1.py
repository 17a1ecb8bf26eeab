"""Stable Diffusion 1.x: prompts with learned words, and the loss."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import torch

from training.families import Picture
from training.families.sd1 import split

if TYPE_CHECKING:
    from training.bases import Bases


@pytest.mark.parametrize(
    ("prompt", "pieces"),
    [
        ("a mydog emoji", ["a ", "mydog", " emoji"]),
        ("MyDog", ["MyDog"]),
        ("mydogs", ["mydogs"]),
        ("mydog2, mydog", ["mydog2", ", ", "mydog"]),
        ("a cat", ["a cat"]),
        ("", []),
    ],
)
def test_split(prompt: str, pieces: list[str]) -> None:
    """A learned word is found as a whole word, the longest first, in any case."""
    assert split(prompt, ["mydog", "mydog2"]) == pieces


def test_plain_prompt(bases: Bases) -> None:
    """Without learned words prompts become what the base's own tokenizer makes of them."""
    with bases.family("embedded") as family:
        tokenizer = family.pipeline.tokenizer  # type: ignore[attr-defined]
        for prompt in ("", "a cat emoji, on a white background", "a cat " * 50):
            theirs = tokenizer(prompt, padding="max_length", truncation=True).input_ids

            assert family.tokens(prompt)[0] == theirs


def test_learned_words(bases: Bases) -> None:
    """Learned words take the places after the vocabulary, and answer with their vectors."""
    words = {"one": torch.full((2, 192), 0.1), "two": torch.full((1, 192), 0.2)}
    with bases.family("embedded") as family, family.networks.speaking(words):
        known = len(family.networks.vocabulary.weight)
        tokens, cut = family.tokens("two ONE")
        vectors = family.networks.vocabulary(torch.tensor(tokens))

        assert tokens[1:4] == [known + 2, known, known + 1]
        assert cut == 0
        assert torch.equal(vectors[1:4], torch.cat([words["two"], words["one"]]))
        assert torch.equal(vectors[0], family.networks.vocabulary.weight[tokens[0]])


def test_loss(bases: Bases) -> None:
    """The loss follows from the generator alone."""
    latents, states = torch.ones(2, 4, 16, 16), torch.ones(2, 77, 192)
    with bases.family("embedded") as family, torch.no_grad():
        losses = [
            float(family.loss(latents, states, torch.Generator().manual_seed(seed), gamma=5.0))
            for seed in (1, 1, 2)
        ]

    assert losses[0] == losses[1] != losses[2]


def test_draw(bases: Bases) -> None:
    """A picture follows from its seed; the base's scheduler is the same afterwards."""
    with bases.family("embedded") as family:
        scheduler = family.pipeline.scheduler  # type: ignore[attr-defined]
        drawn = [
            family.draw(Picture("a cat", "", seed, 2, 64, 32)).tobytes() for seed in (1, 1, 2)
        ]

        assert family.pipeline.scheduler is scheduler  # type: ignore[attr-defined]
    assert drawn[0] == drawn[1] != drawn[2]


def test_checkpointing(bases: Bases) -> None:
    """Gradient checkpointing changes no gradient."""
    grads = []
    with bases.family("embedded") as family:
        for enabled in (False, True):
            family.checkpointing(enabled=enabled)
            states = torch.ones(1, 77, 192, requires_grad=True)
            loss = family.loss(
                torch.ones(1, 4, 16, 16), states, torch.Generator().manual_seed(1), gamma=5.0
            )
            loss.backward()  # type: ignore[no-untyped-call]
            grads.append(states.grad)
        family.checkpointing(enabled=False)

    assert grads[0] is not None
    assert grads[1] is not None
    assert torch.allclose(grads[0], grads[1], atol=1e-7)
