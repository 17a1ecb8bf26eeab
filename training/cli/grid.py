"""A grid of pictures as a shell asks for it."""

from __future__ import annotations

import shutil

from storage.errors import UserError
from storage.folders import JobFolder
from storage.planning.grid import STRENGTHS, lay_out_grid
from storage.requests import GridRequest, GridStyle
from training.cli.arguments import GridArguments
from training.cli.request import DEFAULT_BASE
from training.styles import header

PLAIN = "no style"


def lay_out(given: GridArguments, folder: JobFolder) -> GridRequest:
    """Copy the styles into the job folder and return the request.

    Raises UserError "grid_empty" without a style or a prompt.
    """
    if not (given.style and given.prompt):
        raise UserError("grid_empty")
    styles = [GridStyle(0)] * given.plain
    for file in given.style:
        shutil.copyfile(file, folder.grid_style(len(styles)))
        told = header.read_method_and_trigger(file)
        styles.append(GridStyle(1, method=told["method"], trigger=told["trigger"]))
    names = [PLAIN] * given.plain + [file.stem for file in given.style]
    columns, cells = lay_out_grid(names, given.prompt, given.strength or STRENGTHS)
    return GridRequest(
        given.base or header.read_base(given.style[0]) or DEFAULT_BASE,
        "; ".join(given.prompt),
        given.negative,
        seed=given.seed,
        steps=given.steps,
        styles=tuple(styles),
        cells=cells,
        columns=columns,
    )
