"""Decoders as the child prepares them."""

from __future__ import annotations

import pytest
from PIL import Image, PngImagePlugin

from storage.photos.child import prepare_decoders


@pytest.fixture(autouse=True)
def prepared(monkeypatch: pytest.MonkeyPatch) -> None:
    """Set the decoders' limits as the child does, and Pillow's own again afterwards."""
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", None)
    for name in ("MAX_TEXT_CHUNK", "MAX_TEXT_MEMORY"):
        monkeypatch.setattr(PngImagePlugin, name, getattr(PngImagePlugin, name))
    prepare_decoders()
