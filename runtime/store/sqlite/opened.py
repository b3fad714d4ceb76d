"""Everything that works on an open SQLite file, put together."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager

from ..codec import Codec
from .bulk import Bulk
from .checkpoints import Checkpoints
from .commits import CommitWriter
from .database import Database
from .ledger import Ledger
from .registry import Registry
from .replay import Replay
from .upkeep import Upkeep
from .value_table import ValueTable


class Opened:
    """Everything that works on an open file."""

    def __init__(self, database: Database, codec: Codec) -> None:
        self.database = database
        values = ValueTable(database, codec)
        self.ledger = Ledger(database, codec, values)
        self.replay = Replay(database, self.ledger, codec, values)
        self.checkpoints = Checkpoints(database, self.ledger, self.replay, values)
        self.bulk = Bulk(database, self.replay, self.checkpoints)
        self.registry = Registry(database, self.ledger, values)
        self.upkeep = Upkeep(database, self.ledger)
        self.writer = CommitWriter(database, self.ledger, self.checkpoints, self.registry)

    @contextmanager
    def change(self) -> Generator[None]:
        """One transaction; if it fails, what the ledger remembered of it is forgotten."""
        try:
            with self.database.transaction():
                yield
        except BaseException:
            self.ledger.forget()
            raise
