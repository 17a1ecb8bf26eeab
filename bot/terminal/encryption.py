"""`safelight encrypt`: encrypt the stored photos with the first key, or decrypt them."""

from __future__ import annotations

import argparse
import asyncio
import sys

from bot import wording
from bot.settings import BotSettings
from bot.wording import fill, format_count
from storage.errors import UserError
from storage.folders import Home
from storage.photofiles import PhotoKeys, new_key, use_keys
from storage.rekey import rekey_photos
from storage.settings import read_settings
from storage.store import Store


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command to its parser."""
    parser.add_argument("--new-key", action="store_true", help=wording.encryption.NEW_KEY)
    parser.add_argument("--undo", action="store_true", help=wording.encryption.UNDO)


def run_encrypt(given: argparse.Namespace) -> int:
    """Print a new key, or write all photos anew that are not under the first one."""
    if given.new_key:
        sys.stdout.write(f"{new_key()}\n")
        return 0
    settings = read_settings(BotSettings)
    keys, home = settings.read_photo_keys(), Home(settings.home)
    if not keys.current:
        raise UserError("photo_keys_unset")
    use_keys(keys)
    written = asyncio.run(rekey(home, PhotoKeys() if given.undo else keys))
    template = wording.encryption.DECRYPTED if given.undo else wording.encryption.ENCRYPTED
    files = format_count(written, "file")
    sys.stdout.write(fill(template, files=files, key=keys.current) + "\n")
    if len(keys.ids) > 1 and not given.undo:
        sys.stdout.write(f"{wording.encryption.OTHERS_UNUSED}\n")
    return 0


async def rekey(home: Home, target: PhotoKeys) -> int:
    """Write photos anew, and return how many files; none of a photo that went meanwhile stays."""
    async with await Store.open(home) as store:
        written = await asyncio.to_thread(lambda: list(rekey_photos(home, target)))
        await store.sealing.reseal(target)
        digests = await store.photos.list_digests()
        stored = {home.path / "photos", home.path / "previews"}
        for path in written:
            if path.parent.parent in stored and path.stem not in digests:
                path.unlink(missing_ok=True)
    return len(written)
