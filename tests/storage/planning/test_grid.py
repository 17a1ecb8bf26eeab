"""Grids of pictures."""

from __future__ import annotations

import pytest

from storage.errors import UserError
from storage.planning.grid import MAX_COLUMNS, MAX_NAME_CHARS, check_grid, lay_out_grid
from storage.requests import GridCell


def test_one_prompt() -> None:
    """Styles are rows and strengths columns; a style without a name has its strength alone."""
    columns, cells = lay_out_grid(["25", ""], ["a dog"], (0.5, 1.0))

    assert columns == 2
    assert cells == (
        GridCell(0, 0.5, "a dog", "25 · 0.5"), GridCell(0, 1.0, "a dog", "25 · 1.0"),
        GridCell(1, 0.5, "a dog", "0.5"), GridCell(1, 1.0, "a dog", "1.0"),
    )  # fmt: skip


def test_several_prompts() -> None:
    """Prompts are rows and styles columns; long names are cut."""
    columns, cells = lay_out_grid(["dog", "x" * 40], ["a", "b"])

    assert columns == 2
    assert [(each.style, each.prompt) for each in cells] == [
        (0, "a"),
        (1, "a"),
        (0, "b"),
        (1, "b"),
    ]
    assert cells[2].label == "2 · dog"
    assert len(cells[3].label) == MAX_NAME_CHARS + 4


def test_large() -> None:
    """More pictures than a card shows well are refused."""
    check_grid(1, MAX_COLUMNS, UserError)
    with pytest.raises(UserError, match="grid_large"):
        check_grid(1, MAX_COLUMNS + 1, UserError)
