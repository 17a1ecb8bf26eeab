"""Recipes written before 0.2 are still read."""

from __future__ import annotations

from typing import Any

import pytest

from storage.errors import JobError
from storage.options import options_table
from storage.records import Concept, Optimizer
from training.recipe.concepts import ConceptPhotos, SamplePrompt, TrainingPhoto
from training.recipe.names import OLD_FALLBACKS, OLD_KEYS
from training.recipe.recipe import MemoryFallback, Recipe

#: every field has another value than its default, so that a lost one is noticed
RECIPE = Recipe(
    method="lora", base="sd15", name="my dog", trigger="mydog", concept=Concept.SUBJECT, steps=60,
    rank=8, learning_rate=2e-3, batch_size=4, seed=7, resolution=512,
    photos=(TrainingPhoto("0.png", "mydog"),), family="sd1", base_fingerprint="f00",
    class_word="dog", initializer_token="puppy",  # noqa: S106 - a word of a prompt
    other_concepts=(
        ConceptPhotos("mycat", Concept.SUBJECT, "dog", (TrainingPhoto("1.png", "mycat"),)),
    ),
    prompts=(SamplePrompt("mydog on a beach", 3),), save_every=25, all_layers=True,
    gradient_checkpointing=True, nf4=True, gradient_accumulation_steps=2, num_class_images=9,
    class_prompt="a photo of a dog", max_file_bytes=9000, accepted=1.5, precision="bf16",
    threads=2, memory_fallbacks=(MemoryFallback(3, "accumulate"),),
    optimizer=Optimizer.ADAFACTOR, lr_scheduler="constant", weight_decay=0.1, ema_decay=0.9,
    min_snr_gamma=1.0, noise_offset=0.05, caption_dropout_rate=0.2, shuffle_caption=True,
    masked_loss=True, unmasked_weight=0.3, extra_resolutions=(256,), dropout=0.1,
    prior_loss_weight=0.5, train_text_encoder=True,
)  # fmt: skip
ALIASES = [(old, option.name) for option in options_table() for old in option.aliases]


@pytest.mark.parametrize(("old", "name"), [*OLD_KEYS.items(), *ALIASES])
def test_keys(old: str, name: str) -> None:
    """A key's old name is read, too."""
    content = RECIPE.to_json()
    value = content.pop(name)

    assert old not in content
    assert Recipe.from_json(content | {old: value}) == RECIPE


def test_recipe_of_an_older_version() -> None:
    """A recipe with only old keys is read correctly."""
    former = {name: old for old, name in [*OLD_KEYS.items(), *ALIASES]}
    content = {former.get(name, name): value for name, value in RECIPE.to_json().items()}
    (other,) = content["others"]
    content["others"] = [{**other, "word": other["class_word"]}]
    del content["others"][0]["class_word"]
    content["rungs"] = [{"step": 3, "name": "parted"}]

    assert Recipe.from_json(content) == RECIPE


@pytest.mark.parametrize(("old", "name"), OLD_FALLBACKS.items())
def test_fallbacks(old: str, name: str) -> None:
    """A memory fallback's old name is read, too."""
    content = RECIPE.to_json() | {"memory_fallbacks": [{"step": 3, "name": old}]}

    assert Recipe.from_json(content).memory_fallbacks == (MemoryFallback(3, name),)


def test_unknown_keys() -> None:
    """A recipe with unknown keys is refused, naming them."""
    with pytest.raises(JobError) as caught:
        Recipe.from_json(RECIPE.to_json() | {"unet_lr": 1e-4, "colour": "red"})

    assert caught.value.code == "recipe_unknown"
    assert caught.value.facts == {"keys": ["colour", "unet_lr"]}


@pytest.mark.parametrize(
    "change",
    [
        {"memory_fallbacks": [{"step": 3, "name": "prayer"}]},
        {"memory_fallbacks": [{"step": 3}]},
        {"photos": [{"file": "0.png", "caption": "mydog", "colour": "red"}]},
        {"optimizer": "magic"},
    ],
)
def test_unknown_values(change: dict[str, Any]) -> None:
    """Unknown fallbacks, optimizers and nested keys are refused, too."""
    with pytest.raises(JobError) as caught:
        Recipe.from_json(RECIPE.to_json() | change)

    assert caught.value.code == "recipe_broken"
