"""What is known: the median rank of 24 prompts, six in each base style."""

from __future__ import annotations

import random
from collections import Counter

import pytest
from PIL import Image

from benchmarks.teaching.known_prompts import KnownPrompts
from training.pretraining.judge import Gallery, Judge
from training.pretraining.names import BASE_STYLES


def picture(seed):
    """Draw four colours at random."""
    draws = random.Random(seed)
    small = Image.frombytes("RGB", (2, 2), bytes(draws.randrange(256) for _ in range(12)))
    return small.resize((64, 64), Image.Resampling.NEAREST)


@pytest.fixture
def known(critic):
    """Hang 24 pictures as the galleries of the base styles."""
    keys = KnownPrompts(critic).keys
    pictures = [picture(at) for at in range(len(keys))]
    galleries = {}
    for style in BASE_STYLES:
        rows = [at for at, key in enumerate(keys) if key[1] == style]
        features = critic.extract_features([pictures[at] for at in rows])
        galleries[style] = Gallery([keys[at][0] for at in rows], features)
    return KnownPrompts(Judge(critic.network, critic.names, galleries)), pictures


def test_the_styles_take_turns(critic):
    """Each base style has six prompts, each name one."""
    recall = KnownPrompts(critic)

    assert Counter(style for _, style in recall.keys) == dict.fromkeys(BASE_STYLES, 6)
    assert len(set(recall.prompts)) == 24


def test_true_pictures_are_known(known):
    """Each true picture ranks first; shuffled within its style, none does."""
    recall, pictures = known

    own, shuffled = recall.grade(pictures)

    assert own == 1
    assert shuffled > 1


def test_half_forgotten_is_not_known(known):
    """The median falls behind as soon as more than half of the pictures are others."""
    recall, pictures = known
    others = pictures[4:] + pictures[:4]

    assert recall.median_rank(pictures[:14] + others[14:]) == 1
    assert recall.median_rank(pictures[:6] + others[6:]) > 1
