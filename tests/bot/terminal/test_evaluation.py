"""What `safelight evaluate` prints, and the report card beside it."""

from __future__ import annotations

import pytest
from PIL import Image

from bot import wording
from bot.terminal.evaluation import evaluation_lines
from storage.planning.grades import find_nearest


@pytest.fixture
def event(tmp_path):
    """Return an evaluation of a style that repeats a photo."""
    pictures = []
    for at, colour in enumerate(("red", "green", "blue")):
        for name in (f"{at:03}.png", f"photo-{at:03}.png"):
            Image.new("RGB", (64, 64), colour).save(tmp_path / name)
        pictures.append({
            "file": f"{at:03}.png", "prompt": f"a sks, on {colour}", "photo": at,
            "photo_file": f"photo-{at:03}.png", "cosine": 0.7, "ssim": 0.5, "copied": at == 1,
        })  # fmt: skip
    grades = {"likeness": 0.9, "obedience": None, "variety": 0.5, "copies": 0.3, "forgetting": 0.1}
    return {
        "kind": "evaluated", "file": str(tmp_path / "report.json"), "folder": str(tmp_path),
        "style": "mydog", "base": "Safelight emoji", "seconds": 20.1, "pictures": pictures,
        "score": {"mean": 0.125, "spread": 0.02, "seeds": 3}, "grades": grades, "leak": 0.3,
        "bindings": {"trigger": 0.8, "trigger_and_class": 0.9, "neither": 0.3, "base": 0.0},
        "computed_by": dict.fromkeys(grades, "EfficientNet-Lite2"),
    }  # fmt: skip


def test_each_number_is_named_after_what_computed_it(event):
    """What was not measured says so, a leak and the copy are named, and the card is there."""
    lines = [*evaluation_lines(event)]

    said = "\n".join(lines)
    assert "12 ± 2 of 100" in said
    assert all(name in said for name in wording.evaluation.NAMES.values())
    assert said.count("EfficientNet-Lite2") >= 4
    assert wording.evaluation.OBEDIENCE_UNKNOWN in said
    assert "001.png" in said
    assert wording.evaluation.COPIED in said
    assert "by 30 of 100" in said
    with Image.open(event["file"].replace(".json", ".png")) as card:
        assert card.width == 1000


def test_a_copy_comes_before_what_is_only_near(event):
    """Of those, the nearest."""
    event["pictures"][2] |= {"cosine": 0.99, "ssim": 0.7}

    assert find_nearest(event["pictures"])["file"] == "001.png"
    event["pictures"][1]["copied"] = False
    assert find_nearest(event["pictures"])["file"] == "002.png"
