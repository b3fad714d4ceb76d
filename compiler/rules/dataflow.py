"""Rules LG501-LG508: what is known of fields along the ways of a graph; found by a later edition."""

from __future__ import annotations

from ...dsl.diagnostic import Severity
from ..rule import Rule
from . import races

_STATE = """\
state Job {
  draft: str?
  size:  int = 0

  mutation Write(draft)
  mutation Measure(size)
}

"""
REQUIRED = Rule(
    "LG501",
    "not-ensured",
    Severity.ERROR,
    "`f!` read where a path does not ensure it, with the path",
    "On that path the field may be none, and the node would fail before it begins.",
    _STATE + "graph work(Job) {\n  task write { records Write }\n"
    "  task measure { reads draft!  records Measure }\n\n"
    "  start -> write -> measure -> end\n}\n",
    _STATE + "graph work(Job) {\n  task write { records Write  ensures draft }\n"
    "  task measure { reads draft!  records Measure }\n\n  start -> write -> measure -> end\n}\n",
    active=False,
    allowable=True,
)
RULES = (REQUIRED, *races.RULES)
