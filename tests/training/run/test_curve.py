"""The loss curve."""

from __future__ import annotations

import pytest

from training.run.curve import draw_curve, smooth


@pytest.mark.parametrize("losses", [[], [0.3], [0.3, 0.2, 5.0], [0.0] * 40])
def test_curve(losses: list[float]) -> None:
    """A picture can be drawn at any moment of a run, also for unusual losses."""
    assert draw_curve(losses, 40).size == (640, 240)


def test_drawn() -> None:
    """A falling loss is a falling line."""
    picture = draw_curve([1 - at / 100 for at in range(100)], 100)

    heights = []
    for x in (100, 600):
        column = [picture.getpixel((x, y)) for y in range(240)]
        heights.append([y for y, (r, _, b) in enumerate(column) if r > 200 and b < 100])  # type: ignore[misc]

    assert min(heights[0]) < min(heights[1])


def test_smoothed() -> None:
    """The average starts at the first loss and ends near the latest."""
    mean = smooth([2.0] * 5 + [1.0] * 200)

    assert mean[0] == pytest.approx(2)
    assert mean[-1] == pytest.approx(1, abs=0.01)
