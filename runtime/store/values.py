"""From a long JSON text to its skeleton and the large values in it, and back, byte for byte.

A *value* is a string, list or object of more than 32 KiB (of UTF-8) in which nothing smaller is as large. The
same value is the same text wherever it stands, in a mutation's parameter, an input or a snapshot, so that a
store can keep it once, under an *address* that its codec derives from the text.

A column with values in it is stored as

    0x00, version, count (4 bytes), the addresses (32 bytes each), the codec's bytes for the skeleton

and the skeleton is the lengths of the pieces between the values, a line end, and the pieces. The addresses
are in clear, so that it can be seen without a key which values are used; the place that the skeleton is
encoded for names them, so that an encrypted one holds only with these values in this order.

Nothing here needs valid JSON: what has no large strings, lists or objects in it stays as it is.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from hashlib import blake2b
from typing import NamedTuple, Protocol, cast

from ..errors import CheckpointCorrupted, LgcError
from .codec import REFERENCES, Codec, unencodable

LARGE = 32 * 1024
ADDRESS = 32
VERSION = 1

_HEAD = bytes((REFERENCES, VERSION))
_START = len(_HEAD) + 4
# A character takes at most four bytes: shorter texts need no closer look.
SHORT = LARGE // 4
# A string that does not end is one up to the end of the text: no text is looked at twice.
_TOKEN = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"?|[\[{]|[\]}]', re.DOTALL)


class Addressing(Codec, Protocol):
    """A codec that gives texts addresses: large values are kept once."""

    def address(self, text: str) -> bytes:
        """See `Codec`."""
        ...


class Packed(NamedTuple):
    """A column as it is stored, and the values that it refers to, by address."""

    column: bytes
    values: dict[bytes, str]


def addressing(codec: Codec) -> Addressing | None:
    """The codec, where it gives addresses. Others keep large values where they stand: an address that is not
    made with the codec's key would let readers of the store confirm what they guess."""
    return cast(Addressing, codec) if hasattr(codec, "address") else None


def may_be_large(text: str) -> bool:
    """Whether a closer look at a text is due. False for nearly all texts, and quick."""
    size = len(text)
    return size > SHORT and (size > LARGE or not text.isascii())


def pack(codec: Addressing, text: str, place: str) -> Packed | None:
    """The column for a text with large values; None for one without: encode that with the codec.

    Raises SerializationError for lone surrogates.
    """
    if not may_be_large(text):
        return None
    try:
        data = text.encode()
    except UnicodeEncodeError as error:
        raise unencodable(error, place) from None
    spans = large_spans(data)
    if not spans:
        return None
    values: dict[bytes, str] = {}
    addresses: list[bytes] = []
    pieces: list[str] = []
    last = 0
    for start, end in spans:
        pieces.append(data[last:start].decode())
        value = data[start:end].decode()
        address = codec.address(value)
        values[address] = value
        addresses.append(address)
        last = end
    pieces.append(data[last:].decode())
    skeleton = ",".join(str(len(piece)) for piece in pieces) + "\n" + "".join(pieces)
    head = _HEAD + len(addresses).to_bytes(4, "big") + b"".join(addresses)
    return Packed(head + codec.encode(skeleton, _bound(place, head)), values)


def large_spans(data: bytes) -> list[tuple[int, int]]:
    """Where the values stand in a text: from, to. Takes time in proportion to the text, however deep."""
    found: list[tuple[int, int]] = []
    open: list[int] = []
    for token in _TOKEN.finditer(data):
        start, end = token.span()
        if data[start] == 0x22:
            if end - start > LARGE:
                found.append((start, end))
        elif data[start] in b"[{":
            open.append(start)
        elif open:
            start = open.pop()
            if end - start > LARGE and not (found and found[-1][0] > start):
                found.append((start, end))
    return found


def addresses(column: bytes) -> list[bytes]:
    """Which values a stored column refers to, in order, each as often as it stands there.

    Raises CheckpointCorrupted where the column cannot be read.
    """
    if column[:1] != _HEAD[:1]:
        return []
    if column[1:2] != _HEAD[1:]:
        raise CheckpointCorrupted(f"references to large values in an unknown form ({column[1:2].hex()})")
    count = int.from_bytes(column[2:_START], "big")
    end = _START + count * ADDRESS
    if not count or len(column) < end or len(column) < _START:
        raise CheckpointCorrupted("references to large values are cut short")
    return [column[at : at + ADDRESS] for at in range(_START, end, ADDRESS)]


def unpack(codec: Addressing, column: bytes, values: Mapping[bytes, str], place: str) -> str:
    """The text of a column and its values.

    Raises CheckpointCorrupted, and StorageError where the codec does not know its bytes.
    """
    used = addresses(column)
    end = _START + len(used) * ADDRESS
    skeleton = codec.decode(column[end:], _bound(place, column[:end]))
    line, _, rest = skeleton.partition("\n")
    try:
        lengths = [int(length) for length in line.split(",")]
    except ValueError:
        lengths = []
    if len(lengths) != len(used) + 1 or sum(lengths) != len(rest) or min(lengths) < 0:
        raise CheckpointCorrupted(f"{place}: the text between large values is not what was written")
    parts = [rest[: lengths[0]]]
    at = lengths[0]
    for address, length in zip(used, lengths[1:], strict=True):
        parts += (values[address], rest[at : at + length])
        at += length
    return "".join(parts)


def encode_value(codec: Addressing, address: bytes, text: str) -> bytes:
    """The bytes of a value. It is shared between runs, so its place is its address."""
    return codec.encode(text, f"value {address.hex()}")


def decode_value(codec: Addressing, address: bytes, data: bytes) -> str:
    """The text of a value. Raises CheckpointCorrupted where it is not the one of the address."""
    try:
        text = codec.decode(data, f"value {address.hex()}")
        good = codec.address(text) == address
    except LgcError as error:
        raise CheckpointCorrupted(f"{short(address)} cannot be read: {error.message}") from error
    if not good:
        raise CheckpointCorrupted(f"{short(address)} is not what was written")
    return text


def missing(address: bytes) -> CheckpointCorrupted:
    """The error for a value that is used and is not there."""
    return CheckpointCorrupted(f"{short(address)} is missing")


def short(address: bytes) -> str:
    """A value, for messages."""
    return f"large value {address.hex()[:16]}"


def _bound(place: str, head: bytes) -> str:
    return f"{place} with {blake2b(head, digest_size=16).hexdigest()}"
