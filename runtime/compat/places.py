"""From two versions of a graph to what can be said of every run, by the place where it is parked."""

from __future__ import annotations

from ..forms.version import Version
from .verdict import GraphVerdict


def judge_graph(old: Version, new: Version) -> GraphVerdict:
    """The verdict without any run."""
    raise NotImplementedError
