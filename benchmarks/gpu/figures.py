"""What a part measures, kept as it comes: a part that is stopped leaves what it has so far."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

from benchmarks import table

COMMAND = "bash benchmarks/gpu.sh"


@dataclass(frozen=True, slots=True)
class Figure:
    """One figure; `bar` is what it may be at most."""

    what: str
    value: float | str
    unit: str = ""
    bar: float | None = None
    more: str = ""

    def to_row(self) -> table.Row:
        """Return it as a row of a table."""
        if self.bar is None or isinstance(self.value, str):
            return table.figure(self.what, self.value, self.unit, self.more)
        return table.at_most(self.what, self.value, self.bar, self.unit, self.more)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a part."""

    part: str
    seconds: float
    fault: str = ""  #: why it has not ended well
    figures: Sequence[Figure] = field(default_factory=tuple)


def append_figure(file: Path, figure: Figure) -> None:
    """Write a figure at the end of a part's file, at once."""
    with file.open("a", encoding="utf-8") as stream:
        stream.write(json.dumps(asdict(figure)) + "\n")


def read_figures(file: Path) -> list[Figure]:
    """Read a part's figures; a last line that was cut off is left out."""
    if not file.exists():
        return []
    *lines, _ = file.read_text("utf-8").split("\n")
    return [Figure(**json.loads(line)) for line in lines]


def write_report(folder: Path, machine: dict[str, str], outcomes: Sequence[Outcome]) -> None:
    """Write all figures as JSON and as a table for RESULTS.md; each file is whole or absent."""
    content = {"machine": machine, "parts": [asdict(outcome) for outcome in outcomes]}
    texts = {
        "figures.json": json.dumps(content, indent=1) + "\n",
        "table.md": "\n".join(list_lines(machine, outcomes)) + "\n",
    }
    for name, text in texts.items():
        (folder / f"{name}.part").write_text(text, "utf-8")
        (folder / f"{name}.part").replace(folder / name)


def list_lines(machine: dict[str, str], outcomes: Sequence[Outcome]) -> Iterable[str]:
    """List the lines of the table; a part that failed is a row with its reason."""
    told = ", ".join(f"{name} {value}".strip() for name, value in machine.items() if value)
    yield f"**On a GPU** (`{COMMAND}`; {told}):"
    yield ""
    yield "| what | figure | bar | |"
    yield "| --- | --- | --- | --- |"
    for outcome in outcomes:
        yield from (str(figure.to_row()) for figure in outcome.figures)
        if outcome.fault:
            fault = outcome.fault.replace("|", "\\|")
            yield f"| {outcome.part} | {fault} | | **not finished** |"
