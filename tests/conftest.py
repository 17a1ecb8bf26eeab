"""Which core takes which tests: a file is one piece of work, and the longest come first."""

from __future__ import annotations

import pytest

from bot.wording.template import Facts

#: folders whose files share what is costly: they are one piece of work
WHOLE = ("tests/contracts",)
#: what takes long, by what a run with `--durations=0` says; the rest follows in its own order
FIRST = (
    "tests/contracts",
    "tests/journey/test_autoplay.py",
    "tests/training/test_main.py",
    "tests/bot/terminal/test_cli.py",
    "tests/training/pretraining/test_resume.py",
)


def pytest_configure() -> None:
    """Raise where a sentence lacks a fact, instead of leaving a gap."""
    Facts.strict = True


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Give every test its piece of work, and put the pieces in order."""
    for item in items:
        item.add_marker(pytest.mark.xdist_group(piece(item)))
    items.sort(
        key=lambda item: FIRST.index(name) if (name := piece(item)) in FIRST else len(FIRST)
    )


def piece(item: pytest.Item) -> str:
    """Name the piece of work that a test belongs to."""
    file = item.nodeid.partition("::")[0]
    return next((folder for folder in WHOLE if file.startswith(folder + "/")), file)
