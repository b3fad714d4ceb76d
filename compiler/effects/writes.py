"""From a mutation's statements to how each field is changed, by which joins know what commutes."""

from __future__ import annotations

from .. import model as m
from ..types import base
from .mentions import mentions


def writes_of(state: m.State, mutation: m.Mutation) -> dict[str, str]:
    """How a mutation changes each field, by dotted path.

    Two ways at once, or one that looks at the field itself, is "set".
    """
    found: dict[str, str] = {}
    if mutation.external is not None:
        return dict.fromkeys(mutation.writes, "set")
    for step in mutation.body:
        path = ".".join(step.target.path)
        kind = _kind(step)
        looked_at = isinstance(step, m.Assign) and _mentions(step.value, step.target.path[0])
        if step.target.key is not None and _mentions(step.target.key, step.target.path[0]):
            looked_at = True
        if looked_at or found.get(path, kind) != kind:
            kind = "set"
        found[path] = kind
    return found


def _kind(step: m.Statement) -> str:
    if isinstance(step, m.Delete):
        return "delete"
    if step.target.key is not None:
        return "put" if step.op == "set" else "set"
    kind = base(step.target.type)
    match step.op:
        case "add":
            if isinstance(kind, m.SetOf | m.DictOf):
                return "union"
            textual = isinstance(kind, m.ListOf) or kind in (m.Scalar("str"), m.Scalar("bytes"))
            return "append" if textual else "add"
        case "sub":
            return "sub" if isinstance(kind, m.SetOf) else "add"
        case _:
            return step.op


def _mentions(expr: m.Expr, field: str) -> bool:
    return any(path[0] == field for path, _ in mentions(expr))
