"""The pictures at a run's end: on four grounds, each the best of some candidates."""

from __future__ import annotations

from dataclasses import asdict, replace
from typing import TYPE_CHECKING

import pytest
import torch
from PIL import Image

from storage.events import ResultDrawn
from storage.planning.prompts import RESULT_GROUNDS
from storage.records import Concept, Dial
from storage.requests import TrainRequest
from training.families import Picture
from training.recipe.concepts import ConceptPhotos, SamplePrompt, TrainingPhoto
from training.run.best import CANDIDATES, choose_best, count_candidates
from training.run.defaults import complete_recipe
from training.run.loop import train
from training.run.previews import SAMPLING_STEPS, Previews, list_rounds
from training.run.timing import RunTimer
from training.styles.writer import read_tensors

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from storage.events import Event
    from storage.folders import JobFolder
    from training.bases.cache import BaseCache
    from training.recipe.recipe import Recipe

    Made = Callable[..., Recipe]
    Laid = Callable[..., JobFolder]

CAT = ConceptPhotos("mycat", Concept.SUBJECT, "cat", (TrainingPhoto("0.png", "mycat"),))


def test_prompts(bases: BaseCache) -> None:
    """Two prompts are drawn on the way and four after a long run; each further concept has one."""
    request = TrainRequest(
        "lora", "embedded", "dog", "mydog", Concept.SUBJECT, Dial.QUICK, 100, 2, 1e-2, 2, 7
    )
    base, photos = bases.find("embedded"), [("0.png", "")]
    one = complete_recipe(request, base, photos).prompts
    short = complete_recipe(replace(request, steps=99), base, photos).prompts
    two = complete_recipe(request, base, photos, other_concepts=(CAT,)).prompts

    assert [(each.seed, each.at_end) for each in one] == [
        (7, False), (8, False), (9, True), (10, True),
    ]  # fmt: skip
    assert all(
        f"{ground} background" in each.text
        for each, ground in zip(one, RESULT_GROUNDS, strict=True)
    )
    assert short == one[:2]
    assert [each.at_end for each in two] == [False] * 3
    assert "mycat" in two[-1].text


def test_own_prompts(bases: BaseCache) -> None:
    """A member's own prompts are drawn instead, the first two of them on the way, too."""
    request = TrainRequest(
        "lora", "embedded", "dog", "mydog", Concept.SUBJECT, Dial.QUICK, 100, 2, 1e-2, 2, 7,
        sample_prompts=("a", "b", "c"),
    )  # fmt: skip
    recipe = complete_recipe(request, bases.find("embedded"), [("0.png", "")])

    assert recipe.prompts == (
        SamplePrompt("a", 7), SamplePrompt("b", 8), SamplePrompt("c", 9, at_end=True),
    )  # fmt: skip
    assert TrainRequest.from_json(asdict(request)) == request


def test_where_it_pays(bases: BaseCache, make_recipe: Made) -> None:
    """Candidates are drawn on small bases, in long runs of one concept."""
    base, recipe = bases.find("embedded"), make_recipe(steps=100)

    assert count_candidates(recipe, base) == CANDIDATES
    assert count_candidates(replace(recipe, steps=10), base) == 1
    assert count_candidates(replace(recipe, other_concepts=(CAT,)), base) == 1
    assert count_candidates(recipe, replace(base, small=False)) == 1


def test_the_photo_itself_is_best(bases: BaseCache) -> None:
    """Among other pictures, the captioner finds the one that shows what the photos show."""
    photos = [Image.effect_mandelbrot((64, 64), (-2, -1.5, 1, 1.5), 20 + at) for at in range(3)]
    others = [Image.new("RGB", (64, 64), name) for name in ("red", "white", "blue")]

    assert choose_best([[*others, photos[1]], [photos[0], *others]], photos, bases) == [3, 0]


@pytest.mark.parametrize(
    ("begun", "rounds"),
    [(0, [47, 94, 141, 200]), (46, [94, 141, 200]), (70, [94, 141, 200]), (71, [141, 200]),
     (199, [200])],
)  # fmt: skip
def test_rounds_of_a_run_that_goes_on(make_recipe: Made, begun: int, rounds: list[int]) -> None:
    """Just after it goes on nothing is drawn, since that was just shown; its end always is."""
    recipe = make_recipe(steps=200, save_every=47)

    assert list_rounds(replace(recipe, continued_from=begun)) == rounds


@pytest.mark.slow(3)
def test_the_seed_draws_it_again(
    bases: BaseCache, make_recipe: Made, make_job_folder: Laid
) -> None:
    """Of the candidates the best is kept, and its own seed is told."""
    prompt = SamplePrompt("a cat emoji, on a white background", 5)
    folder = make_job_folder(make_recipe(steps=100, prompts=(prompt,)))
    with bases.borrow("embedded") as family:
        recipe = make_recipe(steps=100, prompts=(prompt,))
        previews = Previews(folder, recipe, family, bases, RunTimer())
        (drawn,) = previews.draw_result(100, torch.no_grad)
        (seed,) = drawn.seeds
        pictures = [Picture(prompt.text, "", 5 + at, SAMPLING_STEPS, 32, 32) for at in range(3)]
        tries = [family.sample_image(picture) for picture in pictures]
        (best,) = choose_best([tries], previews.crop_photos(), bases)
    kept = torch.frombuffer(
        bytearray(Image.open(previews.first_path(100)).tobytes()), dtype=torch.uint8
    )
    expected = torch.frombuffer(bytearray(tries[best].tobytes()), dtype=torch.uint8)

    assert isinstance(drawn, ResultDrawn)
    assert (drawn.candidates, drawn.prompts) == (CANDIDATES, (prompt.text,))
    assert seed == 5 + best
    assert (kept.int() - expected.int()).abs().max() <= 2  # of a batch, and alone


def test_pictures_change_no_weight(
    bases: BaseCache,
    make_recipe: Made,
    make_job_folder: Laid,
    run_task: Callable[[Iterator[Event]], list[Event]],
) -> None:
    """A training with pictures ends in the tensors of one without any."""
    tensors = []
    for name, prompts in ("plain", ()), ("shown", (SamplePrompt("a cat", 5),)):
        folder = make_job_folder(make_recipe(steps=2, prompts=prompts), name)
        run_task(train(folder, bases))
        tensors.append(read_tensors(folder.result / "mydog.safetensors"))

    assert all(torch.equal(tensors[0][key], tensors[1][key]) for key in tensors[0] | tensors[1])
