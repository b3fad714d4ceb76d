"""The expressions of `set` steps in migrations, computed over the values of an older state.

Such an expression was written without the types of the old graph at hand, so the values decide what it means:
`1.5` beside a decimal is one, text beside a date is the date that it spells, `[a, b]` beside a set is a set.

Its JSON is the canonical form of expressions (`lgc.runtime.forms.evaluate`), except that a bare name is
`["name", NAME]`, a member of an enum `["attr", ["name", "E"], "a"]`, and nothing is widened. A name is a
field of the old state first; then a declaration of a newer version, then one of the old.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from pydantic import BaseModel

from ..errors import EvaluationError, LgcError
from ..values.operations import frozen
from .data import Data
from .evaluate import made_of, typed
from .made import Made
from .operators import ARITHMETIC, combined
from .parts import part_of
from .reading import Unfit, name_of
from .shaped import bent, shaped
from .types import UNKNOWN, kind_of
from .version import Version

_COMPARISONS: Mapping[str, Callable[[Any, Any], bool]] = {
    "==": lambda a, b: a == b,
    "!=": lambda a, b: a != b,
    "<": lambda a, b: a < b,
    "<=": lambda a, b: a <= b,
}
_NO_VALUE = "the name of an enum is no value: a member is written `E.a`"
_DECLARED = "declared"  # the kind of what a name of an enum or a record stands for


def evaluate_loose(
    expression_json: str, fields: Mapping[str, object], version: Version, newer: Sequence[Version] = ()
) -> object:
    """What an expression of a `set` step gives.

    Args:
        expression_json: its loose form.
        fields: the values of the old state by field, as `version.graph` holds them.
        version: the version that the state is of.
        newer: versions whose enums and records may be named too; the first that has a name counts.

    Raises EvaluationError, also for what is no such form.
    """
    try:
        made = made_of(json.loads(expression_json), _Names(fields, (*newer, version)), _build)
        if kind_of(made.type) == _DECLARED:
            raise Unfit(_NO_VALUE)
        return frozen(made.call(None, None, None))
    except LgcError:
        raise
    except Unfit as error:
        raise EvaluationError(str(error)) from error
    except RecursionError as error:
        raise EvaluationError("the expression is nested too deep") from error
    except Exception as error:
        raise EvaluationError(f"{type(error).__name__}: {error}") from error


class _Names:
    """What names stand for."""

    def __init__(self, fields: Mapping[str, object], versions: Sequence[Version]) -> None:
        self._fields = fields
        self._versions = versions
        self._declarations: list[Data] = []
        self.data = _data_of(versions[-1])

    def declarations(self) -> Sequence[Data]:
        """What the versions declare, the newest first."""
        if not self._declarations:
            self._declarations = [_data_of(version) for version in self._versions]
        return self._declarations

    def reference(self, head: str, name: str) -> Made:
        """A field, or the name of an enum. Raises Unfit."""
        if head != "name":
            raise Unfit(f"`{head}` cannot be asked here")
        if name in self._fields:
            fields = self._fields
            return Made(lambda s, p, r: fields[name], UNKNOWN, live=True)
        if any(name in data.enums for data in self.declarations()):
            return Made(lambda s, p, r: None, (_DECLARED, name))
        raise Unfit(f"the old state has no field `{name}`, and there is no enum of that name")

    def member(self, enum: str, name: str) -> Any:
        """A member of an enum, of whichever version has it. Raises Unfit."""
        for data in self.declarations():
            if name in data.enums.get(enum, ()):
                return data.member(enum, name)
        raise Unfit(f"there is no `{enum}.{name}`")

    def record(self, label: str) -> Data:
        """The declarations that have a record. Raises Unfit."""
        for data in self.declarations():
            if label in data.records:
                return data
        raise Unfit(f"there is no record `{label}`")


def _data_of(version: Version) -> Data:
    state: Any = version.graph.plan.state
    found: Data = state.__lg_data__
    return found


def _build(form: Any, parts: list[Made], scope: Any) -> Made:
    """One expression from its parts, where it differs from a typed one."""
    names: _Names = scope
    if any(kind_of(part.type) == _DECLARED for part in parts) and form[0] != "attr":
        raise Unfit(_NO_VALUE)
    match form:
        case ["name", name]:
            return names.reference("name", name_of(name))
        case ["attr" | "attr?" as head, _, name]:
            part = parts[0]
            if kind_of(part.type) == _DECLARED:
                member = names.member(part.type[1], name_of(name))
                return Made(lambda s, p, r: member)
            return _part(part, name_of(name), safe=head == "attr?")
        case ["==" | "!=" | "<" | "<=" as op, _, _]:
            return _compared(_COMPARISONS[op], parts[0], parts[1])
        case ["in" | "not in" as op, _, _]:
            return _inside(op == "in", parts[0], parts[1])
        case ["call", "contains", _, _]:
            return _inside(True, parts[1], parts[0])
        case ["left", _, *rest] if rest and all(op in ARITHMETIC for op in rest[::2]):
            return _chained(rest[::2], parts)
        case ["is", _, str() as label]:
            names.record(label)
            call = parts[0].call
            return Made(lambda s, p, r: _named(call(s, p, r)) == label)
        case ["record", str() as label, dict()]:
            return _record(label, list(form[2]), parts, names.record(label))
        case ["index", _, _] | ["call", "get", _, _, _]:
            parts = [parts[0], _keyed(parts[0], parts[1]), *parts[2:]]
            return Made(typed(form, parts, scope).call, UNKNOWN, live=True)
        case _:
            found = typed(form, parts, scope)
            return Made(found.call, UNKNOWN, live=True) if not found.constant else found


def _named(value: Any) -> str:
    return type(value).__name__ if isinstance(value, BaseModel) else ""


def _part(part: Made, name: str, *, safe: bool) -> Made:
    call = part.call

    def looked_up(s: Any, p: Any, r: Any) -> Any:
        value = call(s, p, r)
        if value is None and safe:
            return None
        if value is None:
            raise EvaluationError(f"the value is none, so it has no `{name}`")
        return part_of(value, name)

    return Made(looked_up, UNKNOWN, live=True)


def _compared(compare: Callable[[Any, Any], bool], left: Made, right: Made) -> Made:
    a, b = left.call, right.call

    def compared(s: Any, p: Any, r: Any) -> bool:
        x, y = bent(frozen(a(s, p, r)), frozen(b(s, p, r)))
        if isinstance(x, bool) is not isinstance(y, bool):
            x, y = (isinstance(x, bool), None), (isinstance(y, bool), None)  # `true` is not 1
        return bool(compare(x, y))

    return Made(compared)


def _inside(inside: bool, left: Made, right: Made) -> Made:
    a, b = left.call, right.call

    def found(s: Any, p: Any, r: Any) -> bool:
        item, among = frozen(a(s, p, r)), b(s, p, r)
        if not isinstance(among, str):
            among = [bent(item, one) for one in among]
            return any(x == y for x, y in among) is inside
        return (item in among) is inside

    return Made(found)


def _chained(operators: Sequence[str], parts: Sequence[Made]) -> Made:
    calls = [part.call for part in parts]

    def chained(s: Any, p: Any, r: Any) -> Any:
        value = calls[0](s, p, r)
        for op, call in zip(operators, calls[1:], strict=True):
            x, y = bent(value, call(s, p, r))
            value = combined(op, x, y, "")
        return value

    return Made(chained)


def _keyed(owner: Made, key: Made) -> Made:
    """A key of the kind that a dict has."""
    a, b = owner.call, key.call

    def keyed(s: Any, p: Any, r: Any) -> Any:
        items: Any = a(s, p, r)
        value = b(s, p, r)
        sample = _first(items) if isinstance(items, dict) else None
        return value if sample is None else bent(value, sample)[0]

    return Made(keyed)


def _first(items: Any) -> Any:
    return next(iter(items), None)


def _record(label: str, fields: list[str], parts: list[Made], data: Data) -> Made:
    types = data.records[label]
    for name in fields:
        if name not in types:
            raise Unfit(f"`{label}` has no field `{name}`")
    calls = [(name, types[name], part.call) for name, part in zip(fields, parts, strict=True)]

    def record(s: Any, p: Any, r: Any) -> Any:
        values = {name: shaped(call(s, p, r), type_, data) for name, type_, call in calls}
        return data.record(label)(**values)

    return Made(record)
