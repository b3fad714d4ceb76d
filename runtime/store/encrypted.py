"""From the texts of a run to bytes that only the holder of a key can read: AES-GCM.

Needs the package `cryptography`, which comes with the extra `lgc[encrypted]`.

Layout: 0x01, a version byte, 12 random bytes, ciphertext with its tag. The place where the bytes stand is
authenticated with them, so that stored bytes can be neither altered nor moved to another run or step.
"""

from __future__ import annotations

from hashlib import blake2b
from importlib import import_module
from secrets import token_bytes
from typing import Any

from ..errors import StorageError
from .codec import ENCRYPTED, unencodable

VERSION = 1
_HEAD = bytes((ENCRYPTED, VERSION))
_NONCE = 12


class EncryptedCodec:
    """Encrypts everything that may hold a user's data.

    Names of graphs, nodes and actors, times and error texts stay readable: they are what one looks for.

    Args:
        key: 16, 24 or 32 random bytes, kept outside the store.

    Raises StorageError for a key of another length, or where the package `cryptography` is missing.
    """

    name = "aes-gcm"

    def __init__(self, key: bytes) -> None:
        try:
            ciphers: Any = import_module("cryptography.hazmat.primitives.ciphers.aead")
            exceptions: Any = import_module("cryptography.exceptions")
        except ImportError:
            raise StorageError(
                "encrypted stores need the package `cryptography`", hint="pip install 'lgc[encrypted]'"
            ) from None
        if len(key) not in (16, 24, 32):
            raise StorageError(
                f"a key has 16, 24 or 32 bytes, not {len(key)}", hint="make one with `os.urandom(32)`"
            )
        self._cipher: Any = ciphers.AESGCM(key)
        self._invalid: type[Exception] = exceptions.InvalidTag
        # A key of its own, so that the two uses cannot get in each other's way.
        self._naming = blake2b(b"addresses", key=key, person=b"lgc values").digest()

    def encode(self, text: str, place: str) -> bytes:
        """Encrypted bytes. Raises SerializationError for lone surrogates."""
        try:
            data = text.encode()
        except UnicodeEncodeError as error:
            raise unencodable(error, place) from None
        nonce = token_bytes(_NONCE)
        sealed: bytes = self._cipher.encrypt(nonce, data, _bound(place))
        return _HEAD + nonce + sealed

    def address(self, text: str) -> bytes:
        """A hash of the text that only the holder of the key can make: nobody else can try out guesses."""
        return blake2b(text.encode(), key=self._naming, digest_size=32).digest()

    def decode(self, data: bytes, place: str) -> str:
        """The text. Raises StorageError for what was not encrypted with this key for this place."""
        if data[:1] != _HEAD[:1]:
            raise StorageError(
                f"{place} is not encrypted, and this store only accepts what is",
                hint="it was written without the key; look at who can write to the store",
            )
        if data[1:2] != _HEAD[1:]:
            raise StorageError(f"{place} is encrypted in a newer way", hint="use the lgc that wrote it")
        nonce, rest = data[2 : 2 + _NONCE], data[2 + _NONCE :]
        try:
            data = self._cipher.decrypt(nonce, rest, _bound(place))
            return data.decode()
        except (self._invalid, ValueError):
            raise StorageError(
                f"{place} was not encrypted with this key, or not for this place",
                hint="open the store with the key that it was written with",
            ) from None


def _bound(place: str) -> bytes:
    return _HEAD + place.encode()
