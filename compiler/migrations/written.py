"""From the `migrate` blocks of a program to those of one graph, as its plan holds them."""

from __future__ import annotations

from typing import assert_never

from ...runtime import plan
from .. import model as m


def migrations_of(program: m.Program, key: m.Key) -> tuple[plan.Migration, ...]:
    """The migrations of a graph, in the order written, which is that of their chain.

    They stand in the file of the graph; what stands elsewhere has a finding.
    """
    return tuple(_migration(one) for one in blocks_of(program, key))


def blocks_of(program: m.Program, key: m.Key) -> tuple[m.Migration, ...]:
    """The same as the model has them."""
    module = next((one for one in program.modules if one.path == key.path), None)
    return () if module is None else tuple(one for one in module.migrations if one.graph == key)


def _migration(written: m.Migration) -> plan.Migration:
    return plan.Migration(written.hash, tuple(map(_step, written.steps)), str(written.place))


def _step(step: m.MigrationStep) -> plan.MigrationStep:
    place = str(step.place)
    match step:
        case m.RenameStep(what, old, new):
            return plan.RenameStep(what, old, new, place)
        case m.SetStep(field, text, form):
            return plan.SetStep(field, form, " ".join(text.split("\n")), place)
        case m.DropStep(field):
            return plan.DropStep(field, place)
        case m.MoveStep(old, new):
            return plan.MoveStep(old, new, place)
        case _:
            assert_never(step)
