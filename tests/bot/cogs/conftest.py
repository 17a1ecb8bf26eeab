"""A member of the server who has photos."""

from __future__ import annotations

import pytest


@pytest.fixture
async def alice(kit, scheduler):
    """A member with a dataset."""
    who = kit.add_member("alice")
    await scheduler.publish_catalog()
    await scheduler.add_dataset(who)
    return who
