"""From Python values to parameters of PostgreSQL in binary form."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from struct import Struct, pack

from ...errors import SerializationError

_INT8, _FLOAT8, _BYTEA = 20, 701, 17  # the server's numbers of these types; they never change

int8: Callable[[int], bytes] = Struct("!q").pack
_float8 = Struct("!d").pack
_length = Struct("!i").pack
_EIGHT = _length(8)


def float8(number: float) -> bytes:
    """A number. -0.0 becomes 0.0, as in other stores. Raises SerializationError for what is none."""
    if number != number:
        raise SerializationError("nan is not a number that a store keeps")
    return _float8(number + 0.0)


def array_of_int8(items: Sequence[bytes]) -> bytes:
    """An array of numbers that `int8` has made."""
    return _head(_INT8, len(items)) + b"".join([_EIGHT + item for item in items])


def array_of_float8(items: Sequence[bytes]) -> bytes:
    """An array of numbers that `float8` has made."""
    return _head(_FLOAT8, len(items)) + b"".join([_EIGHT + item for item in items])


def array_of_bytea(items: Sequence[bytes]) -> bytes:
    """An array of byte strings."""
    parts: list[bytes] = [_head(_BYTEA, len(items))]
    for item in items:
        parts.append(_length(len(item)))
        parts.append(item)
    return b"".join(parts)


def _head(kind: int, count: int) -> bytes:
    return pack("!5i", 1, 0, kind, count, 1)
