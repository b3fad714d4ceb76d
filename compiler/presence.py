"""From the edges and clauses of graphs to the optional fields that surely have a value at each node."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .model import Key

if TYPE_CHECKING:
    from .analyses import Analyses


class Presence:
    """Which fields surely have a value, by node."""

    __slots__ = ("analyses",)

    def __init__(self, analyses: Analyses) -> None:
        self.analyses = analyses

    def after(self, graph: Key, source: str) -> frozenset[str]:
        """The optional fields of the graph's state that surely have a value when the plain, `when` and `else`
        edges of a node (or of `start`) are tried."""
        return frozenset()
