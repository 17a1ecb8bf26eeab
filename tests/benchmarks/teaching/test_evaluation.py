"""Every method is trained and graded, and every figure has a row."""

from __future__ import annotations

import pytest
from PIL import Image

from benchmarks.teaching.evaluation import Evaluation
from benchmarks.teaching.subject import KNOWN, Subject
from benchmarks.teaching.topic import MEDIAN_RANK, RANKED_FIRST
from storage.records import Concept
from training import methods


@pytest.fixture
def panda(frozen_judge, style_runner):
    """Return a subject whose real pictures the runner returns."""
    return style_runner.add_copies(Subject(frozen_judge, style_runner.sample, "panda", "octopus"))


@pytest.fixture(scope="module")
def out(tmp_path_factory):
    """Return the folder for contact sheets."""
    return tmp_path_factory.mktemp("evaluation")


@pytest.fixture(scope="module")
def printed_rows(frozen_judge, shared_runner, out):
    """Evaluate the subject once and return its rows by name."""
    panda = shared_runner.add_copies(
        Subject(frozen_judge, shared_runner.sample, "panda", "octopus")
    )
    evaluation = Evaluation(shared_runner, frozen_judge, seeds=2, out=out)
    return {
        row.what.removeprefix(f"{panda.title}, "): row for row in evaluation.evaluate_topic(panda)
    }


def test_every_method_is_found(printed_rows, shared_runner):
    """Every method in the folder is trained once with each seed."""
    assert [(each.method, each.seed) for each in shared_runner.trainings] == [
        (method, seed) for method in methods.walk() for seed in (0, 1)
    ]
    for method in methods.walk():
        for figure in (MEDIAN_RANK, RANKED_FIRST, KNOWN, "seconds", "bytes of the file"):
            assert f"{method}: {figure}" in printed_rows


def test_bars(printed_rows):
    """Twelve first ranks and the seconds meet their bars; forgotten prompts miss theirs."""
    assert printed_rows[f"lora: {RANKED_FIRST}"].met is True
    assert printed_rows[f"embedding: {MEDIAN_RANK}"].met is True
    assert printed_rows["lora: seconds"].met is True
    assert printed_rows[f"lora: {KNOWN}"].met is False
    assert printed_rows[f"lora: {MEDIAN_RANK}"].met is None


def test_a_figure_has_its_seeds_and_its_control(printed_rows):
    """Beside the median stand what each seed gave and what the control did."""
    assert printed_rows[f"lora: {RANKED_FIRST}"].figure == "12 (seeds: 12, 12; control: 0)"
    assert printed_rows["lora: seconds"].figure == "51 s (200 steps, 7.5 a second)"
    assert printed_rows["lora: bytes of the file"].figure == "4096"


def test_ceilings_and_the_base_are_graded(printed_rows):
    """Real pictures, reconstructed ones and the base's are graded, too."""
    assert printed_rows[f"real: {RANKED_FIRST}"].figure == "12 (control: 0)"
    assert printed_rows[f"through the autoencoder: {MEDIAN_RANK}"].figure.startswith("1 (")
    assert printed_rows[f"the base: {RANKED_FIRST}"].figure.startswith("0 (")
    assert printed_rows[f"the base: {KNOWN}"].met is None


def test_rows_come_before_training(frozen_judge, style_runner, panda):
    """The base's rows come before any training, so that a long run shows progress."""
    rows = Evaluation(style_runner, frozen_judge, seeds=1).evaluate_topic(panda)

    assert "real" in next(rows).what
    assert style_runner.trainings == []


def test_the_contact_sheet(printed_rows, out):
    """A contact sheet has rows for the real, reconstructed and base pictures and each training."""
    assert printed_rows
    with Image.open(out / "panda.png") as sheet:
        assert sheet.height == (3 + 2 * len(methods.walk())) * 82


def test_a_look_may_change_what_is_known(frozen_judge, style_runner):
    """Known prompts are graded for subjects only."""
    topic = Subject(frozen_judge, style_runner.sample, "guitar", "panda")
    topic.concept = Concept.LOOK

    rows = list(Evaluation(style_runner, frozen_judge, seeds=1).evaluate_topic(topic))

    assert not [row for row in rows if KNOWN in row.what]
