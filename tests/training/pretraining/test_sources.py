"""A changed icon package is noticed before anything is rendered."""

from __future__ import annotations

import io
import json

import numpy as np
import pytest
from PIL import Image

from training.pretraining import pictures
from training.pretraining.sources import digest, read_checked, read_sources


@pytest.fixture
def npm(tmp_path):
    """Create two packages: three icons, one of them a flag, and a render of one of the others."""
    noto, renders = tmp_path / "@iconify-json" / "noto", tmp_path / "@lobehub" / "renders"
    noto.mkdir(parents=True)
    (renders / "assets").mkdir(parents=True)
    names = ["fox", "owl", "flag-for-fox"]
    icons = {name: {"body": f'<circle r="{at + 9}"/>'} for at, name in enumerate(names)}
    files = {
        "icons": {"icons": icons, "width": 32, "height": 32},
        "metadata": {"categories": {"Nature": names}},
        "chars": {"1f98a": "fox", "1f989-fe0f": "owl"},
    }
    for file, content in files.items():
        (noto / f"{file}.json").write_text(json.dumps(content), encoding="utf-8")
    Image.new("RGBA", (9, 9), "red").save(renders / "assets" / "1f989.webp", lossless=True)
    return tmp_path


@pytest.fixture
def listed(npm):
    """Write the list of the packages' present state."""
    found = sorted(read_sources(npm, "noto"))
    path = npm / "listed.toml"
    path.write_text(
        f'[tiny]\npackage = "tiny 1.0.0"\ncount = 2\ndigest = "{digest(found)}"\n', "utf-8"
    )
    return path


def change_icons(npm, old, new):
    """Change the icons file."""
    path = npm / "@iconify-json" / "noto" / "icons.json"
    path.write_text(path.read_text("utf-8").replace(old, new), "utf-8")


def test_things_are_found_by_name(npm):
    """Only things are read; vectors have names, renders are known by their code points."""
    vectors = dict(read_sources(npm, "noto"))

    assert vectors.keys() == {"fox", "owl"}
    assert b'<circle r="9"/>' in vectors["fox"]
    assert [name for name, _ in read_sources(npm, "@lobehub/renders")] == ["owl"]


def test_both_kinds_are_drawn(npm):
    """A vector and a render become pictures of 64 pixels with transparent backgrounds."""
    (_, vector), _ = sorted(read_sources(npm, "noto"))
    ((_, render),) = read_sources(npm, "@lobehub/renders")

    circle, square = pictures.render(vector), pictures.render(render)

    assert circle.size == square.size == (64, 64)
    assert circle.getpixel((2, 2)) == (0, 0, 0, 255)
    assert circle.getpixel((60, 60))[3] == 0
    assert square.getpixel((60, 60)) == (255, 0, 0, 255)


def test_what_is_listed_is_taken(npm, listed):
    """Sources that match the list come in the order of their names."""
    assert [name for name, _ in read_checked(npm, "tiny", "noto", listed)] == ["fox", "owl"]


@pytest.mark.parametrize(
    ("old", "new", "count"),
    [('r=\\"9\\"', 'r=\\"8\\"', 2), ('"owl"', '"flag-of-owl"', 1)],
    ids=["another picture", "one fewer"],
)
def test_a_changed_package_is_named(npm, listed, old, new, count):
    """The error has the style, both counts and digests, and what to install."""
    wanted = digest(sorted(read_sources(npm, "noto")))
    change_icons(npm, old, new)
    found = sorted(read_sources(npm, "noto"))

    with pytest.raises(ValueError, match="The style tiny is not") as refused:
        read_checked(npm, "tiny", "noto", listed)

    message = str(refused.value)
    assert f"2 pictures with digest {wanted}" in message
    assert f"{count} with {digest(found)}" in message
    assert "tiny 1.0.0" in message


def test_nothing_is_drawn_from_other_packages(npm, tmp_path):
    """The stage stops before it renders, and leaves no file."""
    with pytest.raises(ValueError, match="The style noto is not"):
        pictures.run(tmp_path, npm)

    assert not (tmp_path / "pictures.pt").exists()


def test_neighbours_are_kept_apart():
    """The same bytes split differently, or under other names, have another digest."""
    cuts = [("a", b"xy"), ("b", b"z")], [("a", b"x"), ("b", b"yz")], [("b", b"xy"), ("a", b"z")]

    assert len({digest(cut) for cut in cuts}) == 3


def test_an_edge_has_no_dark_fringe():
    """Reducing weighs colours by their opacity."""
    pixels = np.zeros((128, 128, 4), np.uint8)
    pixels[:, 33:] = (255, 0, 0, 255)
    source = io.BytesIO()
    Image.fromarray(pixels).save(source, "WEBP", lossless=True)

    edge = pictures.render(source.getvalue()).getpixel((16, 30))

    assert edge[0] > 250
    assert 100 < edge[3] < 160
