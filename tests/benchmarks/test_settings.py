"""The printed table of the dial."""

from __future__ import annotations

from pathlib import Path

from benchmarks import settings


def test_page_is_up_to_date() -> None:
    """docs/settings.md says what the methods' rules are now."""
    written = Path(__file__).parents[2] / "docs" / "settings.md"
    assert written.read_text("utf-8") == settings.page()


def test_every_number_has_a_source() -> None:
    """No position of the dial is without somebody who measured or published it, or chose it."""
    assert all(rule.source for rules in settings.group_rules() for rule in rules)
