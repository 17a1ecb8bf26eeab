"""What `safelight compare` and `safelight sweep` print."""

from __future__ import annotations

import pytest

from bot.terminal.bar import Bar
from bot.terminal.comparison import comparison_lines
from bot.terminal.progress import EventPrinter

GRADES = {"score": 0.52, "spread": 0.03, "likeness": 0.6, "variety": 0.9, "copies": 0.0}


def tell(**verdict):
    """Return the last line of a comparison of two methods."""
    told = {"best": 0, "worse": [], "equal": [], "cheaper": ""} | verdict
    return {
        "kind": "compared", "labels": ["lora", "lokr"], "files": ["out/a", "out/b"],
        "grades": {"0": GRADES | {"obedience": None}, "1": GRADES | {"obedience": 0.5}},
        "costs": [{"seconds": 90.0, "bytes": 900_000}, {"seconds": 60.0, "bytes": 90_000}],
        "crossed": [{"trained": 0, "drawn": 1, "score": 0.4, "spread": 0.1}],
        "pictures": {"comparison.png": "out/comparison.png"}, "verdict": told,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("verdict", "said"),
    [
        ({"worse": [1]}, "lora is better than lokr."),
        ({"best": 1, "equal": [0], "cheaper": "faster"}, "take lokr, which trains faster."),
    ],
)
def test_verdict(verdict, said):
    """A row for each entry, what crossings scored, which to take, and what was written."""
    text = "\n".join(comparison_lines(tell(**verdict)))

    assert said in text
    for part in ("52 ±3", "lora drawn on the base of lokr: 40", "out/comparison.png"):
        assert part in text


def test_printed(capfd):
    """The table is the command's answer, and an entry that failed is told on the way."""
    printer = EventPrinter(Bar())
    printer.print_event(
        {"kind": "entry_failed", "entry": "lokr", "code": "no_photos", "name": "x"}
    )
    printer.print_event(tell(worse=[1]))

    out, err = capfd.readouterr()
    assert "lora is better than lokr." in out
    assert "lokr failed and is left out" in err


@pytest.mark.parametrize("better", [[], [1]])
def test_sweep_printed(capfd, better):
    """Rounds are told on the way; the answer is a table, which became the style, and its files.

    It says so where one of the shorter trainings is clearly better than what became the style.
    """
    labels, known = ["lr 0.001 rank 8", "lr 0.003 rank 8"], GRADES | {"obedience": None}
    grades = [known | {"beats": better}, known | {"beats": []}]
    printer = EventPrinter(Bar())
    printer.print_event({"kind": "round", "round": 1, "rounds": 2, "step": 60, "recipes": labels})
    printer.print_event({
        "kind": "swept", "labels": labels, "grades": grades, "steps": [60, 120], "winner": 1,
        "costs": [{"seconds": 90.0, "bytes": 900_000}] * 2, "file": "out/a.safetensors",
        "pictures": {"a-sweep.png": "out/a-sweep.png"},
    })  # fmt: skip

    out, err = capfd.readouterr()
    assert "Round 1 of 2, to step 60: lr 0.001 rank 8 and lr 0.003 rank 8" in err
    assert "lr 0.003 rank 8 came out best. Ended on the way: lr 0.001 rank 8 at step 60." in out
    assert "Written: out/a.safetensors, out/a-sweep.png" in out
    assert ("clearly lower than that of lr 0.001 rank 8 after fewer steps" in out) == bool(better)
