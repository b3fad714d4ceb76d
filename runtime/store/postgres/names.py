"""From the names that users gave to the bytes of columns, and back."""

from __future__ import annotations

from ...errors import CheckpointCorrupted
from ..codec import unencodable


def utf8(text: str, place: str) -> bytes:
    """The bytes of a name. Raises SerializationError for lone surrogates."""
    try:
        return text.encode()
    except UnicodeEncodeError as error:
        raise unencodable(error, place) from None


def named(data: bytes, what: str) -> str:
    """The name of bytes. Raises CheckpointCorrupted."""
    try:
        return data.decode()
    except UnicodeDecodeError:
        raise CheckpointCorrupted(f"{what} is not what was written: it is no text") from None
