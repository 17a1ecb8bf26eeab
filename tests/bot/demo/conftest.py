"""A real browser for the tests of the page."""

from __future__ import annotations

from functools import partial

import pytest
import pytest_asyncio

from bot.demo import browser


@pytest.fixture(scope="module")
def chromium():
    """Return the path of a browser; without one, the test is skipped."""
    program = browser.find_chromium()
    if program is None:
        pytest.skip("there is no Chromium here")
    return program


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def address(chromium):
    """Run one browser for all tests of a file."""
    async with browser.open_browser(chromium) as address:
        yield address


@pytest.fixture
def tab(address):
    """Open a page in a tab of the browser."""
    return partial(browser.open_tab, address)
