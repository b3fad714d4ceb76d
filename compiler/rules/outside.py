"""Rules LG801 and LG901: failed scenarios and stale code. Other commands than `lgc check` find them."""

from __future__ import annotations

from ...dsl.diagnostic import Severity
from ..rule import Rule

_JOB = """\
state Job {
  size: int = 0

  mutation Measure(size)
}

graph work(Job) {
  task plan { reads size  records Measure }

  start -> plan -> end
}
"""


def _scenario(size: int) -> str:
    return (
        f'{_JOB}\nscenario "one step" for work {{\n  plan records Measure(3)\n  expect size == {size}\n}}\n'
    )


RULES = (
    Rule(
        "LG801",
        "failed-scenario",
        Severity.ERROR,
        "a scenario that fails, with the step, what was expected and what happened",
        "The graph does not do what its scenario says. `lgc test` runs scenarios.",
        _scenario(4),
        _scenario(3),
        by="lgc test",
    ),
    Rule(
        "LG901",
        "stale-code",
        Severity.ERROR,
        "generated code that does not match its source",
        "What runs is then not what is written. `lgc build --check` compares; `lgc build` writes it anew. "
        "A run whose generated module is stale is not started.",
        _JOB,
        _JOB,
        by="lgc build --check",
    ),
)
