"""Prior preservation: class pictures are the base's own, drawn once, and they are learnt."""

from __future__ import annotations

from dataclasses import replace

import pytest

from storage.errors import JobError
from storage.records import Concept, Wish
from training.families import Picture
from training.run.loop import train
from training.styles.writer import tensors

MORE = {"concept": Concept.SUBJECT, "prior": 3}


@pytest.fixture
def lay(recipe, laid):
    """Lay out jobs by what is special about their recipe."""
    return lambda **more: laid(recipe(**more))


def drawn(folder):
    """Read the class pictures."""
    return {file.name: file.read_bytes() for file in sorted(folder.classes.iterdir())}


def test_they_are_the_bases_own(bases, recipe, laid, run):
    """Pictures of the class word, each from a seed of its own, drawn before anything is learnt."""
    asked = recipe(**MORE, rate=0.1, steps=2)
    first, second = laid(asked, "first"), laid(replace(asked, rate=0.01), "second")

    events = run(train(first, bases))
    run(train(second, bases))

    assert events[1].facts == {"code": "prior_drawn", "pictures": 3}
    assert asked.ordinary == "a dog emoji"
    assert drawn(first) == drawn(second)
    assert len(set(drawn(first).values())) == 3


@pytest.mark.parametrize("text", [False, True])
def test_they_are_learnt(bases, recipe, laid, run, text):
    """They change what comes out, and the more they count the more."""
    asked = recipe(text=text, steps=3, concept=Concept.SUBJECT)
    folders = [
        laid(replace(asked, **more), str(at))
        for at, more in enumerate(({}, {"prior": 3}, {"prior": 3, "keep": 3.0}))
    ]

    for folder in folders:
        run(train(folder, bases))

    files = [tensors(folder.result / "mydog.safetensors") for folder in folders]
    for one, other in ((0, 1), (1, 2)):
        assert any((files[one][key] != files[other][key]).any() for key in files[0])


def test_a_killed_training_goes_on_with_them(bases, recipe, laid, run):
    """Killed while they are drawn, it draws the rest, and ends in an undisturbed one's bytes."""
    asked = recipe("dreambooth", rank=0, **MORE)
    plain, disturbed = laid(asked, "plain"), laid(asked, "disturbed")
    run(train(plain, bases))

    task = train(disturbed, bases)
    while len(list(disturbed.classes.glob("*.png"))) < 2:
        next(task)
    task.close()
    begun = drawn(disturbed)
    events = run(train(disturbed, bases))

    assert events[1].facts["pictures"] == 1
    assert begun.items() < drawn(disturbed).items()
    assert drawn(plain) == drawn(disturbed)
    names = [folder.result / "mydog.safetensors" for folder in (plain, disturbed)]
    assert names[0].read_bytes() == names[1].read_bytes()


@pytest.mark.parametrize(
    ("wish", "kinds"),
    [
        (Wish.CANCEL, ["cancelled"]),
        (Wish.PAUSE, ["checkpoint", "paused"]),
        (Wish.FINISH, ["checkpoint", "done"]),
    ],
)
def test_wishes_are_heard_between_them(bases, run, lay, wish, kinds):
    """Nobody waits for the last picture."""
    folder = lay(**MORE)
    task = train(folder, bases)
    while next(task).kind != "step":
        pass

    events = [task.send(wish), *run(task)]

    assert [event.kind for event in events] == kinds
    assert len(list(folder.classes.glob("*.png"))) == 0


def test_a_class_is_needed(recipe):
    """Without a word for what the photos show there is nothing to draw."""
    with pytest.raises(JobError, match="word_missing"):
        replace(recipe(**MORE), word=" ")


def test_the_picture_is_the_bare_bases(bases, recipe, laid, run):
    """A class picture is what `/sample` would draw from its prompt and seed."""
    from training.run.examples import drawn as seeded  # noqa: PLC0415

    folder = laid(recipe(**MORE, steps=1))
    run(train(folder, bases))
    seed = seeded(7, 1, "class").initial_seed()
    with bases.family("embedded") as family:
        alone = family.draw(Picture("a dog emoji", "", seed, 20, 64, 64))
    alone.save(folder.path / "alone.png")

    assert (folder.path / "alone.png").read_bytes() == drawn(folder)["0001.png"]
