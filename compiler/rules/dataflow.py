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
UNUSED_FIELD = Rule(
    "LG504",
    "unused-field",
    Severity.WARNING,
    "a field that is never read and never shown, or that no mutation sets and that is never an input",
    "It is stored at every step for nothing, or never has another value than its default.",
    "state Job {\n  size: int = 0\n}\n\ngraph work(Job) {\n  task plan\n\n  start -> plan -> end\n}\n",
    "state Job {\n  size: int\n}\n\ngraph work(Job) {\n  task plan { reads size }\n\n  start -> "
    "plan -> end\n}\n",
    active=False,
    allowable=True,
)
UNUSED_MUTATION = Rule(
    "LG505",
    "unused-mutation",
    Severity.WARNING,
    "a mutation that no node records",
    "It can never happen.",
    "state Job {\n  size: int = 0\n\n  mutation Measure(size)\n}\n\n"
    "graph work(Job) {\n  task plan { reads size }\n\n  start -> plan -> end\n}\n",
    "state Job {\n  size: int = 0\n\n  mutation Measure(size)\n}\n\n"
    "graph work(Job) {\n  task plan { reads size  records Measure }\n\n  start -> plan -> end\n}\n",
    active=False,
    allowable=True,
)
TRANSIENT = Rule(
    "LG508",
    "transient-in-logic",
    Severity.ERROR,
    "a transient field in a guard, a mutation, `shows` or a map",
    "It is not stored, so a run that is restored could take another way than it took before.",
    "state Job {\n  transient fast: bool = false\n}\n\n"
    "graph work(Job) {\n  task plan\n\n  start -> plan when fast\n  start -> end  else\n  plan -> end\n}\n",
    "state Job {\n  fast: bool = false\n}\n\n"
    "graph work(Job) {\n  task plan\n\n  start -> plan when fast\n  start -> end  else\n  plan -> end\n}\n",
    active=False,
)

RULES = (REQUIRED, *races.RULES, UNUSED_FIELD, UNUSED_MUTATION, TRANSIENT)
