"""`safelight sweep`: several settings on the same photos, of which the better half goes on.

out/panda.safetensors   the best one, trained to its end
out/panda.training/     its folder, as that of `safelight train`; until it is known
                        sweep/0 sweep/1 ... of all recipes, from which the same command goes on
"""

from __future__ import annotations

import shutil
from dataclasses import replace
from functools import partial
from typing import Any

from storage import names
from storage.errors import UserError
from storage.folders import write_json
from storage.limits import check_range
from storage.planning.sweep import LEFT_OUT, MAX_RECIPES, MIN_RECIPES, Variant, propose_variants
from storage.records import Dial, Optimizer
from training import methods
from training.cli.advice import AUTO, apply_advice
from training.cli.arguments import SweepArguments
from training.cli.compare import GRID, describe_photos
from training.cli.local import LocalJob, tell_photos
from training.cli.output import print_line
from training.cli.outputs import keep_numbered, link_or_copy
from training.cli.photos import list_photos, read_photos
from training.cli.race import Race
from training.cli.request import ConceptFolder, list_concepts, make_recipe
from training.cli.runfolder import open_run
from training.recipe.recipe import Recipe

Line = dict[str, Any]


def sweep(job: LocalJob, given: SweepArguments) -> Line:
    """Train several recipes by successive halving, and keep the style of the best.

    What fails is left out. Raises UserError: "sweep_single" for a training whose settings cannot
    be varied, or "comparison_failed" if no recipe is left; and JobError("run_differs") where
    another command has begun something in the same folder.
    """
    check_range("recipes", given.recipes, (MIN_RECIPES, MAX_RECIPES), UserError)
    if given.more_photos or given.class_photos:
        raise UserError("sweep_single")
    given.out.mkdir(parents=True, exist_ok=True)
    name, (concept,) = names.clean_name(given.name), list_concepts(given)
    run = job.stack.enter_context(open_run(given.out, name, overwrite=given.overwrite))
    photos, job.left_out = read_photos(list_photos(given.photos, job.stack), run.folder)
    tell_photos(photos)
    recipes = list_recipes(job, given, replace(concept, photos=photos), run.name)
    race = Race(job, run, recipes, describe_photos(photos))
    race.settle({"photos": [photo.digests for photo in photos]}, fresh=given.fresh)
    end = race.hold()
    return finish(race, given, end) if end["kind"] == "swept" else end


def list_recipes(
    job: LocalJob, given: SweepArguments, concept: ConceptFolder, name: str
) -> list[Recipe]:
    """List the recipes: that of the usual training, then others around it."""
    catalog = job.runtime.catalog()
    if given.method == AUTO:
        asked, (concept,), facts = apply_advice(given, [concept], catalog)
        given = replace(given, method=asked.method, base=asked.base)
        print_line({"kind": "advice", **facts})
    options = {each: value for each, value in given.options.items() if each not in LEFT_OUT}
    given = replace(given, dial=given.dial or Dial.THOROUGH, options=options)
    usual = replace(make_recipe(given, [concept], catalog), name=name)
    variants = propose_variants(
        Variant(usual.learning_rate, usual.rank),
        methods.find(given.method).METHOD.ranks,
        keeps_rate=usual.optimizer is Optimizer.PRODIGY,
    )[: given.recipes]
    if not usual.rank or len(variants) < MIN_RECIPES:
        raise UserError("sweep_single")
    return [replace(usual, learning_rate=each.learning_rate, rank=each.rank) for each in variants]


def finish(race: Race, given: SweepArguments, end: Line) -> Line:
    """Keep the grid and the best style, whose folder becomes that of the training."""
    run, winner, trained = race.place, end["winner"], race.list_trained()
    write = partial(link_or_copy, race.grading.result / GRID)
    grid = given.out / f"{run.name}-sweep.png"
    picture = keep_numbered(write, grid, overwrite=given.overwrite)
    ends = [race.last_end(number) for number in trained]
    for each in race.entry(winner).path.iterdir():
        if each != race.entry(winner).request_file:
            each.rename(run.folder.path / each.name)
    style = run.keep_style(overwrite=given.overwrite)
    content = {"recipe": race.recipes[winner].to_json(), "origin": race.asked["origin"]}
    write_json(run.folder.request_file, content | {"file": style.name})
    for made in run.sweep, run.folder.result:
        shutil.rmtree(made)
    return {
        "kind": "swept", "winner": trained.index(winner),
        "labels": [race.labels[number] for number in trained],
        "grades": [end["grades"][str(number)] for number in trained],
        "costs": [{"seconds": each["timings"]["seconds"], "bytes": each["bytes"]}
                  for each in ends],
        "steps": [each["steps"] for each in ends],
        "pictures": {grid.name: str(picture)}, "file": str(style),
    }  # fmt: skip
