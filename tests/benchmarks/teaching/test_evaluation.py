"""Every method there is gets its lessons, and every figure its row."""

from __future__ import annotations

import pytest
from PIL import Image

from benchmarks.teaching.evaluation import Evaluation
from benchmarks.teaching.subject import KNOWN, Subject
from benchmarks.teaching.topic import MEDIAN_RANK, RANKED_FIRST
from storage.records import Concept
from training import methods


@pytest.fixture
def panda(critic, studio):
    """Prepare a subject of which the studio has copies."""
    return studio.copy(Subject(critic, studio.sample, "panda", "octopus"))


@pytest.fixture(scope="module")
def out(tmp_path_factory):
    """Return the folder that pictures are kept in."""
    return tmp_path_factory.mktemp("school")


@pytest.fixture(scope="module")
def told(critic, full, out):
    """Report on it, once."""
    panda = full.copy(Subject(critic, full.sample, "panda", "octopus"))
    school = Evaluation(full, critic, seeds=2, out=out)
    return {row.what.removeprefix(f"{panda.title}, "): row for row in school.evaluate_topic(panda)}


def test_every_method_is_found(told, full):
    """Methods are those in the folder; each is taught once with each seed."""
    assert [(each.method, each.seed) for each in full.lessons] == [
        (method, seed) for method in methods.walk() for seed in (0, 1)
    ]
    for method in methods.walk():
        for figure in (MEDIAN_RANK, RANKED_FIRST, KNOWN, "seconds", "bytes of the file"):
            assert f"{method}: {figure}" in told


def test_bars_are_asked(told):
    """Twelve of twelve meet theirs, and so do seconds; known prompts that are lost miss it."""
    assert told[f"lora: {RANKED_FIRST}"].met is True
    assert told[f"embedding: {MEDIAN_RANK}"].met is True
    assert told["lora: seconds"].met is True
    assert told[f"lora: {KNOWN}"].met is False
    assert told[f"lora: {MEDIAN_RANK}"].met is None


def test_a_figure_has_its_seeds_and_its_control(told):
    """Beside the median stand what each seed gave and what the control did."""
    assert told[f"lora: {RANKED_FIRST}"].figure == "12 (seeds: 12, 12; control: 0)"
    assert told["lora: seconds"].figure == "51 s (200 steps, 7.5 a second)"
    assert told["lora: bytes of the file"].figure == "4096"


def test_ceilings_and_the_base_are_told(told):
    """Real pictures, those through the autoencoder and the base's are graded, too."""
    assert told[f"real: {RANKED_FIRST}"].figure == "12 (control: 0)"
    assert told[f"through the autoencoder: {MEDIAN_RANK}"].figure.startswith("1 (")
    assert told[f"the base: {RANKED_FIRST}"].figure.startswith("0 (")
    assert told[f"the base: {KNOWN}"].met is None


def test_rows_come_before_the_lessons(critic, studio, panda):
    """What is known is told before anything is taught, so that a long run shows how it goes."""
    rows = Evaluation(studio, critic, seeds=1).evaluate_topic(panda)

    assert "real" in next(rows).what
    assert studio.lessons == []


def test_the_pictures_are_kept(told, out):
    """A contact sheet has a row for the real ones, the base's, and each method's seeds."""
    assert told
    with Image.open(out / "panda.png") as sheet:
        assert sheet.height == (3 + 2 * len(methods.walk())) * 82


def test_a_look_may_change_what_is_known(critic, studio):
    """Known prompts are asked of subjects only."""
    topic = Subject(critic, studio.sample, "guitar", "panda")
    topic.concept = Concept.LOOK

    rows = list(Evaluation(studio, critic, seeds=1).evaluate_topic(topic))

    assert not [row for row in rows if KNOWN in row.what]
