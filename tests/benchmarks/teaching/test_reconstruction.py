"""What an autoencoder gives back is measured in dB, for each group of pictures."""

from __future__ import annotations

from types import SimpleNamespace

from PIL import Image

from benchmarks.teaching.reconstruction import (
    EMOJI,
    MASCOT,
    PHOTOGRAPHS,
    collect_pictures,
    grade_autoencoder,
)


class Darkening:
    """An autoencoder that gives everything back darker by a tenth of the whole range."""

    def encode(self, pixels):
        """Return the pixels as latents."""
        return SimpleNamespace(latent_dist=SimpleNamespace(mode=lambda: pixels))

    def decode(self, latents):
        """Return the latents, darker."""
        return SimpleNamespace(sample=latents - 0.2)


def test_a_tenth_of_the_range_is_20_db():
    """An error of a tenth everywhere is 20 dB, and misses the bar."""
    grey = [Image.new("RGB", (64, 64), (200, 200, 200))] * 3

    (row,) = grade_autoencoder(Darkening(), {EMOJI: grey})

    assert row.figure == "20 dB"
    assert row.met is False


def test_groups(tmp_path):
    """The held-out emoji, the twelve poses of the mascot, and photographs where there are any."""
    (tmp_path / "dog").mkdir()
    Image.new("RGB", (300, 200)).save(tmp_path / "dog" / "1.jpg")
    (tmp_path / "dog" / "notes.txt").touch()

    groups = collect_pictures(tmp_path)

    assert {name: len(pictures) for name, pictures in groups.items()} == {
        EMOJI: 120, MASCOT: 12, PHOTOGRAPHS: 1,
    }  # fmt: skip
    assert groups[PHOTOGRAPHS][0].size == (64, 64)
    assert PHOTOGRAPHS not in collect_pictures(None)
