"""From the statements of mutations to functions that change a state, telling its undo first.

As in generated code, the sub-states that a mutation changes are looked up before its first statement.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeAlias, cast

from ..changes.unparse import expression_text
from ..values.state import State, WriteKind
from ..values.undo import Undo
from .data import Data
from .evaluate import Scope, children_of, made_of
from .made import Made
from .reading import Unfit, list_of, name_of, object_of, one_of, shown
from .states import States
from .types import Type, base, is_collection, kind_of, value_of
from .updates import new_entry, new_value, of_entry

Holders: TypeAlias = "list[Any]"
Change: TypeAlias = Callable[[Holders, Any, Undo], None]
"""Done to the states that a mutation changes (the state itself, then sub-states), with its parameters."""

_OPS = ("set", "add", "sub", "max", "min", "del")


class Body:
    """The statements of one mutation."""

    def __init__(self, states: States, scope: Scope, form: Any) -> None:
        """Raises Unfit."""
        self._states = states
        self._data: Data = states.data
        self._scope = scope
        self._holders: dict[tuple[str, ...], int] = {(): 0}
        self._opened: list[tuple[int, str]] = []
        self.writes: dict[str, WriteKind] = {}
        self._changes = [self._change(object_of(step)) for step in list_of(form)]

    def apply(self, mutation: Any, state: Any, undo: Undo, /) -> None:
        """Do the statements in order. Raises EvaluationError, or what Python raises."""
        holders = [state]
        for outer, attribute in self._opened:
            holders.append(undo.child(holders[outer], attribute))
        for change in self._changes:
            change(holders, mutation, undo)

    # --- where ----------------------------------------------------------------------------------------------

    def _holder(self, path: tuple[str, ...]) -> int:
        if path not in self._holders:
            outer = self._holder(path[:-1])
            attribute = self._data.state_attributes(self._label_at(path[:-1]))[path[-1]]
            self._holders[path] = len(self._holders)
            self._opened.append((outer, attribute))
        return self._holders[path]

    def _label_at(self, path: Sequence[str]) -> str:
        label = self._data.own
        for name in path:
            label = self._data.states[label][name][1]
        return label

    def _change(self, step: Mapping[str, Any]) -> Change:
        path = tuple(name_of(part) for part in list_of(step["path"]))
        op = one_of(step["op"], _OPS)
        key = made_of(step["key"], self._scope) if "key" in step else None
        value = made_of(step["value"], self._scope) if op != "del" else None
        label, depth = self._data.own, 0
        types = self._data.states[label]
        while True:
            if depth >= len(path) or path[depth] not in types:
                raise Unfit(f"there is no field {shown('.'.join(path))}")
            type_ = types[path[depth]]
            if kind_of(type_) != "state" or depth == len(path) - 1:
                break
            label, depth = type_[1], depth + 1
            types = self._data.states[label]
        holder = self._holder(path[:depth])
        attribute = self._data.state_attributes(label)[path[depth]]
        rest = path[depth + 1 :]
        self._note(step, path, self._target(type_, rest, key))
        if rest or not is_collection(type_):
            return self._to_value(op, holder, attribute, type_, rest, key, value)
        return self._to_collection(op, holder, attribute, type_, key, value, expression_text(step.get("key")))

    def _target(self, type_: Type, rest: Sequence[str], key: Made | None) -> Type:
        """The type of what a statement changes."""
        for name in rest:
            inner = base(type_)
            if kind_of(inner) != "record" or name not in self._data.records[inner[1]]:
                raise Unfit(f"there is no field `{name}`")
            type_ = self._data.records[inner[1]][name]
        return type_ if key is None else value_of(type_)

    def _note(self, step: Mapping[str, Any], path: tuple[str, ...], target: Type) -> None:
        """Note how the statement changes its field, by which joins know what commutes."""
        dotted = ".".join(path)
        kind = _kind(step, base(target))
        looked_at = any(mentions(step[part], path[0]) for part in ("value", "key") if part in step)
        if looked_at or self.writes.get(dotted, kind) != kind:
            kind = "set"
        self.writes[dotted] = kind

    # --- collections of the state ---------------------------------------------------------------------------

    def _to_collection(
        self,
        op: str,
        holder: int,
        attribute: str,
        type_: Type,
        key: Made | None,
        value: Made | None,
        text: str,
    ) -> Change:
        kind = kind_of(base(type_))
        if key is not None:
            if kind != "dict":
                raise Unfit(f"an entry of a {kind}")
            return _to_entry(op, holder, attribute, value_of(type_), key, value, text)
        if value is None:
            raise Unfit("`del` of a whole field")
        call = value.call
        match op:
            case "add":
                name = {"list": "extend", "set": "unite", "dict": "put_all"}[kind]
            case "sub":
                name = "subtract"
            case "set":
                copy: Callable[[Any], Any] = {"list": list, "set": set, "dict": dict}[kind]

                def replace(holders: Holders, p: Any, undo: Undo) -> None:
                    new = call(holders[0], p, None)
                    undo.replace(holders[holder], attribute, None if new is None else copy(new))

                return replace
            case _:
                raise Unfit(f"`{op}` of a {kind}")

        def change(holders: Holders, p: Any, undo: Undo) -> None:
            getattr(undo, name)(holders[holder], attribute, call(holders[0], p, None))

        return change

    # --- values of the state --------------------------------------------------------------------------------

    def _to_value(
        self,
        op: str,
        holder: int,
        attribute: str,
        type_: Type,
        rest: tuple[str, ...],
        key: Made | None,
        value: Made | None,
    ) -> Change:
        """A field with an immutable value, or a part of a record in one."""
        if not rest and key is not None:
            raise Unfit(f"an entry of a {kind_of(type_)}")
        if kind_of(type_) == "state":
            return self._to_state(op, holder, attribute, type_[1], value)
        new = self._new(op, type_, rest, key, value)

        def change(holders: Holders, p: Any, undo: Undo) -> None:
            at = holders[holder]
            undo.keep(at, attribute)
            setattr(at, attribute, new(getattr(at, attribute), holders[0], p))

        return change

    def _to_state(self, op: str, holder: int, attribute: str, label: str, value: Made | None) -> Change:
        if value is None or op != "set":
            raise Unfit(f"`{op}` of a state")
        call, inner = value.call, self._states.state(label)

        def change(holders: Holders, p: Any, undo: Undo) -> None:
            at = holders[holder]
            undo.keep(at, attribute)
            given = call(holders[0], p, None)
            setattr(at, attribute, inner.restore(given.snapshot() if isinstance(given, State) else given, {}))

        return change

    def _new(
        self, op: str, type_: Type, rest: Sequence[str], key: Made | None, value: Made | None
    ) -> Callable[[Any, Any, Any], Any]:
        """The new value of a place from the one that it holds, the state and the parameters."""
        if rest:
            label = base(type_)[1]
            attribute = self._data.record_attributes(label)[rest[0]]
            inside = self._new(op, self._data.records[label][rest[0]], rest[1:], key, value)

            def part(held: Any, s: Any, p: Any) -> Any:
                return held.model_copy(update={attribute: inside(getattr(held, attribute), s, p)})

            return part
        if key is not None:
            return new_entry(op, type_, key, value)
        if value is None:
            raise Unfit("`del` of a whole field")
        return new_value(op, base(type_), value)


def _kind(step: Mapping[str, Any], target: Type) -> WriteKind:
    op: str = step["op"]
    if op == "del":
        return "delete"
    if "key" in step:
        return "put" if op == "set" else "set"
    kind = kind_of(target)
    match op:
        case "add":
            if kind in ("set", "dict"):
                return "union"
            return "append" if kind in ("list", "str", "bytes") else "add"
        case "sub":
            return "sub" if kind == "set" else "add"
        case _:
            return cast("WriteKind", op)


def mentions(form: Any, field: str) -> bool:
    """Whether an expression looks at a field."""
    todo: list[Any] = [form]
    while todo:
        at = todo.pop()
        match at:
            case ["field", name]:
                if name == field:
                    return True
            case _:
                todo.extend(children_of(at))
    return False


def _to_entry(
    op: str, holder: int, attribute: str, kind: Type, key: Made, value: Made | None, text: str
) -> Change:
    find = key.call
    if op == "del":

        def drop(holders: Holders, p: Any, undo: Undo) -> None:
            undo.drop(holders[holder], attribute, find(holders[0], p, None), text, "")

        return drop
    if value is None:
        raise Unfit("an entry without a value")
    new = of_entry(op, base(kind), value)

    def put(holders: Holders, p: Any, undo: Undo) -> None:
        at = holders[holder]
        name = find(holders[0], p, None)
        undo.put(at, attribute, name, new(getattr(at, attribute), name, holders[0], p))

    return put
