"""Plan a sweep: several recipes on the same photos, of which only the better half goes on.

Successive halving (Jamieson and Talwalkar 2016, arXiv 1502.07943), within the steps of one and a
half whole runs. Each round reaches twice as far as the one before, and the last one, of a single
recipe, the end. Learning rates are those of a whole run from the first step on, so the winner has
at each step the very weights that its recipe alone would have given.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

from storage.limits import LEARNING_RATE

BUDGET = 1.5  #: steps of all recipes together, as a multiple of those of one whole run
GROWTH = 2  #: a round ends at so many times the step of the one before
MIN_RECIPES, MAX_RECIPES = 2, 6
USUAL_COUNT = 4  #: of recipes; more of them have a shorter first round
#: options that a sweep leaves out: it looks for the rate itself, and each round would try again
LEFT_OUT = ("find_learning_rate", "folds")
#: what rate and rank are multiplied by, the most promising first; a trend needs both sides
VARIANTS = ((1.0, 1.0), (3.0, 1.0), (1 / 3, 1.0), (1.0, 2.0), (1.0, 0.5), (1 / 3, 2.0))


@dataclass(frozen=True, slots=True)
class Variant:
    """What a recipe of a sweep changes."""

    learning_rate: float
    rank: int


def propose_variants(
    usual: Variant, ranks: tuple[int, int], *, keeps_rate: bool = False
) -> list[Variant]:
    """Return the usual recipe, and others around it, within the limits of ranks and rates.

    With `keeps_rate` the optimizer finds the rate itself. A method without ranks keeps its 0.
    """
    found = list[Variant]()
    for rate_factor, rank_factor in VARIANTS:
        rate = float(f"{usual.learning_rate * rate_factor:.2g}")
        rank = round(usual.rank * rank_factor)
        each = Variant(usual.learning_rate if rate_factor == 1 else rate, rank)
        allowed = rate_factor == 1 or (not keeps_rate and in_range(rate, LEARNING_RATE))
        if allowed and (rank == usual.rank or in_range(rank, ranks)) and each not in found:
            found.append(each)
    return found


def in_range(number: float, limits: tuple[float, float]) -> bool:
    """Return whether a positive number is within limits."""
    return number > 0 and limits[0] <= number <= limits[1]


def count_survivors(recipes: int) -> int:
    """Return how many of so many recipes go on: the better half, an odd one is not in it."""
    return max(1, recipes // 2)


def list_rounds(recipes: int) -> list[int]:
    """List how many recipes each round trains; the last one trains one."""
    rounds = [recipes]
    while rounds[-1] > 1:
        rounds.append(count_survivors(rounds[-1]))
    return rounds


def list_gradings(recipes: int) -> list[int]:
    """List how many recipes are graded after each round; after the last one all of them are."""
    return [*list_rounds(recipes)[:-1], recipes]


def plan_shares(recipes: int) -> tuple[float, ...]:
    """Return up to which share of its steps a recipe is trained in each round."""
    reached = [GROWTH**at for at in range(len(list_rounds(recipes)) - 1)]
    ending = [now - later for now, later in pairwise(list_rounds(recipes))]
    lost = sum(count * reach for count, reach in zip(ending, reached, strict=True))
    return (*((BUDGET - 1) / lost * reach for reach in reached), 1.0)


def end_of_round(steps: int, share: float) -> int:
    """Return the step at which a round ends; 0, where it is the last one of all, the end."""
    return 0 if share >= 1 else max(1, int(steps * share))


def count_steps(recipes: int, steps: int) -> int:
    """Count the steps of a whole sweep, of recipes of so many steps each."""
    ends = [end_of_round(steps, share) or steps for share in plan_shares(recipes)]
    rounds = zip(list_rounds(recipes), pairwise([0, *ends]), strict=True)
    return sum(count * (end - begin) for count, (begin, end) in rounds)
