"""A part that fails, hangs or dies is named with its reason; the others go on."""

from __future__ import annotations

import json
import time

import psutil
import pytest

from benchmarks.gpu import runner
from benchmarks.gpu.figures import Figure, Outcome, read_figures, write_report
from benchmarks.gpu.runner import PARTS, Part, Settings, run_parts

#: a forked part runs no thread of the suite
pytestmark = pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
MACHINE = {"": "a GPU", "driver": "580.1", "date": "today"}


def run(tmp_path, parts, seconds=600.0):
    """Run parts as the command does."""
    settings = Settings(tmp_path, tmp_path, tmp_path, "cpu", "")
    return run_parts(parts, settings, seconds, MACHINE)


def make_part(name, seconds=60):
    """Return a part of the fakes."""
    return Part(name, seconds, f"tests.fakes.parts:{name}")


@pytest.fixture
def gone():
    """Wait for a process to end; return whether it has."""

    def wait(pid):
        deadline = time.monotonic() + 5
        while psutil.pid_exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE:
            if time.monotonic() > deadline:
                return False
            time.sleep(0.01)
        return True

    return wait


def test_a_part_that_fails_or_dies_is_survived(tmp_path):
    """What it measured before is kept, and so is its reason."""
    outcomes = run(tmp_path, [make_part("fail"), make_part("die"), make_part("measure")])

    assert [len(outcome.figures) for outcome in outcomes] == [1, 1, 1]
    assert "out of paper" in outcomes[0].fault
    assert [bool(outcome.fault) for outcome in outcomes] == [True, True, False]


def test_a_part_that_hangs_is_stopped_with_its_children(tmp_path, gone):
    """The limit ends it and the programs it started; the next part has its own time."""
    whole = sum(part.seconds for part in PARTS)

    outcomes = run(tmp_path, [make_part("hang", 1), make_part("measure", 5)], whole)

    assert outcomes[0].fault.startswith("stopped after")
    assert outcomes[0].figures == [Figure("before the wait", 2, "s", 3)]
    assert 3 < outcomes[1].figures[0].value <= 5
    assert gone(int((tmp_path / "pid").read_text()))


def test_time_that_is_left_is_for_later_parts(tmp_path):
    """A part may take what those before it have not used."""
    whole = sum(part.seconds for part in PARTS)

    outcomes = run(tmp_path, [make_part("measure", 6), make_part("measure", 1)][:1], whole)
    (tmp_path / "measure").rmdir()
    later = run(tmp_path, [Part("early", 4, "tests.fakes.parts:measure"), make_part("measure", 1)])

    assert outcomes[0].figures[0].value <= 6
    assert later[1].figures[0].value > 3


def test_the_parts_take_nine_minutes_at_most():
    """Their limits add up to no more, and their names are their own."""
    assert sum(part.seconds for part in PARTS) <= 9 * 60
    assert len({part.name for part in PARTS}) == len(PARTS)
    assert PARTS[-1].name == "tests"


def test_figures_are_there_after_every_part(tmp_path):
    """JSON and table name the machine, every figure and every reason."""
    figures = [Figure("a step", 0.0123, "s", 0.015), Figure("the same bytes", "true")]
    outcomes = [Outcome("steps", 1.5, "", figures), Outcome("caps", 2.0, "no | room")]

    write_report(tmp_path, MACHINE, outcomes)

    content = json.loads((tmp_path / "figures.json").read_text())
    lines = (tmp_path / "table.md").read_text().splitlines()
    assert content["machine"] == MACHINE
    assert content["parts"][0]["figures"][0]["value"] == 0.0123
    assert "a GPU, driver 580.1, date today" in lines[0]
    assert lines[4] == "| a step | 0.012 s | ≤ 0.015 s | met |"
    assert lines[6] == "| caps | no \\| room | | **not finished** |"
    assert not list(tmp_path.glob("*.part"))


def test_a_line_that_was_cut_off_is_left_out(tmp_path):
    """A part that was killed while it wrote leaves its whole figures."""
    file = tmp_path / "part.jsonl"
    runner.append_figure(file, Figure("a step", 1.0, "s"))
    file.write_text(file.read_text() + '{"what": "a st')

    assert read_figures(file) == [Figure("a step", 1.0, "s")]
    assert read_figures(tmp_path / "absent") == []
