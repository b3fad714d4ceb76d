"""From the texts of records to the bytes of columns, large values apart, and back."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from contextlib import suppress

from ...errors import CheckpointCorrupted
from ..codec import REFERENCES, Codec
from ..seals import seal
from ..values import SHORT, addresses, addressing, decode_value, encode_value, pack, short, unpack
from .server import Server, Transaction

# Values of one record, by address.
Values = dict[bytes, str]

_KEEP = """
INSERT INTO ~value (name, data, seal) SELECT * FROM unnest($1::bytea[], $2::bytea[], $3::bytea[])
ON CONFLICT (name) DO UPDATE SET data = excluded.data, seal = excluded.seal
"""
_USE = "INSERT INTO ~value_use (run, value) SELECT $1, unnest($2::bytea[]) ON CONFLICT DO NOTHING"

# Everything of a run that can refer to values.
_COLUMNS = """
SELECT input FROM ~run WHERE key = $1 UNION ALL SELECT launch FROM ~run WHERE key = $1
UNION ALL SELECT snapshot FROM ~checkpoint WHERE run = $1 AND substr(snapshot, 1, 1) = '\\x00'
UNION ALL SELECT arguments FROM ~decision WHERE run = $1
UNION ALL SELECT mutations FROM ~decision WHERE run = $1
UNION ALL SELECT mutations FROM ~log WHERE run = $1 AND substr(mutations, 1, 1) = '\\x00'
UNION ALL SELECT detail FROM ~log WHERE run = $1 AND substr(detail, 1, 1) = '\\x00'
"""
_UNUSED = """
DELETE FROM ~value v WHERE v.name = ANY($1)
AND NOT EXISTS (SELECT 1 FROM ~value_use u WHERE u.value = v.name)
"""
# So many names of values that are known to be stored and good are remembered.
_REMEMBERED = 10_000


class Texts:
    """Encodes and decodes what passes through the store's codec."""

    def __init__(self, server: Server, codec: Codec) -> None:
        self._server = server
        self._codec = codec
        self._addressing = addressing(codec)
        self._known: set[bytes] = set()

    def encode(self, text: str, place: str, values: Values) -> bytes:
        """The column of a text; what is large in it goes to `values`. Raises SerializationError."""
        if len(text) > SHORT and self._addressing is not None:
            packed = pack(self._addressing, text, place)
            if packed is not None:
                values.update(packed.values)
                return packed.column
        return self._codec.encode(text, place)

    async def new(self, values: Values) -> tuple[list[bytes], list[bytes], list[bytes]]:
        """Names, data and seals of those values that are not stored, or no longer good."""
        asked = [name for name in values if name not in self._known]
        if asked:
            self._remember(await self._good(asked))
        # Always in one order: two sessions that add the same ones do not cross.
        names = sorted(name for name in values if name not in self._known)
        assert self._addressing is not None or not names
        data = [encode_value(self._addressing, name, values[name]) for name in names if self._addressing]
        return names, data, [seal(name, one) for name, one in zip(names, data, strict=True)]

    def kept(self, values: Values) -> None:
        """A transaction has stored these values."""
        self._remember(values)

    def forget(self) -> None:
        """Values that were known to be stored may have been deleted with the last run that used them."""
        self._known.clear()

    def _remember(self, names: Iterable[bytes]) -> None:
        if len(self._known) >= _REMEMBERED:
            self._known.clear()
        self._known.update(names)

    async def keep(self, work: Transaction, run: int, values: Values) -> None:
        """Keep values, and that a run uses them."""
        if values:
            names, data, seals = await self.new(values)
            if names:
                await work.rows(_KEEP, (names, data, seals))
            await work.rows(_USE, (run, sorted(values)))

    async def release(self, work: Transaction, run: int) -> None:
        """Columns of a run have been deleted: the values that it now no longer uses are dropped, and those
        that no other run uses are deleted."""
        # A commit of the run that is under way is waited for; one that comes later waits.
        await work.rows("SELECT 1 FROM ~run WHERE key = $1 FOR UPDATE", (run,))
        rows = await work.rows("SELECT value FROM ~value_use WHERE run = $1", (run,))
        gone = {bytes(row[0]) for row in rows}
        if not gone:
            return
        for (column,) in await work.rows(_COLUMNS, (run,)):
            try:
                gone.difference_update(addresses(column))
            except CheckpointCorrupted:
                return  # what is damaged may use anything
        await work.rows("DELETE FROM ~value_use WHERE run = $1 AND value = ANY($2)", (run, list(gone)))
        await self.delete_unused(work, gone)

    async def delete_unused(self, work: Transaction, names: Collection[bytes]) -> None:
        """Delete those of some values that no run uses."""
        if names:
            self.forget()
            await work.rows(_UNUSED, (sorted(names),))

    async def fetch(self, columns: Iterable[bytes]) -> Mapping[bytes, str]:
        """The values that columns refer to. What is missing or damaged is left out: `decode` says where."""
        if self._addressing is None:
            return {}
        names: set[bytes] = set()
        for column in columns:
            if column[:1] == _REFERENCE:
                try:
                    names.update(addresses(column))
                except CheckpointCorrupted:
                    continue
        if not names:
            return {}
        return await self._good(list(names))

    async def _good(self, names: list[bytes]) -> Values:
        assert self._addressing is not None
        found: Values = {}
        for name, data, checksum in await self._server.rows(
            "SELECT name, data, seal FROM ~value WHERE name = ANY($1)", (names,)
        ):
            if checksum != seal(name, data):
                continue
            with suppress(CheckpointCorrupted):
                found[name] = decode_value(self._addressing, name, data)
        return found

    def decode(self, column: bytes, place: str, values: Mapping[bytes, str]) -> str:
        """The text of a column. Raises CheckpointCorrupted, StorageError."""
        if self._addressing is None or column[:1] != _REFERENCE:
            return self._codec.decode(column, place)
        for name in addresses(column):
            if name not in values:
                raise CheckpointCorrupted(f"{place}: {short(name)} is missing or not what was written")
        return unpack(self._addressing, column, values, place)

    async def read(self, column: bytes, place: str) -> str:
        """The text of one column, its values fetched."""
        return self.decode(column, place, await self.fetch((column,)))


_REFERENCE = bytes((REFERENCES,))
