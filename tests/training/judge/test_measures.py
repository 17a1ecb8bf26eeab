"""Each measure ranks what it is about: likeness, variety, obedience, forgetting, copies."""

from __future__ import annotations

import pytest
import torch
from PIL import Image, ImageDraw

from training.judge.forgetting import measure_forgetting
from training.judge.likeness import find_held_out, measure_likeness, measure_own_likeness
from training.judge.memorisation import KnownPhotos
from training.judge.obedience import list_wanted, measure_obedience
from training.judge.variety import measure_spread, measure_variety


def scatter(count, width, *, about=0):
    """Return features (N, 32) of length 1 around one direction, so far spread."""
    torch.manual_seed(about)
    middle = torch.zeros(32)
    middle[about] = 1
    return torch.nn.functional.normalize(middle + width * torch.randn(count, 32), dim=1)


def test_a_copy_is_no_more_like_the_photos_than_another_photo_is():
    """Likeness is capped at what the photos have in common."""
    photos = scatter(8, 0.15)

    copies = measure_likeness(photos, photos)
    others = measure_likeness(scatter(8, 0.15, about=0), photos)
    strangers = measure_likeness(scatter(8, 0.15, about=5), photos)

    assert copies.max() == 1
    assert copies.mean() - others.mean() < 0.1
    assert strangers.max() == 0


def test_likeness_begins_at_what_the_base_draws():
    """A style that draws what the base draws anyway has none."""
    photos, drawn = scatter(8, 0.1), scatter(4, 0.3)
    floor = float((drawn @ photos.T).mean())

    assert (
        measure_likeness(drawn, photos, floor).mean()
        < 0.2
        < measure_likeness(drawn, photos).mean()
    )


def test_a_single_photo_is_like_itself():
    """There is nothing to cap likeness at but the photo."""
    assert measure_own_likeness(scatter(1, 0.1)) == 1.0


@pytest.mark.parametrize(("count", "kept_out"), [(19, 0), (20, 4), (40, 8)])
def test_photos_are_held_out_where_they_are_enough(count, kept_out):
    """From twenty on, a fifth."""
    assert len(find_held_out(count)) == kept_out


def test_pictures_that_are_all_the_same_have_no_variety():
    """A set that is as spread as it should be has all of it."""
    photos = scatter(8, 0.2)
    wanted = measure_spread(photos)

    assert measure_variety(photos, wanted).mean() == pytest.approx(1, abs=0.1)
    assert measure_variety(photos[:1].expand(8, -1), wanted).max() < 0.01
    assert measure_variety(photos[:1], wanted).tolist() == [1]


def test_one_picture_a_little_moved_is_no_variety():
    """A collapsed style does not repeat itself to the pixel."""
    drawn, wanted = scatter(1, 0.2), measure_spread(scatter(8, 0.2))
    torch.manual_seed(1)
    moved = torch.nn.functional.normalize(drawn + 0.015 * torch.randn(6, 32), dim=1)

    assert 0.001 < measure_spread(moved) < 0.03
    assert measure_variety(moved, wanted).max() == 0


def test_only_words_that_tell_prompts_apart_are_looked_for():
    """The trigger is known to no captioner, and what all prompts say tells nothing."""
    prompts = ["a sks emoji, on a blue background", "two sks emoji, on a pink background"]

    assert list_wanted(prompts, ["sks"]) == [["blue"], ["two", "pink"]]
    assert list_wanted(["a cat in the snow"] * 2, []) == [["cat", "snow"]] * 2
    assert list_wanted([], []) == []


def test_obedience_is_the_share_of_words_that_captions_have():
    """Plurals count, articles do not, and nothing to look for is found."""
    found = measure_obedience([["cat", "snow"], ["cat"], []], ["cats on grass", "a dog", "a dog"])

    assert found.tolist() == [0.5, 0, 1]


def test_an_untouched_base_has_forgotten_nothing():
    """Pictures as far from the base's as its own are from each other are all forgotten."""
    base = scatter(6, 0.3)

    assert measure_forgetting(base, base).max() < 0.01
    assert measure_forgetting(base, scatter(6, 0.1, about=9)).min() > 0.9


def draw_scene(place, colour="brown", sky="skyblue"):
    """Return a picture of a house at a place."""
    picture = Image.new("RGB", (96, 96), sky)
    paint = ImageDraw.Draw(picture)
    paint.rectangle((place, 40, place + 30, 80), colour)
    paint.polygon([(place - 5, 40), (place + 35, 40), (place + 15, 15)], "red")
    return picture


def test_a_copy_needs_both_features_and_structure():
    """The same picture is a copy, also mirrored; features alone do not tell."""
    photos = [draw_scene(10), draw_scene(50, "black")]
    known = KnownPhotos(torch.eye(2), photos)
    mirrored = photos[1].transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    pictures = [photos[0], mirrored, draw_scene(35)]
    features = torch.tensor([[1.0, 0], [0, 1.0], [0.95, 0.3]])

    found = known.find_nearest(pictures, features)

    assert [each.photo for each in found] == [0, 1, 0]
    assert [each.copied for each in found] == [True, True, False]
    assert found[0].ssim == pytest.approx(1, abs=0.001)
    assert known.find_nearest([], torch.empty(0, 2)) == []


def test_the_same_drawing_on_another_ground_is_no_copy():
    """It is what the prompt asked for; grey levels would not tell orange from light blue."""
    known = KnownPhotos(torch.tensor([[1.0, 0]]), [draw_scene(10)])
    other = draw_scene(10, sky=(255, 170, 100))

    [found] = known.find_nearest([other], torch.tensor([[0.9, 0.43]]))

    assert other.convert("L").getpixel((0, 0)) == pytest.approx(
        draw_scene(10).convert("L").getpixel((0, 0)), abs=5
    )
    assert not found.copied
    assert found.ssim > 0.5


def test_a_copy_is_found_though_another_photo_has_closer_features():
    """All photos near enough are compared: the next one of the same subject may be nearer."""
    photos = [draw_scene(10), draw_scene(50, "black")]
    known = KnownPhotos(
        torch.nn.functional.normalize(torch.tensor([[1.0, 0.4], [1.0, 0.3]])), photos
    )
    features = torch.nn.functional.normalize(torch.tensor([[1.0, 0.2]]))

    [found] = known.find_nearest(photos[:1], features)

    assert found.copied
    assert found.photo == 0
