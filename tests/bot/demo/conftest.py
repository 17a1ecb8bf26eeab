"""A real browser for the tests of the page."""

from __future__ import annotations

from functools import partial

import pytest

from bot.demo import browser


@pytest.fixture
def tab():
    """Open a page in a browser; without a browser, the test is skipped."""
    program = browser.find_chromium()
    if program is None:
        pytest.skip("there is no Chromium here")
    return partial(browser.open_tab, program)
