"""The picture of a loss curve."""

from __future__ import annotations

import math
from collections.abc import Sequence

from PIL import Image, ImageDraw, ImageFont

WIDTH, HEIGHT, EDGE, SCALE = 640, 240, 14, 2
GROUND, GRID, RAW, LINE, INK = "#1e1f22", "#313338", "#5a3b34", "#e8603c", "#b5bac1"
SMOOTHING = 0.95


def smooth(losses: Sequence[float], memory: float = SMOOTHING) -> list[float]:
    """Return the exponential moving averages of losses, with bias correction as in Adam."""
    found, mean = [], 0.0
    for count, loss in enumerate(losses, 1):
        mean = memory * mean + (1 - memory) * loss
        found.append(mean / (1 - memory**count))
    return found


def draw_curve(losses: Sequence[float], steps: int) -> Image.Image:
    """Draw the losses so far and their average on an axis of all the steps of a run."""
    picture = Image.new("RGB", (WIDTH * SCALE, HEIGHT * SCALE), GROUND)
    pen = ImageDraw.Draw(picture)
    mean = smooth(losses)
    top = max(sorted(losses)[int(0.98 * (len(losses) - 1))], *mean) * 1.05 if losses else 1.0
    for part in range(1, 4):
        y = HEIGHT * SCALE * part / 4
        pen.line([(0, y), (WIDTH * SCALE, y)], GRID, SCALE)
    for values, colour, width in ((losses, RAW, 1), (mean, LINE, 3)):
        points = [to_pixels(at, value / (top or 1), steps) for at, value in enumerate(values)]
        if len(points) > 1:
            pen.line(points, colour, width * SCALE, joint="curve")
    font = ImageFont.load_default(14 * SCALE)
    last = f"{mean[-1]:.3f}" if mean else "-"
    text = f"loss {last}   step {len(losses)} of {steps}"
    pen.text(((WIDTH - EDGE) * SCALE, EDGE * SCALE), text, INK, font, anchor="ra")
    return picture.resize((WIDTH, HEIGHT), Image.Resampling.LANCZOS)


def draw_sweep(
    rates: Sequence[float], losses: Sequence[float], usual: float, found: float
) -> Image.Image:
    """Draw a sweep's losses over learning rates, which grow by a factor, with the usual rate.

    A rate that was `found`, if any, has a line, too; the losses' scale begins at their least.
    """
    picture = Image.new("RGB", (WIDTH * SCALE, HEIGHT * SCALE), GROUND)
    pen, font = ImageDraw.Draw(picture), ImageFont.load_default(14 * SCALE)
    least, top = min(losses), losses[0] * 1.1
    last = math.log(rates[-1] / rates[0]) or 1.0
    for rate, name, colour, below in ((usual, "usual", GRID, 0), (found, "found", INK, 18)):
        if rates[0] <= rate <= rates[-1]:
            x, _ = to_pixels(0, 0, 1)
            x += (WIDTH - 2 * EDGE) * SCALE * math.log(rate / rates[0]) / last
            pen.line([(x, 0), (x, HEIGHT * SCALE)], colour, SCALE)
            left = x > WIDTH * SCALE / 2
            at = (x - 6 * SCALE if left else x + 6 * SCALE, (EDGE + below) * SCALE)
            pen.text(at, f"{name} {rate:.2g}", INK, font, anchor="ra" if left else "la")
    points = [
        to_pixels(at, (loss - least) / ((top - least) or 1), len(losses))
        for at, loss in enumerate(losses)
    ]
    if len(points) > 1:
        pen.line(points, LINE, 3 * SCALE, joint="curve")
    for side, rate, anchor in ((EDGE, rates[0], "ld"), (WIDTH - EDGE, rates[-1], "rd")):
        pen.text((side * SCALE, (HEIGHT - 4) * SCALE), f"{rate:.1g}", INK, font, anchor=anchor)
    return picture.resize((WIDTH, HEIGHT), Image.Resampling.LANCZOS)


def recent_mean(losses: Sequence[float]) -> float:
    """Return the mean of the latest losses."""
    latest = losses[-math.ceil(2 / (1 - SMOOTHING)) :]
    return sum(latest) / len(latest)


def to_pixels(step: int, value: float, steps: int) -> tuple[float, float]:
    """Return where a value from 0 to 1 at a step lies on the canvas, in pixels."""
    across, down = WIDTH - 2 * EDGE, HEIGHT - 2 * EDGE
    x = EDGE + across * step / max(1, steps - 1)
    return x * SCALE, (EDGE + down * (1 - min(value, 1.0))) * SCALE
