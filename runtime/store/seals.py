"""Checksums of stored rows: what is read is what was written.

They find accidents, not forgers: who can write to the file can also compute them (an `EncryptedCodec`
binds what it encrypts to its place with a key).
"""

from __future__ import annotations

from hashlib import blake2b
from struct import Struct

SIZE = 16

# What every step needs, made once: copying a hash is quicker than setting one up.
_pack = Struct("<8q3d").pack
_empty = blake2b(digest_size=SIZE).copy


def seal(*columns: object) -> bytes:
    """Checksum of a row. Types count: 1, 1.0, "1" and b"1" differ."""
    # `ascii`, as `repr` depends on the Unicode tables of the Python version.
    parts = [blake2b(column).digest() if isinstance(column, bytes) else column for column in columns]
    return blake2b(ascii(parts).encode(), digest_size=SIZE).digest()


def override_seal(*columns: object) -> bytes:
    """Checksum of the row of a move, whose mode comes last. A forced one is sealed as it was before there
    were others."""
    return seal(*columns[:-1]) if columns[-1] in ("force", b"force") else seal(*columns)


def first_sum(run: str) -> bytes:
    """What the first record of a log is chained to: binds the log to its run."""
    return blake2b(run.encode(), digest_size=SIZE).digest()


def log_sum(
    before: bytes,
    step: int,
    frame: str,
    node: str,
    visit: int,
    outcome: str,
    next: str,
    edge: str,
    mutations: bytes,
    time: float,
    duration: float,
    attempt: int,
    cost: float,
    error: str,
    checkpoint: int,
    hash: int,
    detail: bytes,
) -> bytes:
    """Checksum of a log record, over the record before it and every column of its own."""
    texts = f"{frame}\0{node}\0{outcome}\0{next}\0{edge}\0{error}".encode()
    numbers = _pack(
        step, visit, attempt, checkpoint, hash, len(texts), len(mutations), len(detail), time, duration, cost
    )
    sum = _empty()
    sum.update(b"".join((before, numbers, texts, mutations, detail)))
    return sum.digest()
