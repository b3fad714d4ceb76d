"""From a stored run and two versions of its graph to a verdict."""

from __future__ import annotations

from ..forms.version import Version
from ..store.protocols import Store
from ..store.records import RunRecord
from .verdict import RunVerdict


class Judge:
    """Judges runs of one version for another; what is the same for many runs is worked out once."""

    def __init__(self, old: Version, new: Version) -> None:
        self.old = old
        self.new = new

    async def judge(self, store: Store, run: RunRecord) -> RunVerdict:
        """The verdict for a run that is under `old`. Reads the store, changes nothing, calls no user code.

        Raises CheckpointCorrupted, StorageError.
        """
        raise NotImplementedError
