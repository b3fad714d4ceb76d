"""From the canonical JSON of expressions to functions that compute what generated code computes.

An expression becomes a closure `f(s, p, r)`: over a state, the parameters (of a mutation, an answer; the
item of a map), and the counters of a frame. It is made once and called often. What can fail calls the same
functions as generated code and fails in the same way: with EvaluationError, or with an exception of Python
that the machine makes one of.

Types are worked out from those of fields and parameters, as far as the meaning of an operator depends on
them; where a form does not tell, the value decides.

The conversion keeps its own stack, and what is nested deeper than any source can be is refused.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Protocol, TypeAlias

from ..changes.unparse import expression_text
from ..values.operations import to_float
from ..values.state import FrozenDict
from .constants import constant_of
from .data import Data
from .functions import call_of
from .made import Evaluate, Made
from .operators import binary_of, chain_of, frozen_call, negative_of
from .parts import attribute_of, index_of
from .reading import DEEPEST, Unfit, list_of, name_of, object_of, shown
from .types import Type, base, joined, kind_of

_BINARY = frozenset({"==", "!=", "<", "<=", "in", "not in"})
_REFERENCES = frozenset({"field", "param", "item", "visits", "steps", "name"})
_FALLIBLE = frozenset({"left", "index", "call", "neg", "widen", "<", "<="})
_LONGEST = 200  # characters of an expression that a message shows


class Scope(Protocol):
    """What names stand for where an expression is evaluated."""

    @property
    def data(self) -> Data:
        """The declarations of the form."""
        ...

    def reference(self, head: str, name: str) -> Made:
        """`["field", f]`, `["param", p]`, `["item", x]`, `["visits", n]`, `["steps"]`. Raises Unfit."""
        ...


Build: TypeAlias = "Callable[[Any, list[Made], Scope], Made]"
"""One expression from its JSON and its parts."""


def made_of(form: Any, scope: Scope, build: Build | None = None) -> Made:
    """An expression; `build` makes each from its parts (None: as it is typed).

    Raises Unfit for what is none.
    """
    order: list[tuple[Any, int]] = []
    stack: list[tuple[Any, int]] = [(form, 0)]
    while stack:
        at, depth = stack.pop()
        if depth > DEEPEST:
            raise Unfit(f"an expression is nested more than {DEEPEST} deep")
        parts = children_of(at)
        order.append((at, len(parts)))
        stack.extend([(part, depth + 1) for part in parts])
    one = build or typed
    values: list[Made] = []
    for at, count in reversed(order):
        taken = values[len(values) - count :]
        del values[len(values) - count :]
        values.append(one(at, taken, scope))
    return values[0]


def children_of(form: Any) -> Sequence[Any]:
    """The expressions right inside an expression, in order."""
    match form:
        case [("==" | "!=" | "<" | "<=" | "in" | "not in"), left, right]:
            return (left, right)
        case ["left", head, *rest]:
            return (head, *rest[1::2])
        case [("and" | "or" | "??" | "list" | "set"), *parts]:
            return parts
        case [("not" | "neg" | "widen"), part] | [("attr" | "attr?" | "is"), part, _]:
            return (part,)
        case ["index", owner, key]:
            return (owner, key)
        case ["call", _, *args]:
            return args
        case ["record", _, fields]:
            return tuple(object_of(fields).values())
        case ["dict", *pairs]:
            if any(len(list_of(pair)) != 2 for pair in pairs):
                raise Unfit(f"{shown(form)} is no dict")
            return [part for pair in pairs for part in pair]
        case ["if", condition, then, otherwise]:
            return (condition, then, otherwise)
        case _:
            return ()


def typed(form: Any, parts: list[Made], scope: Scope) -> Made:
    """One expression from its parts, as its types say. Raises Unfit."""
    found = constant_of(form, scope.data)
    if found is not None:
        return found
    whole = list_of(form)
    if not whole or not isinstance(whole[0], str):
        raise Unfit(f"{shown(form)} is no expression")
    head = whole[0]
    if head in _REFERENCES:
        return scope.reference(head, "" if head == "steps" else name_of(whole[1]))
    text = _text(form) if head in _FALLIBLE else ""
    match whole:
        case ["left", _, *rest] if len(rest) % 2 == 0 and rest:
            return chain_of(parts, rest[::2], text)
        case ["attr" | "attr?", _, name]:
            return attribute_of(parts[0], name_of(name), scope.data, safe=head == "attr?")
        case ["is", _, str() as label]:
            return _is(parts[0], label, scope.data)
        case ["record", str() as label, fields]:
            return _record(label, [name_of(name) for name in fields], parts, scope.data)
        case ["call", name, *_]:
            return call_of(name, parts, text)
        case ["index", _, _]:
            return index_of(parts[0], parts[1], text)
        case [_, _, _] if head in _BINARY:
            return binary_of(head, parts[0], parts[1], text)
        case ["not" | "neg" | "widen", _]:
            return _unary(head, parts[0], text)
        case [("and" | "or" | "??"), _, *_]:
            return _junction(head, parts)
        case ["if", _, _, _]:
            return _conditional(parts)
        case [("list" | "set" | "dict"), *_]:
            return _collection(head, parts)
        case _:
            raise Unfit(f"{shown(form)} is no expression")


def _text(form: Any) -> str:
    text = expression_text(form)
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 3]}..."


def _is(part: Made, label: str, data: Data) -> Made:
    if label not in data.records:
        raise Unfit(f"there is no record `{label}` in the form")
    call, cls = part.call, data.record(label)
    return Made(lambda s, p, r: isinstance(call(s, p, r), cls), "bool")


# --- logic ------------------------------------------------------------------------------------------------


def _unary(head: str, part: Made, text: str) -> Made:
    call = part.call
    match head:
        case "not":
            return Made(lambda s, p, r: not call(s, p, r), "bool")
        case "neg":
            return negative_of(part, text)
        case _:
            return Made(lambda s, p, r: to_float(call(s, p, r), text, ""), "float")


def _junction(head: str, parts: list[Made]) -> Made:
    calls = [part.call for part in parts]
    if head == "??":
        return _otherwise(parts)
    if len(calls) == 2:
        a, b = calls
        if head == "and":
            return Made(lambda s, p, r: a(s, p, r) and b(s, p, r), "bool")
        return Made(lambda s, p, r: a(s, p, r) or b(s, p, r), "bool")
    stop = head == "or"

    def junction(s: Any, p: Any, r: Any) -> Any:
        value: Any = not stop
        for call in calls:
            value = call(s, p, r)
            if bool(value) is stop:
                return value
        return value

    return Made(junction, "bool")


def _otherwise(parts: list[Made]) -> Made:
    calls = [part.call for part in parts]

    def otherwise(s: Any, p: Any, r: Any) -> Any:
        value = None
        for call in calls:
            value = call(s, p, r)
            if value is not None:
                return value
        return value

    type_ = joined([base(part.type) for part in parts[:-1]] + [parts[-1].type])
    return Made(otherwise, type_, any(part.live for part in parts))


def _conditional(parts: list[Made]) -> Made:
    test, yes, no = (part.call for part in parts)
    type_ = joined([part.type for part in parts[1:]])
    return Made(
        lambda s, p, r: yes(s, p, r) if test(s, p, r) else no(s, p, r), type_, parts[1].live or parts[2].live
    )


# --- values that are made ---------------------------------------------------------------------------------


def _record(label: str, names: list[str], parts: list[Made], data: Data) -> Made:
    if label in data.records:
        find: Callable[[str], Any] = data.record
        fields, type_ = data.records[label], ("record", label)
    elif label in data.states:
        find, fields, type_ = data.checkpoint, data.states[label], ("state", label)
    else:
        raise Unfit(f"there is no record `{label}` in the form")
    for name, part in zip(names, parts, strict=True):
        if name not in fields:
            raise Unfit(f"`{label}` has no field `{name}`")
        if not data.may_be(part.type, fields[name]):
            raise Unfit(f"`{name}` of `{label}` cannot be a {kind_of(part.type)}")
    calls = [(name, part.call) for name, part in zip(names, parts, strict=True)]
    made: list[Callable[..., Any]] = []  # the class, when it is first needed: a default may stand in its own

    def record(s: Any, p: Any, r: Any) -> Any:
        if not made:
            made.append(find(label))
        return made[0](**{name: call(s, p, r) for name, call in calls})

    return Made(record, type_)


def _collection(head: str, parts: list[Made]) -> Made:
    if head == "dict":
        return _dict(parts[::2], parts[1::2])
    item_type = joined([part.type for part in parts])
    calls = [_as_item(part, item_type) for part in parts]
    if head == "set":
        return Made(lambda s, p, r: frozenset([call(s, p, r) for call in calls]), ("set", item_type))
    return Made(lambda s, p, r: tuple([call(s, p, r) for call in calls]), ("list", item_type))


def _dict(keys: list[Made], values: list[Made]) -> Made:
    key_type, value_type = joined([key.type for key in keys]), joined([value.type for value in values])
    pairs = [(key.call, _as_item(value, value_type)) for key, value in zip(keys, values, strict=True)]
    return Made(
        lambda s, p, r: FrozenDict([(key(s, p, r), value(s, p, r)) for key, value in pairs]),
        ("dict", key_type, value_type),
    )


def _as_item(part: Made, wanted: Type) -> Evaluate:
    """An item; among floats an int counts as one."""
    call = frozen_call(part)
    if base(wanted) == "float" and part.type == "int":
        return lambda s, p, r: to_float(call(s, p, r), "", "")
    return call
