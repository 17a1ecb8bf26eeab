"""Photos on the disk, encrypted if the operator sets a key; all are read and written here.

    magic (8 bytes)  key id (8)  digest (32)  nonce (12)  AES-GCM ciphertext and tag

Magic, key id and digest are authenticated with the content, so that no photo can stand in for
another; a text about one is bound to its column, too. A file without the magic is not encrypted,
as before a key was set. A process uses the keys that it was started with; they are the same for
all its data folders.
"""

from __future__ import annotations

import base64
import binascii
import filecmp
import hashlib
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from storage.errors import UserError
from storage.folders import write_whole

MAGIC = b"SLPHOTO\x01"
SEAL = "sealed:"  #: begins a text in the database that is encrypted, and no JSON
KEY_BYTES, ID_BYTES, DIGEST_BYTES, NONCE_BYTES = 32, 8, 32, 12
AUTHENTICATED = len(MAGIC) + ID_BYTES + DIGEST_BYTES  #: bytes at the start of a file
HEADER_BYTES = AUTHENTICATED + NONCE_BYTES


class Header(NamedTuple):
    """What an encrypted photo says of itself."""

    key: str  #: id, hex
    digest: str  #: of the photo, hex


class PhotoKeys:
    """Keys by their ids: the first one encrypts, all decrypt."""

    def __init__(self, keys: Sequence[bytes] = ()) -> None:
        self._ciphers = {key_id(key): AESGCM(key) for key in keys}

    @classmethod
    def parse(cls, text: str) -> PhotoKeys:
        """Return the keys of a setting; raise ValueError for what is not one of `new_key`."""
        return cls([parse_key(part.strip()) for part in text.split(",") if part.strip()])

    @property
    def ids(self) -> list[str]:
        """The ids of all keys, that of the first one first."""
        return list(self._ciphers)

    @property
    def current(self) -> str:
        """The id of the key that encrypts; "" without one."""
        return next(iter(self._ciphers), "")

    def encrypt(self, content: bytes, digest: str, purpose: str = "") -> bytes:
        """Return a photo, or with a purpose something else of it, as it is stored."""
        if not self.current:
            return content
        start = MAGIC + bytes.fromhex(self.current) + bytes.fromhex(digest)
        nonce = os.urandom(NONCE_BYTES)
        bound = start + purpose.encode()
        return start + nonce + self._ciphers[self.current].encrypt(nonce, content, bound)

    def decrypt(self, stored: bytes, name: str, purpose: str = "") -> bytes:
        """Return a stored photo's content, given with the name of its file.

        Raises UserError "photo_key_missing", or "photo_broken" if it was changed.
        """
        header = parse_header(stored)
        if header is None:
            return stored
        if header.key not in self._ciphers:
            raise UserError("photo_key_missing", key=header.key)
        stem = Path(name).stem
        if len(stem) == len(header.digest) and stem != header.digest:  # another photo's file
            raise UserError("photo_broken", file=name)
        nonce, start = stored[AUTHENTICATED:HEADER_BYTES], stored[:AUTHENTICATED]
        bound = start + purpose.encode()
        try:
            content = memoryview(stored)[HEADER_BYTES:]
            return self._ciphers[header.key].decrypt(nonce, content, bound)
        except InvalidTag:
            raise UserError("photo_broken", file=name) from None

    def seal(self, text: str, digest: str, column: str) -> str:
        """Return a text about a photo as its column stores it."""
        if not self.current:
            return text
        return SEAL + base64.b64encode(self.encrypt(text.encode(), digest, column)).decode()

    def unseal(self, stored: str, digest: str, column: str) -> str:
        """Return a text about a photo; raise what `decrypt` does."""
        if not stored.startswith(SEAL):
            return stored
        return self.decrypt(base64.b64decode(stored[len(SEAL) :]), digest, column).decode()

    def knows(self, key: str) -> bool:
        """Return whether there is a key of this id."""
        return key in self._ciphers


class _Used:
    """The keys of this process."""

    keys = PhotoKeys()


def use_keys(keys: PhotoKeys) -> None:
    """Use these keys from now on."""
    _Used.keys = keys


def used_keys() -> PhotoKeys:
    """Return the keys that this process uses."""
    return _Used.keys


@contextmanager
def using_keys(keys: PhotoKeys) -> Iterator[None]:
    """Use keys inside the block."""
    before = used_keys()
    use_keys(keys)
    try:
        yield
    finally:
        use_keys(before)


def new_key() -> str:
    """Return a random key, as the setting takes it."""
    return base64.urlsafe_b64encode(os.urandom(KEY_BYTES)).decode()


def parse_key(text: str) -> bytes:
    """Return a key; raise ValueError without repeating it."""
    try:
        key = base64.b64decode(text, altchars=b"-_", validate=True)
    except binascii.Error:
        key = b""
    if len(key) != KEY_BYTES:
        raise ValueError(
            "each key is 32 random bytes in base64; safelight encrypt --new-key makes one"
        )
    return key


def key_id(key: bytes) -> str:
    """Return by what a key is told apart, which tells nothing of it."""
    return hashlib.sha256(b"safelight photo key" + key).hexdigest()[: 2 * ID_BYTES]


def write_photo(path: Path, content: bytes, digest: str) -> None:
    """Write the pixels or preview of a photo atomically, encrypted if there is a key."""
    write_whole(path, used_keys().encrypt(content, digest))


def read_photo(path: Path) -> bytes:
    """Return a photo's content.

    Raises UserError "photo_key_missing" or "photo_broken", or FileNotFoundError.
    """
    return used_keys().decrypt(path.read_bytes(), path.name)


def read_photo_start(path: Path, count: int) -> bytes:
    """Return a photo's first bytes; of an encrypted one, all is read for that."""
    header = read_header(path)
    if header is not None:
        return read_photo(path)[:count]
    with path.open("rb") as file:
        return file.read(count)


def read_header(path: Path) -> Header | None:
    """Return an encrypted photo's header, None if it is not encrypted."""
    with path.open("rb") as file:
        return parse_header(file.read(HEADER_BYTES))


def parse_header(stored: bytes) -> Header | None:
    """Return the header that a file begins with, None if it is not encrypted."""
    if len(stored) < HEADER_BYTES or not stored.startswith(MAGIC):
        return None
    middle = AUTHENTICATED - DIGEST_BYTES
    return Header(stored[len(MAGIC) : middle].hex(), stored[middle:AUTHENTICATED].hex())


def read_sealed_key(stored: str) -> str:
    """Return the id of the key of a text in the database; "" if it is not encrypted."""
    if not stored.startswith(SEAL):
        return ""
    header = parse_header(base64.b64decode(stored[len(SEAL) :]))
    return header.key if header else ""


def is_same_photo(one: Path, other: Path) -> bool:
    """Return whether two files hold the same photo, also under different keys."""
    header = read_header(one)
    if header is None:
        return filecmp.cmp(one, other, shallow=False)
    there = read_header(other)
    return there is not None and there.digest == header.digest
