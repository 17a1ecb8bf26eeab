"""How long trainings took on this machine; `storage/planning/durations.py` estimates from it."""

from __future__ import annotations

from dataclasses import astuple, fields
from typing import Any

from storage.planning.durations import TimingKey
from storage.records import Concept, Timing
from storage.tables.database import Database

AVERAGED_RUNS = 5  #: about so many runs back; older ones fade
KEYS = tuple(field.name for field in fields(TimingKey))
TIMES = ("step", "photo", "picture", "overhead")
#: a running mean of the times: timing += (new - timing) / runs
INSERT_TIMING = f"""
INSERT INTO durations VALUES ({", ".join(f":{name}" for name in (*KEYS, *TIMES))}, 1)
ON CONFLICT DO UPDATE SET
  {", ".join(f"{n} = {n} + (excluded.{n} - {n}) / min(runs + 1, {AVERAGED_RUNS})" for n in TIMES)},
  runs = runs + 1
"""


class Durations:
    """Mean timings by what they depend on."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def read_all(self) -> dict[TimingKey, Timing]:
        """Return every timing there is."""
        found = {}
        for row in await self._database.execute("SELECT * FROM durations"):
            values: dict[str, Any] = {name: row[name] for name in KEYS}
            key = TimingKey(**values | {"concept": Concept(row["concept"])})
            found[key] = Timing(**{name: row[name] for name in (*TIMES, "runs")})
        return found

    async def add_run(self, key: TimingKey, timing: Timing) -> None:
        """Add the times of one run to the mean of its kind."""
        times = {name: getattr(timing, name) for name in TIMES}
        await self._database.execute(
            INSERT_TIMING, **dict(zip(KEYS, astuple(key), strict=True)), **times
        )
