"""The judge tells real pictures of different styles and things apart."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from PIL import Image

from training.pretraining.judge import CONTENT_FEATURES, compare_content, nearest_cosines
from training.pretraining.names import STYLES

PICTURES = Path(__file__).parents[3] / "benchmarks" / "pictures"


@pytest.fixture(scope="module")
def ink_pictures():
    """Return the names and real pictures of a held-out style."""
    paths = sorted((PICTURES / "ink" / "measure").glob("*.png"))
    return [path.stem for path in paths], [Image.open(path) for path in paths]


def test_every_style_has_a_gallery(judge):
    """Each style has a gallery of at least 500 real pictures."""
    assert set(judge.galleries) == set(STYLES)
    assert min(len(gallery.names) for gallery in judge.galleries.values()) >= 500


def test_real_pictures_find_themselves(judge, ink_pictures):
    """A real picture ranks first among the pictures of its style."""
    names, pictures = ink_pictures
    features = judge.extract_features(pictures)

    ranks = [
        judge.rank_within_style(features[i : i + 1], n, "ink")[0] for i, n in enumerate(names)
    ]

    assert sorted(ranks)[len(ranks) // 2] == 1


def test_a_style_is_nearest_to_itself(judge, ink_pictures):
    """Real pictures of a style are nearer to its gallery than to any other."""
    names, pictures = ink_pictures
    features = judge.extract_features(pictures)

    distances = {style: judge.measure_style_distance(features, style, names) for style in STYLES}

    assert min(distances, key=distances.__getitem__) == "ink"
    assert judge.style_probability(features, "ink") > 0.8


def test_a_thing_is_found_among_all_styles(judge):
    """The mean of one thing's pictures ranks at the top of all 5,000 real pictures."""
    galleries = [judge.galleries[style] for style in ("noto", "flat", "ink")]
    pandas = torch.cat([g.features[g.names.index("panda")][None] for g in galleries])

    ranks = judge.rank_anywhere(pandas, pandas)

    assert max(ranks) <= 10
    assert judge.rank_anywhere(-pandas, pandas)[0] > 5000


def test_the_nearest_is_found(judge):
    """A picture's cosine to itself is 1 and to others smaller; its style does not matter."""
    features = judge.galleries["flat"].features[:9]
    restyled = features.clone()
    restyled[:, CONTENT_FEATURES:] += 5

    assert nearest_cosines(features, features) == pytest.approx([1.0] * 9)
    assert nearest_cosines(restyled, features[:1])[0] == pytest.approx(1.0)
    assert max(nearest_cosines(features[:4], features[4:])) < 0.99
    assert compare_content(features, features[:2]).shape == (9, 2)
