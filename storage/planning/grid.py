"""Lay out a grid of pictures: a style's checkpoints by strengths, or prompts by styles."""

from __future__ import annotations

from collections.abc import Sequence

from storage.errors import SafelightError
from storage.requests import GridCell

STRENGTHS = (0.4, 0.6, 0.8, 1.0, 1.2, 1.4)  #: columns, unless others are given
MAX_ROWS, MAX_COLUMNS = 5, 6
MAX_NAME_CHARS = 10  #: of a style below a picture


def lay_out_grid(
    names: Sequence[str], prompts: Sequence[str], strengths: Sequence[float] = STRENGTHS
) -> tuple[int, tuple[GridCell, ...]]:
    """Return the columns of a grid and its cells, row after row.

    With one prompt each style by its name is a row and each strength a column; with several
    prompts each of those is a row, and each style a column.
    """
    names = [
        name if len(name) <= MAX_NAME_CHARS else f"{name[: MAX_NAME_CHARS - 1]}…" for name in names
    ]
    if len(prompts) == 1:
        cells = [
            GridCell(style, each, prompts[0], f"{name} · {float(each)}".removeprefix(" · "))
            for style, name in enumerate(names)
            for each in strengths
        ]
        return len(strengths), tuple(cells)
    cells = [
        GridCell(style, 1.0, prompt, f"{row} · {name}")
        for row, prompt in enumerate(prompts, 1)
        for style, name in enumerate(names)
    ]
    return len(names), tuple(cells)


def check_grid(rows: int, columns: int, error: type[SafelightError]) -> None:
    """Raise `error` for a grid with too many pictures."""
    if rows > MAX_ROWS or columns > MAX_COLUMNS:
        raise error(
            "grid_large", rows=rows, columns=columns, most_rows=MAX_ROWS, most_columns=MAX_COLUMNS
        )
