"""Verdicts in sentences."""

from __future__ import annotations

from bot.wording import verdicts
from bot.wording.verdicts import (
    draw_grid,
    explain_readiness,
    explain_verdict,
    name_findings,
    name_unchecked,
)
from storage.planning.readiness import Ground, Level, Light, Readiness
from storage.planning.verdicts import FINDINGS, LOOKS, SIDES, Finding, Verdict

FACTS = {
    "width": 300, "height": 200, "sides": ["top", "bottom"], "others": ["photo 2", "photo 3"],
    "best": "photo 2", "is_best": False, "words": ["SAMPLE"], "count": 2,
}  # fmt: skip


def test_every_finding_has_its_sentences():
    """Each finding has a name, a reason and advice, and each look a name."""
    assert {*FINDINGS} == {*verdicts.SHORT} == {*verdicts.WHY} == {*verdicts.ADVICE}
    assert ({*LOOKS}, {*SIDES}) == ({*verdicts.LOOKS}, {*verdicts.SIDES})
    for code in FINDINGS:
        assert "…" not in explain_verdict(Verdict((Finding(code, FACTS),), ()))


def test_one_sentence():
    """The worst finding is explained with advice, and the others are named behind it."""
    verdict = Verdict(tuple(Finding(code, FACTS) for code in ("tiny", "bars", "same_shot")), ())

    said = explain_verdict(verdict)

    assert said.startswith("It's small: 300")
    assert said.endswith("Also: plain bars, same shot as photos 2 and 3.")
    assert name_findings(verdict) == "small, plain bars, same shot as photos 2 and 3"


def test_nothing_is_silent():
    """A photo without findings is said to be fine, and what nobody looked at is named."""
    assert explain_verdict(Verdict((), ())) == verdicts.FINE
    assert name_unchecked(["text", "nudity"]) == "Not checked: text and watermarks and nudity."
    assert name_unchecked([]) == ""


def test_accepted():
    """A photo that is kept anyway is not warned of again."""
    verdict = Verdict((Finding("tiny", FACTS),), (), accepted=True)

    assert (explain_verdict(verdict), name_findings(verdict)) == (
        "You keep it anyway (small).",
        "",
    )


def test_best():
    """The best photo of a shot is not told to go."""
    best = Finding("same_shot", FACTS | {"is_best": True})

    verdict = Verdict((best,), ())
    assert verdicts.BEST in explain_verdict(verdict)
    assert name_findings(verdict) == ""


def test_readiness():
    """Each level and advice has its words, and the grid shows its holes."""
    grid = ((3, 0, 0), (0, 12, 0), (0, 0, 0))
    for level in Level:
        for advice in verdicts.NEXT:
            rated = Readiness(level, advice, 15, 2, 2, grid, 9.0)
            assert "…" not in explain_readiness(rated)

    head, *rows = draw_grid(rated)

    assert head.split() == [*Light]
    assert [row.count(verdicts.HOLE) for row in rows] == [2, 2, 3]
    assert ({*verdicts.GROUNDS}, {*verdicts.LIGHTS}, {*verdicts.LEVELS}) == (
        {*Ground},
        {*Light},
        {*Level},
    )
