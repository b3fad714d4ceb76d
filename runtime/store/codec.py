"""From the JSON texts of a run to the bytes that a store keeps, and back.

Everything that may hold a user's data (input, mutations, details, snapshots, answers, launch) passes through
the store's codec. The first byte says what the rest is, so that a reader can never take one for the other:
JSON text never starts with a control character, 0x00 is kept for references to large values and 0x01 marks
encrypted bytes.
"""

from __future__ import annotations

from hashlib import blake2b
from typing import Protocol

from ..errors import SerializationError, StorageError

REFERENCES = 0x00
ENCRYPTED = 0x01


class Codec(Protocol):
    """Turns text into bytes and back.

    A codec may also have `address(text) -> bytes`: 32 bytes that nobody gets for another text, under which
    a store keeps a large value once. One that encrypts has to derive them with its key. Without the method
    large values are kept where they stand, and the first byte of what it encodes is its own business.
    """

    @property
    def name(self) -> str:
        """Name of the format, noted in the store so that it is only opened with the same one."""
        ...

    def encode(self, text: str, place: str) -> bytes:
        """Bytes for a text. `place` (`RUN@STEP mutations`) names where they will stand.

        Raises SerializationError where the text cannot be written.
        """
        ...

    def decode(self, data: bytes, place: str) -> str:
        """The text of bytes that were encoded for the same place.

        Raises StorageError where they were not made by this codec, with its key, for this place.
        """
        ...


class JsonCodec:
    """Text as UTF-8, readable with any tool. The default."""

    name = "json"

    def encode(self, text: str, place: str) -> bytes:
        """UTF-8 bytes. Raises SerializationError for lone surrogates, which have none."""
        try:
            return text.encode()
        except UnicodeEncodeError as error:
            raise unencodable(error, place) from None

    def address(self, text: str) -> bytes:
        """The BLAKE2b hash of the text."""
        return blake2b(text.encode(), digest_size=32).digest()

    def decode(self, data: bytes, place: str) -> str:
        """The text. Raises StorageError where the bytes are encrypted or are no text."""
        if data[:1] == b"\x01":
            raise StorageError(
                f"{place} is encrypted",
                hint="open the store with `codec=EncryptedCodec(key)`",
            )
        try:
            return data.decode()
        except UnicodeDecodeError:
            raise StorageError(f"{place} is not UTF-8 text") from None


def unencodable(error: UnicodeEncodeError, place: str) -> SerializationError:
    """The error for a text with half of a surrogate pair in it."""
    return SerializationError(
        f"{place}: character {error.start} is the lone surrogate U+{ord(error.object[error.start]):04X}, "
        "which is not text",
        hint="decode the text that it comes from correctly (errors='replace' at the least)",
    )
