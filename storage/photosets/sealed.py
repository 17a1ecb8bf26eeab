"""A zip that waits on the disk for being read, under a key that only this process has.

Its photos still have all that cameras write into them, such as the place, which must not be found
on a disk, not even after a crash. AES-CTR, so that it can be read at any place; nobody who could
change the file is kept from that, so what it gives is read like any stranger's zip.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import CTR

from storage.photosets.archive import BoundedFile

KEY_BYTES, BLOCK_BYTES = 32, 16


class SealedZip:
    """Takes a zip piece by piece, then gives it back."""

    def __init__(self, path: Path) -> None:
        self.path, self._key = path, os.urandom(KEY_BYTES)
        self._encryptor = Cipher(AES(self._key), CTR(bytes(BLOCK_BYTES))).encryptor()
        self._file = path.open("wb")

    def write(self, piece: bytes) -> None:
        """Write the next piece."""
        self._file.write(self._encryptor.update(piece))

    def open(self) -> SealedFile:
        """Open it for reading; nothing is written any more."""
        self._file.close()
        return SealedFile(self.path, self._key)

    def close(self) -> None:
        """Close the file."""
        self._file.close()


class SealedFile(BoundedFile):
    """A sealed zip's file, readable at any place."""

    def __init__(self, path: Path, key: bytes) -> None:
        super().__init__(path)
        self._key = key

    def read(self, size: int | None = -1, /) -> bytes:
        """Read bytes; raise UserError("zip_many") rather than read a long list."""
        block, offset = divmod(self.tell(), BLOCK_BYTES)
        counter = block.to_bytes(BLOCK_BYTES, "big")
        decryptor = Cipher(AES(self._key), CTR(counter)).decryptor()
        decryptor.update(bytes(offset))
        return decryptor.update(super().read(size))


@contextmanager
def sealing_zip(folder: Path) -> Iterator[SealedZip]:
    """Yield an empty sealed zip in a folder; its file is removed after the block."""
    folder.mkdir(exist_ok=True)
    with TemporaryDirectory(dir=folder) as own:
        sealed = SealedZip(Path(own, "photos.zip"))
        try:
            yield sealed
        finally:
            sealed.close()
