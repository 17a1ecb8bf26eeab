"""A style is drawn with and without its trigger, and graded beside its photos."""

from __future__ import annotations

import json
from dataclasses import asdict

import pytest
import torch
from PIL import Image

from storage.records import Base, Concept
from storage.requests import GradeRequest
from training.cli.commands import parse
from training.cli.evaluate import finish, write_report
from training.embedded import known_words
from training.evaluate import SEEDS, Case, Judges, evaluate
from training.grade import Graded
from training.judge.binding import measure_shift
from training.judge.prompts import list_prompts, name_bindings
from training.judge.style_judge import Drawn

BASE = Base("embedded", "Emoji", "sd1", "", 64, "", "", present=True)


class ByColour:
    """Describes a picture by its colour, as a network would by its features."""

    def extract(self, pictures):
        """Return a feature for each channel (N, 3), each row of length 1."""
        rows = [[level + 1.0 for level in each.getpixel((0, 0))] for each in pictures]
        return torch.nn.functional.normalize(torch.tensor(rows).reshape(-1, 3), dim=1)


class Painter:
    """Draws red for the trigger, and for other prompts too if the style leaks; else blue."""

    def __init__(self, *, leaks):
        self.leaks = leaks

    def draw(self, prompts, seeds=SEEDS, *, bare=False):
        """Draw pictures in one colour."""
        yield len(prompts) * seeds
        return [
            Drawn(Image.new("RGB", (64, 64), self.colour(prompt, bare=bare)), prompt, seed)
            for prompt in prompts
            for seed in range(seeds)
        ]

    def colour(self, prompt, *, bare):
        """Return the colour of a prompt's picture."""
        return "red" if not bare and (self.leaks or "sks" in prompt) else "blue"


def grade(*, leaks, captions=()):
    """Return the report on a style that was taught with reds."""
    photos = [Image.new("RGB", (64, 64), colour) for colour in ("red", "firebrick")]
    case = Case(photos, "sks", Concept.SUBJECT, "bear", 4, small=True, captions=captions)
    return finish(evaluate(Painter(leaks=leaks), case, Judges(ByColour())))


def test_what_a_style_does_without_its_trigger_is_told():
    """A style that draws its subject for everything leaks, and has forgotten the rest."""
    good, leaking = grade(leaks=False), grade(leaks=True)

    bound = asdict(good.bindings)
    assert bound == pytest.approx({"trigger": 1, "trigger_and_class": 1, "neither": 0, "base": 0})
    assert (good.bindings.leak, good.judgement.grades.forgetting) == pytest.approx(
        (0, 0), abs=1e-4
    )
    assert leaking.bindings.leak == pytest.approx(1)
    assert leaking.judgement.grades.forgetting == 1
    assert len(good.drawn) == 4 * SEEDS


def test_what_a_caption_says_may_be_asked_for():
    """A photo that its caption's words call is no copy; without captions each one is."""
    asked = Case([], "sks", Concept.SUBJECT, "bear", 4, small=True).list_prompts()[0]

    copies = [
        grade(leaks=False, captions=each).judgement.grades.copies
        for each in ((), (asked, "sks bear"))
    ]

    assert copies == [1, 0.75]


def test_the_report_has_the_fields_of_pefts_benchmark(tmp_path):
    """And ours; the pictures and the photo nearest to each lie beside it."""
    style = tmp_path / "sks.safetensors"
    out = tmp_path / "out" / "report.json"
    line = ["evaluate", str(style), "--photos", str(tmp_path), "--json", str(out)]
    _, given = parse(line)

    request = GradeRequest("sks", "embedded", Concept.SUBJECT)
    graded = Graded(request, grade(leaks=False), BASE, 7, 12.0)

    told = write_report(given, graded)

    written = json.loads(given.json.read_text("utf-8"))
    (metrics,) = written["train_info"]["metrics"]
    assert written["run_info"]["experiment_name"] == "sks"
    assert written["train_info"]["file_size"] == 7
    assert metrics["test efficientnet_lite2_similarity"] == pytest.approx(0.99, abs=0.02)
    assert metrics["drift"] == pytest.approx(0, abs=1e-4)
    assert written["safelight"]["score"] == {**told["score"], "values": [0.0] * 3}
    for each in told["pictures"]:
        assert (tmp_path / "out" / "report" / each["file"]).exists()
        assert (tmp_path / "out" / "report" / each["photo_file"]).exists()
    again = write_report(given, graded)
    assert again["file"] == str(out.with_name("report-2.json"))


def test_as_many_pictures_are_drawn_as_are_announced():
    """So that a card can say how far a report is."""
    for concept in Concept:
        for word in ("", "bear"):
            case = Case([Image.new("RGB", (64, 64), "red")] * 2, "sks", concept, word, 3, True)
            task = evaluate(Painter(leaks=False), case, Judges(ByColour()))

            assert sum(task) == case.count_pictures()


def test_the_strength_of_a_look_is_the_way_to_the_photos():
    """0 is where the base draws, 1 where the photos are, and half of the way is .5."""
    base, photos = torch.tensor([[1.0, 0.0]]), torch.tensor([[0.0, 1.0]])
    half = torch.tensor([[0.5, 0.5]])

    shifts = [measure_shift(base, each, photos) for each in (base, half, photos)]

    assert shifts == pytest.approx([0, 0.5, 1])


@pytest.mark.parametrize("word", ["dog", "backpack", ""])
def test_there_are_25_prompts_of_a_kind(word):
    """All differ, and all have the trigger."""
    for concept in Concept:
        prompts = list_prompts("sks", concept, word, small=False)

        assert len({*prompts}) == 25
        assert all("sks" in each for each in prompts)


def test_a_small_base_is_asked_for_a_thing_that_it_knows():
    """It takes a word it does not know for any other, so the trigger would seem to leak."""
    named = name_bindings("sks", Concept.SUBJECT, "", small=True)
    (word,) = {*named["neither"].split()} - {*named["trigger"].split()}

    assert word in known_words()
    assert "bear" in name_bindings("sks", Concept.SUBJECT, "bear", small=True)["neither"]
