"""Rules LG701-LG709: migrations, between the graphs that runs were started with and the graph as it is.

They are found by `migrations.checks`. The examples are from one older graph, whose stored form is given
beside them: `old` of a rule.
"""

from __future__ import annotations

from ...dsl.diagnostic import Severity
from ..rule import Rule

_OLD = """\
state Job {
  length: int = 0
  legacy: str = ""

  mutation Length(length, legacy)
}

graph work(Job) {
  task draft { reads length, legacy  records Length }

  start -> draft -> end
}
"""
_HASH = "lg1:01a678e80666b2a4f76f792626e85fb6ea07997b9e1a3d9ff3da977a1612e9d5"  # of that graph
_JOB = """\
state Job {
  size: int = 0
  unit: str = ""

  mutation Measure(size, unit)
}

graph work(Job) {
  task plan { reads size, unit  records Measure }

  start -> plan -> end
}
"""
_STEPS = (
    "rename node draft to plan",
    "rename field length to size",
    "rename mutation Length to Measure",
    "drop field legacy",
)


def _migrate(source: str = _HASH, instead: dict[str, str] | None = None) -> str:
    """The graph with a migration; `instead` has other steps, or none, for those that begin so."""
    steps = list(_STEPS)
    for old, new in (instead or {}).items():
        steps = [new if step.startswith(old) else step for step in steps]
    body = "".join(f"  {step}\n" for step in steps if step)
    return f'{_JOB}\nmigrate work from "{source}" {{\n{body}}}\n'


def _rule(
    number: int, name: str, summary: str, why: str, example: str, repair: str = "", allowable: bool = False
) -> Rule:
    return Rule(
        f"LG{number}",
        name,
        Severity.ERROR,
        summary,
        why,
        example,
        repair or _migrate(),
        allowable=allowable,
        fixable=number in (704, 705, 706),  # names that are misspelt
        by="lgc check --against FORM",
        old=_OLD,
    )


RULES = (
    _rule(
        701,
        "unknown-source-hash",
        "a migration from a graph that is not known",
        "What a migration does is checked against the stored form of the graph that it is from, found by "
        "its hash: `--against` takes a file with canonical JSON (`lgc hash --canonical`), or `store:URL` "
        "for all graphs of a store. Without any form only the new names are checked. Of a graph that no run "
        "is under any more the form may be lost: say so, or remove the migration.",
        _migrate(source="lg1:" + "0" * 64),
        allowable=True,
    ),
    _rule(
        702,
        "incomplete-migration",
        "a migration after which a durable field has no value, or a value no field",
        "A field of the new state takes the value of the field of its name, or of the one that is renamed "
        "to it, or what is set; else its default, or none. A value of the old state that has no field "
        "would be lost: say so with `drop field`.",
        _migrate(instead={"drop": ""}),
    ),
    _rule(
        703,
        "migrated-type",
        "a migration that gives a field a value of another type",
        "The stored state would not be a state of the new graph. A value that is kept must belong to the "
        "new type whatever it is: a field that may be none does not become one that may not, an enum "
        "keeps its members, a record its fields. Where it does not, `set` computes another from the old "
        "state.",
        _migrate(instead={"rename field": 'drop field length\n  set size = "small"'}),
        _migrate(instead={"rename field": "drop field length\n  set size = length"}),
    ),
    _rule(
        704,
        "migrated-node",
        "a migration that names a node which is not there",
        "Old names are those of the graph that the migration is from, new names those of the graph that "
        "it leads to: the graph itself, or what the next migration of the same graph is from.",
        _migrate(instead={"rename node": "rename node draft to paln"}),
    ),
    _rule(
        705,
        "migrated-field",
        "a migration that names a field which is not there",
        "There is no place for its value, or no value. Expressions are over the state of the old graph.",
        _migrate(instead={"rename field": "rename field length to sze"}),
    ),
    _rule(
        706,
        "migrated-mutation",
        "a migration that names a mutation which is not there",
        "What was recorded under the old name could not be read.",
        _migrate(instead={"rename mutation": "rename mutation Length to Mesure"}),
    ),
    _rule(
        707,
        "contradicting-migration",
        "a migration that contradicts itself, another one, or a graph",
        "A field cannot be dropped and be there, a thing has one new name, two things cannot become one, "
        "and two migrations from one graph would leave open which is meant. To swap two names is fine. "
        "The migrations of a graph stand in its file: a run goes through them in the order in which they "
        "are written.",
        _migrate(instead={"drop": "drop field legacy\n  drop field length"}),
    ),
    _rule(
        708,
        "unplaced-run",
        "a migration after which a run may be parked where it cannot stay",
        "A run may be parked at every node of the old graph. It stays where a node of that name (or of "
        "the name that it is given) is of the same kind, in the same branch, and a barrier still takes "
        "every answer that it offered. For others, `move` says where they go on.",
        _migrate(instead={"rename node": ""}),
        _migrate(instead={"rename node": "move draft to plan"}),
    ),
    _rule(
        709,
        "unreadable-log",
        "a migration after which a recorded mutation cannot be read",
        "A mutation that a run of the old graph can have recorded has a name in the new one, unless it "
        "changed only fields that are dropped. What is in the log keeps the parameters that it was logged "
        "with: the steps before a move are replayed under their own graph. Where mutations wait to be "
        "applied, in a branch for its join or with an answer to a barrier, their arguments must fit the "
        "new parameters too.",
        _migrate(instead={"rename mutation": ""}),
        allowable=True,
    ),
)
