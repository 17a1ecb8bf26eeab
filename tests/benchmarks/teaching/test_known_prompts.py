"""Known prompts are graded by the median rank of 24 pictures, six in each base style."""

from __future__ import annotations

import random
from collections import Counter

import pytest
from PIL import Image

from benchmarks.teaching.known_prompts import KnownPrompts
from training.pretraining.judge import Gallery, Judge
from training.pretraining.names import BASE_STYLES


def picture(seed):
    """Return a picture of four random colours."""
    generator = random.Random(seed)
    small = Image.frombytes("RGB", (2, 2), bytes(generator.randrange(256) for _ in range(12)))
    return small.resize((64, 64), Image.Resampling.NEAREST)


@pytest.fixture
def known(frozen_judge):
    """Return known prompts whose galleries are 24 random pictures."""
    keys = KnownPrompts(frozen_judge).keys
    pictures = [picture(at) for at in range(len(keys))]
    galleries = {}
    for style in BASE_STYLES:
        rows = [at for at, key in enumerate(keys) if key[1] == style]
        features = frozen_judge.extract_features([pictures[at] for at in rows])
        galleries[style] = Gallery([keys[at][0] for at in rows], features)
    return KnownPrompts(Judge(frozen_judge.network, frozen_judge.names, galleries)), pictures


def test_the_styles_take_turns(frozen_judge):
    """Each base style has six prompts, and no prompt repeats."""
    known_prompts = KnownPrompts(frozen_judge)

    assert Counter(style for _, style in known_prompts.keys) == dict.fromkeys(BASE_STYLES, 6)
    assert len(set(known_prompts.prompts)) == 24


def test_true_pictures_are_known(known):
    """Each true picture ranks first; pictures shuffled within their styles do not."""
    known_prompts, pictures = known

    own, shuffled = known_prompts.grade(pictures)

    assert own == 1
    assert shuffled > 1


def test_half_forgotten_is_not_known(known):
    """The median rank falls once more than half of the pictures are wrong."""
    known_prompts, pictures = known
    others = pictures[4:] + pictures[:4]

    assert known_prompts.median_rank(pictures[:14] + others[14:]) == 1
    assert known_prompts.median_rank(pictures[:6] + others[6:]) > 1
