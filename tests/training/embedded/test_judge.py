"""The judge tells styles and things apart on real pictures."""

from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image

from training.embedded.names import STYLES

PICTURES = Path(__file__).parents[3] / "benchmarks" / "pictures"


@pytest.fixture(scope="module")
def ink():
    """Open the real pictures of a held-out style."""
    paths = sorted((PICTURES / "ink" / "measure").glob("*.png"))
    return [path.stem for path in paths], [Image.open(path) for path in paths]


def test_every_style_has_a_gallery(critic):
    """Each style has at least 500 real pictures to be ranked among."""
    assert set(critic.galleries) == set(STYLES)
    assert min(len(gallery.names) for gallery in critic.galleries.values()) >= 500


def test_real_pictures_find_themselves(critic, ink):
    """A real picture ranks first among the pictures of its style."""
    names, pictures = ink
    features = critic.features(pictures)

    ranks = [critic.rank(features[i : i + 1], n, "ink")[0] for i, n in enumerate(names)]

    assert sorted(ranks)[len(ranks) // 2] == 1


def test_a_style_is_nearest_to_itself(critic, ink):
    """Real pictures of a style lie nearer to its gallery than to any other."""
    names, pictures = ink
    features = critic.features(pictures)

    distances = {style: critic.style_distance(features, style, names) for style in STYLES}

    assert min(distances, key=distances.__getitem__) == "ink"
    assert critic.likeness(features, "ink") > 0.8
