"""Rules LG701-LG709, LG801, LG901: a graph beside older graphs, scenarios and generated code."""

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
_HASH = "lg1:" + "0" * 64


def _migrate(body: str, source: str = _HASH) -> str:
    return f'{_JOB}\nmigrate work from "{source}" {{\n  {body}\n}}\n'


def _rule(number: int, name: str, summary: str, why: str, example: str, repair: str, active: bool) -> Rule:
    fixable = number in (704, 705, 706)  # names that are not there
    words = (summary, why, example, repair)
    return Rule(f"LG{number}", name, Severity.ERROR, *words, active=active, fixable=fixable)


RULES = (
    _rule(
        701,
        "unknown-source-hash",
        "a migration from a graph that is not known",
        "What a migration changes is checked against the stored form of the old graph, found by its hash.",
        _migrate("rename field length to size", "first version"),
        _migrate("rename field length to size"),
        True,
    ),
    _rule(
        702,
        "incomplete-migration",
        "a migration after which a durable field has no value",
        "A run that was stored under the old graph could not go on.",
        _migrate("drop field other"),
        _migrate("set size = 0"),
        False,
    ),
    _rule(
        703,
        "migrated-type",
        "a migration that gives a field a value of another type",
        "The stored state would not be a state of the new graph.",
        _migrate('set size = "small"'),
        _migrate("set size = 0"),
        False,
    ),
    _rule(
        704,
        "migrated-node",
        "a migration that names a node which is not there",
        "A run could not be parked at it.",
        _migrate("rename node draft to pln"),
        _migrate("rename node draft to plan"),
        True,
    ),
    _rule(
        705,
        "migrated-field",
        "a migration that names a field which is not there",
        "There is no place for its value.",
        _migrate("rename field length to sze"),
        _migrate("rename field length to size"),
        True,
    ),
    _rule(
        706,
        "migrated-mutation",
        "a migration that names a mutation which is not there",
        "What was logged under the old name could not be read.",
        _migrate("rename mutation Length to Mesure"),
        _migrate("rename mutation Length to Measure"),
        True,
    ),
    _rule(
        707,
        "contradicting-migration",
        "steps of a migration that contradict the new graph or each other",
        "A field cannot be dropped and be there.",
        _migrate("drop field size"),
        _migrate("drop field length"),
        True,
    ),
    _rule(
        708,
        "unplaced-run",
        "a migration after which a run may be parked at a node that is gone",
        "Say with `move` where such a run goes on.",
        _migrate("rename node draft to plan"),
        _migrate("move draft to plan"),
        False,
    ),
    _rule(
        709,
        "unreadable-log",
        "a migration after which a logged mutation cannot be read",
        "The history of a run is replayed from its log.",
        _migrate("rename field length to size"),
        _migrate("rename mutation Length to Measure"),
        False,
    ),
    _rule(
        801,
        "failed-scenario",
        "a scenario that fails, with the step, what was expected and what happened",
        "The graph does not do what its scenario says. `lgc test` runs scenarios.",
        _JOB + '\nscenario "one step" for work {\n  plan records Measure(3)\n  expect size == 4\n}\n',
        _JOB + '\nscenario "one step" for work {\n  plan records Measure(3)\n  expect size == 3\n}\n',
        False,
    ),
    _rule(
        901,
        "stale-code",
        "generated code that does not match its source",
        "What runs is then not what is written. `lgc build --check` compares; `lgc build` writes it anew.",
        _JOB,
        _JOB,
        False,
    ),
)
