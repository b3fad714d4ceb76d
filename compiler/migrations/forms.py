"""The stored forms of graphs that migrations are checked against."""

from __future__ import annotations

from collections.abc import Iterable

from .reading import read_form
from .shape import Shape

FEWEST_DIGITS = 16


class Forms:
    """The shapes of some older graphs, by their hashes."""

    def __init__(self, texts: Iterable[str] = ()) -> None:
        """`texts` are canonical JSON, one graph each. Raises ValueError where one is not."""
        self._by_hash: dict[str, Shape] = {}
        for text in texts:
            self.add(text)

    def add(self, text: str) -> None:
        """Add a graph by its canonical JSON. Raises ValueError where it is none."""
        shape = read_form(text)
        self._by_hash[shape.hash] = shape

    def of(self, written: str) -> Shape | None:
        """The graph of a hash as written: in full, or at least its first 16 digits."""
        if len(written) < len("lg1:") + FEWEST_DIGITS:
            return None
        return next((shape for hash, shape in self._by_hash.items() if hash.startswith(written)), None)

    def beginning(self, written: str) -> list[str]:
        """The hashes that begin so, however short it is."""
        return [hash for hash in self._by_hash if hash.startswith(written)]

    def named(self, graph: str) -> list[str]:
        """The hashes of the graphs of that name."""
        return [hash for hash, shape in self._by_hash.items() if shape.name == graph]
