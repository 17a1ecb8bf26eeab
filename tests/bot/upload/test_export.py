"""The page hands a dataset out as a zip."""

from __future__ import annotations

import io
import zipfile
from functools import partial

import pytest

from bot.wording.errors import ERRORS
from storage.photosets.pack import SetForm
from storage.tables.consents import Terms
from tests.bot.upload.conftest import until
from tests.fakes.discord import draw_mask


async def export(visit, form="plain", token=None) -> tuple[int, bytes]:
    """Send the page's form, and return the status and content of the answer."""
    sent = {"as": form, "token": visit.url.partition("#")[2] if token is None else token}
    async with visit.session.post(f"{visit.page}/export", data=sent) as answer:
        return answer.status, await answer.read()


async def list_exports(site) -> list:
    """Return what lies where zips are packed."""
    return [*site.store.home.exports.iterdir()]


@pytest.mark.parametrize("form", SetForm)
async def test_forms(site, form):
    """The owner gets the dataset in each form, and no copy stays behind."""
    alice = site.add_member("alice")
    dataset = await site.add_dataset(alice)
    await site.send_photos(alice, [("a.png", site.draw_photo(1)), ("a.mask.png", draw_mask())])

    status, content = await export(await site.visit(dataset), form)

    names = {
        "plain": ["001.mask.png", "001.png"],
        "kohya": ["200_mydog/001.png"],
        "everydream": ["001.png"],
        "hub": ["001.png", "metadata.jsonl"],
    }
    assert status == 200
    assert sorted(zipfile.ZipFile(io.BytesIO(content)).namelist()) == names[form]
    await until(partial(list_exports, site), lambda left: not left)


async def test_refused(site):
    """An empty dataset, a strange form, a forged link, and who only adds photos get no zip."""
    alice, bob = site.add_member("alice"), site.add_member("bob")
    dataset = await site.add_dataset(alice)
    await site.store.contributors.invite(dataset.id, alice.id, bob.id)
    await site.store.consents.add(bob.id, Terms(1, dataset=dataset.id), "test")
    await site.store.contributors.join(dataset.id, bob.id)
    hers, his = await site.visit(dataset), await site.visit(dataset, bob.id)

    refused = [await export(hers), await export(hers, "7z"), await export(hers, "plain", "forged"),
               await export(his)]  # fmt: skip

    assert [status for status, _ in refused] == [422, 400, 401, 404]
    assert refused[2][1].decode() == ERRORS["upload_forged"]
