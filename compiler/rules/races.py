"""Rules LG502 and LG503: branches that write what others write, or read it (see `effects/races.py`).

Both are about the same pairs of branches, so LG502's check finds both.
"""

from __future__ import annotations

from collections.abc import Iterator

from ...dsl.diagnostic import Diagnostic, Severity
from ..graph_view import GraphView
from ..model import MapNode, Parallel
from ..rule import Rule


def _races(view: GraphView) -> Iterator[Diagnostic]:
    if any(isinstance(node, Parallel | MapNode) for node in view.graph.nodes):
        from ..effects.races import races  # most graphs need none of it

        yield from races(view)


_STATE = """\
state Job {
  draft: str?
  size:  int = 0MERGE

  mutation Write(draft)
  mutation Measure(size)
}

"""
_GRAPH = """\
graph work(Job) {
  task write { records Write }
  task left  { reads draft  records LEFT }
  task right { reads draft  records RIGHT }
  task show  { reads size }

  parallel both {
    branch a = left
    branch b = right
  }

  start -> write -> both -> show -> end
}
"""
_BOTH = _GRAPH.replace("LEFT", "Measure").replace("RIGHT", "Measure")
_APART = """\
graph work(Job) {
  task write { records Write }
  task left  { reads FIELD }
  task right { records Measure }
  task show  { reads draft, size }

  parallel both {
    branch a = left
    branch b = right
  }

  start -> write -> both -> show -> end
}
"""

RACE = Rule(
    "LG502",
    "write-write-conflict",
    Severity.ERROR,
    "parallel branches write one field and their order matters, with both writes",
    "The result would depend on the order in which branches are joined, so the run would stop at the join. "
    "Updates that compose (`+=` with `+=`, maximum with maximum) need nothing; for others say how they "
    "are joined with `merge`.",
    _STATE.replace("MERGE", "") + _BOTH,
    _STATE.replace("MERGE", "  merge max") + _BOTH,
    check=_races,
    allowable=True,
)
STALE = Rule(
    "LG503",
    "stale-read",
    Severity.WARNING,
    "a branch reads a field that another branch writes",
    "It sees the value at the fork, whatever the other branch does meanwhile.",
    _STATE.replace("MERGE", "") + _APART.replace("FIELD", "size"),
    _STATE.replace("MERGE", "") + _APART.replace("FIELD", "draft"),
    allowable=True,
)

RULES = (RACE, STALE)
