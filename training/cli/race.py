"""The rounds of a sweep on a shell: trained, graded and halved in the folder of a training.

panda.training/  job.json   the recipes, and what has been done
                 sweep/0 sweep/1 ...  a job folder of each recipe
                 sweep/grading        of the newest grades
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

from storage.errors import JobError, UserError
from storage.folders import JobFolder, link_file, write_json
from storage.planning.comparison import Grading, halve
from storage.planning.sweep import end_of_round, plan_shares
from storage.records import Kind
from training.cli.compare import Contestant, draw_and_grade
from training.cli.local import LocalJob, show_in_folder
from training.cli.output import attempt, print_line
from training.cli.runfolder import RunFolder
from training.recipe.recipe import Recipe

Line = dict[str, Any]


class Race:
    """Recipes that are trained a part of their steps, graded and halved, until one has them all.

    `state` has what has been done, by the round: the last lines of trainings, and the grades.
    """

    def __init__(
        self,
        job: LocalJob,
        place: RunFolder,
        recipes: Sequence[Recipe],
        photos: Mapping[str, Mapping[str, Any]],
    ) -> None:
        self.job, self.place, self.photos = job, place, photos
        self.recipes = list(recipes)
        self.labels = [f"lr {each.learning_rate:.2g} rank {each.rank}" for each in recipes]
        self.shares = plan_shares(len(recipes))
        self.state: Line = {"ends": [{} for _ in self.shares], "grades": []}
        self.asked: Line = {}  #: what makes a command the same

    def settle(self, origin: Mapping[str, Any], *, fresh: bool) -> None:
        """Go on with what the same command began, with its date; else empty the folder.

        Raises JobError "run_differs" if that would lose what another command has begun.
        """
        stored, checkpoints = self.place.read(), self.place.list_checkpoints()
        ended = fresh or self.place.is_finished()
        known = stored.get("sweep", {}).get("recipes") or [{}]
        dated = [replace(each, accepted=known[0].get("accepted", 0)) for each in self.recipes]
        if not ended and stored.get("sweep") == describe(dated, origin):
            self.recipes, self.state = dated, stored["state"]
        elif checkpoints and not ended:
            step = int(checkpoints[-1].stem.removeprefix("step-"))
            folder = str(self.place.folder.path)
            raise JobError("run_differs", folder=folder, step=step, differs=["recipes"])
        else:
            self.place.empty()
        self.asked = describe(self.recipes, origin)
        self.save()

    def save(self) -> None:
        """Write what has been done."""
        content = {"sweep": self.asked, "state": self.state}
        write_json(self.place.folder.request_file, content)

    def entry(self, number: int) -> JobFolder:
        """Return the folder of a recipe's training."""
        return JobFolder(self.place.sweep / str(number))

    @property
    def grading(self) -> JobFolder:
        """The folder in which styles are graded."""
        return JobFolder(self.place.sweep / "grading")

    def hold(self) -> Line:
        """Hold all rounds; return the last line, "swept" with the grades of all."""
        racing = [*range(len(self.recipes))]
        for at in range(len(self.shares)):
            if at == len(self.state["grades"]):
                end = self.hold_round(at, racing)
                if end["kind"] != "graded":
                    return end
            racing = racing if self.is_last(at) else self.halve(at)
        return {"kind": "swept", "winner": racing[0], "grades": self.state["grades"][-1]}

    def hold_round(self, at: int, racing: Sequence[int]) -> Line:
        """Train the recipes of a round and grade them, in the last one all; return the last line.

        Raises UserError("comparison_failed") if none was trained.
        """
        self.tell_round(at, racing)
        for number in racing:
            end = self.train(at, number)
            if end["kind"] in {"paused", "cancelled"}:
                return end
        trained = [number for number in racing if str(number) in self.state["ends"][at]]
        if not trained:
            raise UserError("comparison_failed")
        end = self.grade(self.list_trained() if self.is_last(at) else trained)
        if end["kind"] == "graded":
            self.state["grades"].append(end["grades"])
            self.save()
        return end

    def is_last(self, at: int) -> bool:
        """Return whether a round is the last one."""
        return at + 1 == len(self.shares)

    def halve(self, at: int) -> list[int]:
        """Return the recipes that go on after a round."""
        grades = {int(n): Grading.from_json(each) for n, each in self.state["grades"][at].items()}
        return [*halve(grades, {number: self.recipes[number].rank for number in grades})]

    def tell_round(self, at: int, racing: Sequence[int]) -> None:
        """Print which recipes are trained in a round, and to which step."""
        steps = end_of_round(self.recipes[0].steps, self.shares[at]) or self.recipes[0].steps
        print_line({
            "kind": "round", "round": at + 1, "rounds": len(self.shares), "step": steps,
            "recipes": [self.labels[number] for number in racing],
        })  # fmt: skip

    def train(self, at: int, number: int) -> Line:
        """Train a recipe to the end of a round; return the last line, which is also kept."""
        ends: dict[str, Line] = self.state["ends"][at]
        if str(number) in ends:
            return ends[str(number)]
        recipe, folder = self.recipes[number], self.entry(number)
        begun = end_of_round(recipe.steps, self.shares[at - 1]) if at else 0
        stop = end_of_round(recipe.steps, self.shares[at])
        recipe = replace(recipe, stop_after=stop, continued_from=begun)
        self.link_photos(folder)
        content = {"recipe": recipe.to_json()}
        show = partial(show_in_folder, folder)
        end = attempt(partial(work_in(self.job, folder).run, Kind.TRAIN, content, show))
        shutil.rmtree(folder.photos, ignore_errors=True)
        print_line(end | {"kind": f"entry_{end['kind']}", "entry": self.labels[number]})
        if end["kind"] == "done":
            ends[str(number)] = end
            self.save()
        return end

    def link_photos(self, folder: JobFolder) -> None:
        """Link the photos into a folder."""
        for name in self.photos:
            link_file(self.place.folder.photos / name, folder.photos / name)

    def list_trained(self) -> list[int]:
        """List all recipes that were trained, if only a part of the way."""
        return sorted({int(number) for ends in self.state["ends"] for number in ends})

    def last_end(self, number: int) -> Line:
        """Return the last line of a recipe's newest training."""
        ends: list[Line] = self.state["ends"]
        return next(each[str(number)] for each in reversed(ends) if str(number) in each)

    def grade(self, numbers: Sequence[int]) -> Line:
        """Draw with the styles of some recipes and grade them; return the last line."""
        folder = self.grading
        shutil.rmtree(folder.path, ignore_errors=True)
        self.link_photos(folder)
        contestants = [self.describe_contestant(number) for number in numbers]
        first = self.recipes[0]
        request = first.name, first.concept, first.class_word
        return draw_and_grade(work_in(self.job, folder), contestants, request, self.photos)

    def describe_contestant(self, number: int) -> Contestant:
        """Return the style of a recipe as it is by now."""
        recipe = self.recipes[number]
        file = self.entry(number).result / self.last_end(number)["file"]
        label = self.labels[number]
        return Contestant(number, label, recipe.base, file, recipe.method, recipe.trigger)


def describe(recipes: Sequence[Recipe], origin: Mapping[str, Any]) -> Line:
    """Return what makes a command the same, as it is read from JSON."""
    asked = {"recipes": [each.to_json() for each in recipes], "origin": origin}
    found: Line = json.loads(json.dumps(asked))
    return found


def work_in(job: LocalJob, folder: JobFolder) -> LocalJob:
    """Return a job with the same device that works in another folder."""
    other = LocalJob(job.settings, job.stop, job.stack)
    other.runtime, other.folder = job.runtime, folder
    return other
