"""From a canonical form to a graph that a log can be replayed with."""

from __future__ import annotations

from typing import Any

from ..graph import Graph
from .version import Version


def graph_of(version: Version) -> Graph[Any]:
    """The graph of a version, without functions. Raises ValueError."""
    raise ValueError(f"no graph can be made of {version.hash}")
