"""Large values in SQLite: each once for the whole file, for as long as a run uses it. What writes is called
inside a transaction."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import suppress

from ...errors import CheckpointCorrupted
from ..codec import Codec
from ..records import MutationRecord
from ..seals import seal
from ..values import (
    SHORT,
    Addressing,
    addresses,
    addressing,
    decode_value,
    encode_value,
    may_be_large,
    missing,
    pack,
    short,
    unpack,
)
from .database import Database

# Values that were just read are kept up to so many characters: the next record often has them, too.
_CACHED = 4 << 20

# Everything of a run that can refer to values, what most likely does first.
_COLUMNS = (
    "SELECT input, launch FROM run WHERE key = ?",
    "SELECT snapshot, x'' FROM checkpoint WHERE run = ? AND substr(snapshot, 1, 1) = x'00'"
    " ORDER BY step DESC",
    "SELECT arguments, mutations FROM decision WHERE run = ?",
    "SELECT mutations, detail FROM log WHERE run = ?"
    " AND (substr(mutations, 1, 1) = x'00' OR substr(detail, 1, 1) = x'00') ORDER BY step DESC",
)


class ValueTable:
    """Between texts and columns: keeps what is large in them once."""

    def __init__(self, database: Database, codec: Codec) -> None:
        self._database = database
        self._codec = codec
        self._addressing = addressing(codec)
        self._cache: dict[bytes, str] = {}
        self._cached = 0

    def concern(self, record: MutationRecord) -> bool:
        """Whether a record may have large values, so that more than its row is to be written."""
        if self._addressing is None or (len(record.mutations) <= SHORT and len(record.detail) <= SHORT):
            return False
        return may_be_large(record.mutations) or may_be_large(record.detail)

    def encode(self, text: str, place: str, run: int) -> bytes:
        """The bytes of a column of a run; its large values are kept. Raises SerializationError."""
        codec = self._addressing
        packed = None if codec is None else pack(codec, text, place)
        if codec is None or packed is None:
            return self._codec.encode(text, place)
        for address, value in packed.values.items():
            self._database.rows(
                "INSERT OR IGNORE INTO value_use (run, value) VALUES (?, ?)",
                (run, self._keep(codec, address, value)),
            )
        return packed.column

    def _keep(self, codec: Addressing, address: bytes, text: str) -> int:
        find = "SELECT key, data, seal FROM value WHERE name = ?"
        found = self._database.row(find, (address,))
        if found is not None and found[2] == seal(address, found[1]):
            return int(found[0])
        # Nothing new may rest on a value that is damaged: it is written again.
        data = encode_value(codec, address, text)
        self._database.rows(
            "INSERT INTO value (name, data, seal) VALUES (?, ?, ?)"
            " ON CONFLICT (name) DO UPDATE SET data = excluded.data, seal = excluded.seal",
            (address, data, seal(address, data)),
        )
        found = self._database.row(find, (address,))
        assert found is not None
        return int(found[0])

    def fresh(self) -> None:
        """Read values from the file again, not from what is remembered of it."""
        self._cache.clear()
        self._cached = 0

    def decode(self, column: bytes, place: str) -> str:
        """The text of a column. Raises CheckpointCorrupted, StorageError."""
        codec = self._addressing
        if codec is None or column[:1] != b"\x00":
            return self._codec.decode(column, place)
        values = {address: self._value(address) for address in dict.fromkeys(addresses(column))}
        return unpack(codec, column, values, place)

    def _value(self, address: bytes) -> str:
        text = self._cache.get(address)
        if text is None:
            row = self._database.row("SELECT data, seal FROM value WHERE name = ?", (address,))
            if row is None:
                raise missing(address)
            if not isinstance(row[0], bytes) or row[1] != seal(address, row[0]):
                raise CheckpointCorrupted(f"{short(address)} is not what was written: its checksum is wrong")
            assert self._addressing is not None
            text = decode_value(self._addressing, address, row[0])
            self._remember(address, text)
        return text

    def _remember(self, address: bytes, text: str) -> None:
        if self._cached + len(text) > _CACHED:
            self.fresh()
        if len(text) <= _CACHED:
            self._cache[address] = text
            self._cached += len(text)

    def release(self, run: int, columns: Iterable[bytes]) -> None:
        """Columns of a run have been deleted: the values that it now no longer uses are dropped, and those
        that no other run uses are deleted."""
        gone: set[bytes] = set()
        for column in columns:
            with suppress(CheckpointCorrupted):
                gone.update(addresses(column))
        remaining = self._columns(run) if gone else iter(())
        for column in remaining:
            try:
                gone.difference_update(addresses(column))
            except CheckpointCorrupted:
                return  # what is damaged may use anything
            if not gone:
                return
        for address in gone:
            row = self._database.row("SELECT key FROM value WHERE name = ?", (address,))
            if row is not None:
                self._database.rows("DELETE FROM value_use WHERE run = ? AND value = ?", (run, row[0]))
                self._database.rows(
                    "DELETE FROM value WHERE key = ?"
                    " AND NOT EXISTS (SELECT 1 FROM value_use u WHERE u.value = value.key)",
                    row,
                )

    def _columns(self, run: int) -> Iterator[bytes]:
        if self._addressing is None:
            return
        for select in _COLUMNS:
            for row in self._database.connection.execute(select, (run,)):
                yield from row
