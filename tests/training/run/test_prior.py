"""Prior preservation: class pictures are the base's own, sampled once, and trained on."""

from __future__ import annotations

from dataclasses import replace

import pytest
from PIL import Image

from storage.errors import JobError
from storage.events import Note
from storage.records import Concept, JobCommand
from training.families import Picture
from training.pictures import write_picture
from training.run.examples import step_generator
from training.run.loop import train
from training.run.prior import ClassImages
from training.styles.writer import read_tensors

pytestmark = pytest.mark.slow(2)

MORE = {"concept": Concept.SUBJECT, "num_class_images": 2}


@pytest.fixture
def write_job(make_recipe, make_job_folder):
    """Return a function that writes jobs with some recipe options."""
    return lambda **more: make_job_folder(make_recipe(**more))


def read_class_pictures(folder):
    """Return the class pictures."""
    return {file.name: file.read_bytes() for file in sorted(folder.class_images.iterdir())}


def test_they_are_the_bases_own(bases, make_recipe, make_job_folder, run_task):
    """Class pictures are sampled before training, as `/sample` draws from their own seeds."""
    asked = make_recipe(**MORE, learning_rate=0.1, steps=1)
    first, second = (
        make_job_folder(asked, "first"),
        make_job_folder(replace(asked, learning_rate=0.01), "second"),
    )

    events = run_task(train(first, bases))
    run_task(train(second, bases))

    assert events[1] == Note("prior_drawn", {"pictures": 2})
    assert asked.class_prompt == "a dog emoji"
    assert read_class_pictures(first) == read_class_pictures(second)
    assert len(set(read_class_pictures(first).values())) == 2
    seed = step_generator(7, 1, "class").initial_seed()
    with bases.borrow("embedded") as family:
        alone = family.sample_image(Picture("a dog emoji", "", seed, 20, 32, 32))
    write_picture(first.path / "alone.png", alone)
    assert (first.path / "alone.png").read_bytes() == read_class_pictures(first)["0001.png"]


@pytest.mark.parametrize("text", [False, True])
def test_they_are_learnt(bases, make_recipe, make_job_folder, run_task, text):
    """They change the result, more with a larger weight."""
    asked = make_recipe(train_text_encoder=text, steps=2, concept=Concept.SUBJECT)
    folders = [
        make_job_folder(replace(asked, **more), str(at))
        for at, more in enumerate(
            ({}, {"num_class_images": 1}, {"num_class_images": 1, "prior_loss_weight": 3.0})
        )
    ]

    for folder in folders:
        run_task(train(folder, bases))

    files = [read_tensors(folder.result / "mydog.safetensors") for folder in folders]
    for one, other in ((0, 1), (1, 2)):
        assert any((files[one][key] != files[other][key]).any() for key in files[0])


def test_a_killed_training_goes_on_with_them(bases, make_recipe, make_job_folder, run_task):
    """Killed while sampling them, a run samples the rest and ends in the same bytes."""
    asked = make_recipe("dreambooth", rank=0, steps=2, **MORE)
    plain, disturbed = make_job_folder(asked, "plain"), make_job_folder(asked, "disturbed")
    run_task(train(plain, bases))

    task = train(disturbed, bases)
    while not list(disturbed.class_images.glob("*.png")):
        next(task)
    task.close()
    begun = read_class_pictures(disturbed)
    events = run_task(train(disturbed, bases))

    assert events[1].facts["pictures"] == 1
    assert begun.items() < read_class_pictures(disturbed).items()
    assert read_class_pictures(plain) == read_class_pictures(disturbed)
    names = [folder.result / "mydog.safetensors" for folder in (plain, disturbed)]
    assert names[0].read_bytes() == names[1].read_bytes()


@pytest.mark.parametrize(
    ("command", "kinds"),
    [
        (JobCommand.CANCEL, ["cancelled"]),
        (JobCommand.PAUSE, ["checkpoint", "paused"]),
        (JobCommand.FINISH, ["checkpoint", "done"]),
    ],
)
def test_commands_are_heard_between_them(bases, run_task, write_job, command, kinds):
    """Commands are handled between class pictures."""
    folder = write_job(**MORE)
    task = train(folder, bases)
    while next(task).kind != "step":
        pass

    events = [task.send(command), *run_task(task)]

    assert [event.kind for event in events] == kinds
    assert len(list(folder.class_images.glob("*.png"))) == 0


def test_a_class_is_needed(make_recipe):
    """Without a class word the job is refused."""
    with pytest.raises(JobError, match="word_missing"):
        replace(make_recipe(**MORE), class_word=" ")


@pytest.mark.parametrize("drawn", [0, 1])
def test_photos_of_the_class_come_before_drawn_ones(bases, make_recipe, make_job_folder, drawn):
    """They are there with none drawn, too; at every resolution each is its own example."""
    asked = make_recipe(concept=Concept.SUBJECT, extra_resolutions=(24,), num_class_images=drawn)
    photos = tuple(replace(photo, caption="a dog, asleep") for photo in asked.photos[:2])
    asked = replace(asked, class_photos=photos)
    images = ClassImages(make_job_folder(asked), asked)
    images.folder.mkdir(parents=True)
    Image.new("RGB", (64, 64), "red").save(images.folder / "0000.png")
    with bases.borrow("embedded") as family:
        images.encode(family, bases.device, learns=False)

    found = sorted((each.photo, each.latent.shape[-1]) for each in images.batches.examples)
    assert found == [(photo, side) for photo in range(2 + drawn) for side in (6, 8)]
