"""Photos of a recipe are framed, repeated and varied."""

from __future__ import annotations

from storage.crops import FramedBy, Framing
from storage.variations import Variation
from tests.training.recipe.test_backgrounds import make_recipe
from training.recipe.preparation import PhotoFacts, prepare_photos
from training.recipe.recipe import Recipe

KEPT = Framing(0.25, 0.5, by=FramedBy.MEMBER)
FACTS = {
    "0.png": PhotoFacts(KEPT, 2, mirrors=True, digest="a"),
    "1.png": PhotoFacts(KEPT, 1, mirrors=False, digest="b"),
    "2.png": PhotoFacts(KEPT, 1, mirrors=True, digest="c"),
}


def test_photos_are_prepared() -> None:
    """Each showing has its framing; the header names what was chosen, and counts files."""
    recipe = prepare_photos(make_recipe(random_backgrounds=0, flip_aug=True), FACTS)

    assert [(photo.file, photo.variation) for photo in recipe.all_photos] == [
        ("0.png", None), ("0.png", Variation(mirrored=True)), ("1.png", None),
        ("2.png", None), ("2.png", Variation(mirrored=True)),
    ]  # fmt: skip
    assert {photo.framing for photo in recipe.all_photos} == {KEPT}
    assert [photo.repeats for photo in recipe.photos] == [2, 2, 1]
    header = recipe.public_json()
    assert (header["photos"], header["flip_aug"]) == (2, True)
    assert Recipe.from_json(recipe.to_json()) == recipe


def test_each_ground_has_variations_of_its_own() -> None:
    """A photo on several grounds is varied on each; without augmentation nothing is added."""
    varied = prepare_photos(make_recipe(rotate_aug=True), FACTS)
    plain = prepare_photos(make_recipe(), FACTS)

    angles = [photo.variation.angle for photo in varied.photos if photo.variation]
    assert len(set(angles)) == len(angles) == 3 * 5
    assert len(plain.photos) == 5
    assert "rotate_aug" not in plain.public_json()


def test_a_photo_of_two_concepts_names_both() -> None:
    """A picture that both concepts have is captioned with both triggers, the others with one."""
    facts = FACTS | {"2.png": FACTS["2.png"]._replace(digest="b")}

    recipe = prepare_photos(make_recipe(random_backgrounds=0), facts)

    assert [photo.caption for photo in recipe.all_photos] == [
        "a mydog, on a white background", "mycat, mydog, a dog", "mydog, a mycat",
    ]  # fmt: skip
