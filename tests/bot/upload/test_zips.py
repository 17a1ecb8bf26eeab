"""Zips that are sent to the upload page."""

from __future__ import annotations

import io
import zipfile
from functools import partial

import pytest

from tests.bot.upload.conftest import until


async def read_zip_lines(visit):
    """Return what is said of the one zip that was sent."""
    (lines,) = (await visit.ask("GET", "photos"))[1]["zips"].values()
    return lines


@pytest.mark.usefixtures("scheduler")
async def test_a_zip(site):
    """A zip's photos are added with their captions, and what was not used is said once."""
    visit = await site.visit(await site.add_dataset(site.add_member("alice")))
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("a.png", site.draw_photo(1))
        archive.writestr("a.txt", "a dog on grass")
        archive.writestr("b.png", b"nothing")
    sent, again = await visit.put(out.getvalue(), "zips"), await visit.put(out.getvalue(), "zips")
    lines = await until(partial(read_zip_lines, visit), bool)

    assert (sent[0], again[0]) == (202, 202)
    assert [photo["caption"] for photo in await visit.photos()] == ["mydog, a dog on grass"]
    assert "1 new photo, 1 not added" in lines[0]
    assert any("b.png" in line for line in lines)
    assert not [*site.store.home.exports.iterdir()]


async def test_a_broken_zip(site):
    """A zip that can't be read says so, and leaves no file."""
    visit = await site.visit(await site.add_dataset(site.add_member("alice")))
    await visit.put(b"PK\x03\x04 and no more", "zips")
    lines = await until(partial(read_zip_lines, visit), bool)

    assert len(lines) == 1
    assert not [*site.store.home.exports.iterdir()]
