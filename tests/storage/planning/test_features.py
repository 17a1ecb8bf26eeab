"""Photos are compared by what a network sees in them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from storage.planning.features import (
    find_strangers,
    measure_cosines,
    measure_views_spread,
    pack_features,
)
from storage.planning.readiness import rate_readiness
from storage.planning.verdicts import judge_photos
from storage.records import CheckedPhoto, Concept

NAMES = [f"photo {number}" for number in range(1, 9)]


def see(direction: int, spread: float, number: int) -> CheckedPhoto:
    """Return a photo of a subject, given as the direction that its features are near to."""
    features = np.random.default_rng(number).normal(0, spread, 64)
    features[direction] += 1
    packed = pack_features(features / np.linalg.norm(features))
    return CheckedPhoto(
        f"{number}", number * 0x0F0F_F0F0_0FF0, 9, 9, b"", b"", (), features=packed
    )


def test_a_signed_byte_each_is_enough():
    """Cosines change by less than a hundredth."""
    vectors = np.random.default_rng(0).normal(0, 1, (5, 1280)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)

    cosines = measure_cosines([pack_features(each) for each in vectors])

    assert len(pack_features(vectors[0])) < 1800
    assert np.abs(cosines - vectors @ vectors.T).max() < 0.01


@pytest.mark.parametrize("wrong", [1, 2])
def test_what_shows_something_else_is_told(wrong):
    """Also two of one other subject among five, and only in a set of one subject."""
    photos = [see(0, 0.06, number) for number in range(5)]
    photos += [see(1, 0.06, number) for number in range(5, 5 + wrong)]

    verdicts = judge_photos(photos, NAMES)
    look = judge_photos(photos, NAMES, Concept.LOOK)

    assert find_strangers(photos) == {*range(5, 5 + wrong)}
    named = [[finding.code for finding in each.findings] for each in verdicts]
    assert named == [[]] * 5 + [["other_subject"]] * wrong
    assert not any(each.findings for each in look)


def test_varied_photos_of_one_subject_are_left_alone():
    """Their cosines are around a half."""
    assert find_strangers([see(0, 0.12, number) for number in range(8)]) == set()


def test_nothing_is_said_of_too_few():
    """Of three, nobody knows which is the other one; that is said."""
    photos = [
        see(0, 0.06, 1),
        see(0, 0.06, 2),
        see(1, 0.06, 3),
        replace(see(0, 0, 4), features=""),
    ]

    assert find_strangers(photos) == set()
    assert measure_views_spread(photos) is None
    assert all("content" in each.unchecked for each in judge_photos(photos, NAMES))
    four = [*photos[:3], see(0, 0.06, 5)]
    assert not any("content" in each.unchecked for each in judge_photos(four, NAMES))


def test_photos_from_one_angle_need_another():
    """Whatever their light and ground are."""
    photos = [see(0, 0.02, number) for number in range(4)]

    assert rate_readiness(photos).advice == "one_view"
    assert rate_readiness([see(0, 0.1, number) for number in range(4)]).advice == "more"
    assert rate_readiness(photos[:2]).advice == "few"
