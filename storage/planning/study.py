"""Arithmetic of a blind comparison: what it can show, who counts, who was preferred, who agreed.

A voter is one observation, however many pairs they judged: their votes depend on each other. So
the interval is over voters with a preference, and ties are told beside it.
"""

from __future__ import annotations

import math
import random
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from statistics import NormalDist

CONFIDENCE = 0.95
MIN_VOTERS = 6  #: fewer show nothing: 5 agree by chance in one of 16 studies, 2 / 2**5


class Choice(IntEnum):
    """A vote on one pair."""

    FIRST = 0  #: of the study's two sides; of an attention pair, the true picture
    SECOND = 1
    TIE = 2


#: What one voter said of each pair, in the order of the pairs; None where they did not vote.
Ballot = Sequence[Choice | None]


def wilson_interval(successes: int, trials: int) -> tuple[float, float]:
    """Return the Wilson score interval of a share, corrected for continuity; (0, 1) of none.

    Source: Newcombe, Two-sided confidence intervals for the single proportion (1998), method 4.
    Without the correction, chance alone would leave one half out in up to 8 % of studies.
    """
    low = find_bound(successes - 0.5, trials, side=-1) if successes > 0 else 0.0
    high = find_bound(successes + 0.5, trials, side=1) if successes < trials else 1.0
    return low, high


def find_bound(successes: float, trials: int, *, side: int) -> float:
    """Return the lower (side -1) or upper (1) bound of a share (Wilson 1927)."""
    z = NormalDist().inv_cdf((1 + CONFIDENCE) / 2)
    share = successes / trials
    reach = z * math.sqrt(share * (1 - share) / trials + z**2 / (4 * trials**2))
    return (share + z**2 / (2 * trials) + side * reach) / (1 + z**2 / trials)


def is_shown(successes: int, trials: int) -> bool:
    """Return whether a preference is more than chance: the interval does not reach one half."""
    low, high = wilson_interval(successes, trials)
    return not low <= 0.5 <= high


def find_needed_voters(voters: int) -> int | None:
    """Return how many of so many voters must prefer one side to show it; None if none suffice."""
    return next((n for n in range(voters // 2, voters + 1) if is_shown(n, voters)), None)


def measure_agreement(ballots: Sequence[Ballot]) -> float | None:
    """Return how often two voters say the same of a pair, from 0 to 1; None if no two voted."""
    same = pairs = 0
    for counts in count_values(ballots):
        votes = counts.total()
        pairs += votes * (votes - 1)
        same += sum(n * (n - 1) for n in counts.values())
    return same / pairs if pairs else None


def measure_alpha(ballots: Sequence[Ballot]) -> float | None:
    """Return Krippendorff's alpha for nominal values; 1 is agreement, 0 is chance.

    Source: Krippendorff, Computing Krippendorff's Alpha-Reliability (2011). None if no two voted
    on a pair, or if all votes are equal, as then chance would agree as well.
    """
    units = [counts for counts in count_values(ballots) if counts.total() > 1]
    values = sum(units, Counter[int]())
    total = values.total()
    expected = total**2 - sum(n * n for n in values.values())
    if not expected:
        return None
    observed = sum(
        (counts.total() ** 2 - sum(n * n for n in counts.values())) / (counts.total() - 1)
        for counts in units
    )
    return 1 - (total - 1) * observed / expected


def count_values(ballots: Sequence[Ballot]) -> list[Counter[int]]:
    """Return how often each value was given to each pair."""
    votes = zip(*ballots, strict=True)
    return [Counter(int(vote) for vote in each if vote is not None) for each in votes]


@dataclass(frozen=True, slots=True)
class StudyResult:
    """What a study has shown. Voters count who chose the true picture of the attention pair."""

    first: int  #: voters who preferred the first side in more pairs …
    second: int  #: … the second side …
    neither: int  #: … or neither
    missed: int  #: voters who chose wrongly in the attention pair
    unfinished: int  #: voters who never saw it
    votes: tuple[int, int, int]  #: on pairs: first, second, no difference
    agreement: float | None
    alpha: float | None

    @property
    def voters(self) -> int:
        """Those who count."""
        return self.first + self.second + self.neither

    @property
    def leader(self) -> int:
        """The side that more voters preferred; the first if both are equal."""
        return Choice.SECOND if self.second > self.first else Choice.FIRST

    @property
    def leaders(self) -> int:
        """Voters who preferred the leading side."""
        return max(self.first, self.second)

    @property
    def interval(self) -> tuple[float, float]:
        """The interval of the leader's share, of voters with a preference."""
        return wilson_interval(self.leaders, self.first + self.second)

    @property
    def shown(self) -> bool:
        """Whether the preference is more than chance."""
        return is_shown(self.leaders, self.first + self.second)


def summarise(ballots: Sequence[Ballot], attention: int) -> StudyResult:
    """Return the result of these ballots; `attention` is the place of the attention pair."""
    checked = [ballot[attention] for ballot in ballots]
    counted = [
        [*ballot[:attention], *ballot[attention + 1 :]]
        for ballot in ballots
        if ballot[attention] is Choice.FIRST and has_judged(ballot, attention)
    ]
    unfinished = sum(
        vote is None or (vote is Choice.FIRST and not has_judged(ballot, attention))
        for vote, ballot in zip(checked, ballots, strict=True)
    )
    leaning = [ballot.count(Choice.FIRST) - ballot.count(Choice.SECOND) for ballot in counted]
    votes = sum(count_values(counted), Counter[int]())
    return StudyResult(
        first=sum(each > 0 for each in leaning),
        second=sum(each < 0 for each in leaning),
        neither=sum(each == 0 for each in leaning),
        missed=sum(vote in {Choice.SECOND, Choice.TIE} for vote in checked),
        unfinished=unfinished,
        votes=(votes[Choice.FIRST], votes[Choice.SECOND], votes[Choice.TIE]),
        agreement=measure_agreement(counted),
        alpha=measure_alpha(counted),
    )


def has_judged(ballot: Ballot, attention: int) -> bool:
    """Return whether a voter judged any pair but the attention pair."""
    return any(vote is not None for place, vote in enumerate(ballot) if place != attention)


def order_pairs(key: str, voter: int, pairs: Sequence[int], attention: int) -> list[int]:
    """Return a study's pairs in a voter's own order, the attention pair in the middle.

    `key` is the study's random one: nobody else can tell the order.
    """
    others = [pair for pair in pairs if pair != attention]
    random.Random(f"{key} {voter}").shuffle(others)  # noqa: S311 (nothing to guess: `key` is secret)
    middle = len(others) // 2
    return [*others[:middle], attention, *others[middle:]]


def is_swapped(key: str, voter: int, pair: int) -> bool:
    """Return whether a voter sees a pair's second picture on the left."""
    return bool(random.Random(f"{key} {voter} {pair}").getrandbits(1))  # noqa: S311 (as above)
