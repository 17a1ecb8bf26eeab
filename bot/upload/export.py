"""The zip of a dataset that the page hands out, in one of four forms."""

from __future__ import annotations

import asyncio
from pathlib import Path
from tempfile import TemporaryDirectory

from aiohttp import web

from bot.actions.export import list_released
from bot.upload.intake import Intake
from bot.upload.visit import Visit
from bot.web import content_disposition
from storage.disk import check_disk_space
from storage.errors import UserError
from storage.photos.sandbox import MIB
from storage.photosets.pack import SetForm, pack_set


async def export_dataset(visit: Visit, intake: Intake) -> web.StreamResponse:
    """Send a dataset to its owner as one zip, which is removed when it was sent or broken off."""
    if not visit.owns:
        raise UserError("photo_gone")
    try:
        form = SetForm(str((await visit.request.post()).get("as", "")))
    except ValueError:
        raise web.HTTPBadRequest from None
    dataset, home = visit.dataset, visit.bot.store.home
    check_disk_space(visit.bot.settings)
    photos, _ = await list_released(visit.bot.store, dataset)
    home.exports.mkdir(exist_ok=True)
    async with intake.receiving(visit.member):
        with TemporaryDirectory(dir=home.exports) as folder:
            zipped = Path(folder) / f"{dataset.name} {form}.zip"
            await asyncio.to_thread(pack_set, photos, form, dataset.trigger, zipped)
            return await send_file(visit.request, zipped, zipped.stat().st_size)


async def send_file(request: web.Request, path: Path, size: int) -> web.StreamResponse:
    """Send a file that is removed afterwards, which `web.FileResponse` would open later."""
    response = web.StreamResponse(
        headers={
            "Content-Type": "application/zip",
            "Content-Length": str(size),
            "Content-Disposition": content_disposition(path.name),
        }
    )
    await response.prepare(request)
    with await asyncio.to_thread(path.open, "rb") as file:
        while piece := await asyncio.to_thread(file.read, MIB):
            await response.write(piece)
    await response.write_eof()
    return response
