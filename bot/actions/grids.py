"""Grids of pictures: a style's checkpoints by strengths, or prompts by styles."""

from __future__ import annotations

from collections.abc import Sequence

from bot import wording
from bot.actions import sampling, studies
from bot.bot import Bot
from bot.wording import flatten
from storage.errors import UserError
from storage.planning.grid import MAX_ROWS, check_grid, lay_out_grid
from storage.records import Style
from storage.requests import GridRequest, GridStyle


async def strength_grid(
    bot: Bot, style: Style, member: int, prompt: str, seed: int
) -> GridRequest:
    """Return the grid of a style's checkpoints, evenly over its training, by strengths.

    A style that was shared with the member is one row: its checkpoints are its owner's alone.
    """
    base = (await bot.store.catalog.read()).get_base(style.base)
    prompt = prompt or studies.suggest_prompts(style, base)[0]
    own = await bot.store.checkpoints.list_for(style) if style.owner == member else []
    steps = [each.step for each in own]
    last = len(steps) - 1
    kept = (
        sorted({steps[round(at * last / (MAX_ROWS - 1))] for at in range(MAX_ROWS)})
        if steps
        else []
    )
    columns, cells = lay_out_grid([*map(str, kept)] or [""], [prompt])
    styles = tuple(GridStyle(style.id, step) for step in kept or [0])
    return GridRequest(style.base, prompt, seed=seed, styles=styles, cells=cells, columns=columns)


async def style_grid(
    bot: Bot, styles: Sequence[Style | None], prompts: Sequence[str], seed: int
) -> GridRequest:
    """Return the grid of prompts by styles, None being the base alone.

    Raises UserError: "grid_prompts" for fewer than two prompts, "grid_large", or "style_misfit"
    for a style that the base of the first one cannot wear.
    """
    if len(prompts) < 2:
        raise UserError("grid_prompts")
    check_grid(len(prompts), len(styles), UserError)
    catalog = await bot.store.catalog.read()
    name = next(each.base for each in styles if each)
    base = catalog.find_base(name)
    for each in styles:
        if each and not sampling.fits_base(each, base, catalog):
            raise UserError("style_misfit", made=catalog.base_title(each.base), base=base.title)
    names = [each.name if each else wording.sample.NO_STYLE for each in styles]
    columns, cells = lay_out_grid(names, prompts)
    told = tuple(GridStyle(each.id if each else 0) for each in styles)
    for prompt in prompts:
        sampling.check_request(GridRequest(name, prompt))
    listed = "; ".join(f"{row} {prompt}" for row, prompt in enumerate(prompts, 1))
    listed = flatten(listed, sampling.MAX_PROMPT_CHARS)  # cells have all of each prompt
    return GridRequest(name, listed, seed=seed, styles=told, cells=cells, columns=columns)
