"""The disk floor."""

from __future__ import annotations

import pytest

from storage.errors import UserError
from storage.folders import Home
from storage.settings import StorageSettings
from storage.space import free, roomy


def test_floor(home: Home) -> None:
    """New jobs are refused when less is free than is to be kept, also before the folder exists."""
    left = free(home)
    roomy(StorageSettings(SAFELIGHT_HOME=home.path, SAFELIGHT_DISK_MB=0))

    with pytest.raises(UserError) as caught:
        roomy(StorageSettings(SAFELIGHT_HOME=home.path, SAFELIGHT_DISK_MB=left * 2))

    assert caught.value.code == "disk_low"
    assert caught.value.facts["needed"] == left * 2
