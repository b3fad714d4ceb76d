"""From a mutation to its class: the command, how it changes each field, and the code that applies it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import assert_never

from .. import model as m
from ..effects.writes import writes_of
from .constants import place_of, text_of
from .data import class_, model_field
from .expressions import Scope, Writer
from .facts import NOTHING, Fact, Facts
from .layout import Bracket, Chain, Piece, Prefixed, call, dict_of, flat, parens, statement
from .operators import joined
from .state import function
from .text import docstring, literal
from .types import annotation, base, is_collection
from .unit import Unit

_INDENT = 8
_PLAIN = (m.Scalar("int"), m.Scalar("float"), m.Scalar("str"), m.Scalar("bytes"))


class MutationText:
    """The text of one mutation of a state of a module."""

    def __init__(self, unit: Unit, state: m.State, mutation: m.Mutation) -> None:
        self.unit = unit
        self.state = state
        self.mutation = mutation
        self.name = unit.names.mutation(state.key, mutation.name)
        self.params = unit.names.of_model([param.name for param in mutation.params])
        locals_ = {p.name: (f"self.{self.params[p.name]}", p.type) for p in mutation.params}
        self.writer = Writer(unit, Scope(state, "state", locals_))
        self.facts: Facts = NOTHING
        self.kept: dict[str, list[str]] = {}
        self.holders: dict[tuple[str, ...], str] = {(): "state"}
        self.opened: list[str] = []

    def classes(self) -> list[str]:
        """The mutation's class, after that of its result where a function computes it."""
        unit, lg = self.unit, self.unit.lg
        parts = [docstring(self.mutation.doc, 4)] if self.mutation.doc else []
        writes = dict_of([(literal(k), literal(v)) for k, v in writes_of(self.state, self.mutation).items()])
        head = [
            # Not annotated: the base has their types, and pydantic would evaluate them for each class.
            statement("__lg_name__ = ", literal(self.mutation.name), 4),
            statement("__lg_writes__ = ", call(f"{lg}.writes", writes), 4),
        ]
        external = self.mutation.external
        result = (
            f"{unit.names.generated('result', self.state.key, self.mutation.name)}Result" if external else ""
        )
        if external is not None:
            head.append(statement("__lg_target__ = ", literal(str(external)), 4))
            head.append(statement("__lg_result__ = ", result, 4))
        parts.append("\n".join(head))
        fields = [
            model_field(
                unit, p.name, self.params[p.name], annotation(unit, p.type, "model"), None, lazy=False
            )
            for p in self.mutation.params
        ]
        if fields:
            parts.append("\n".join(fields))
        if external is None:
            parts.append(self._apply())
            return [class_(self.name, f"{lg}.Mutation", parts)]
        parts.append(self._assign(result))
        return [self._result(result), class_(self.name, f"{lg}.ExternalMutation", parts)]

    # --- the escape hatch -----------------------------------------------------------------------------------

    def _written(self) -> list[m.Field]:
        return [field for name in self.mutation.writes if (field := self.state.field(name)) is not None]

    def _result(self, name: str) -> str:
        unit, fields = self.unit, self._written()
        models = unit.names.of_model([field.name for field in fields])
        lines = [
            model_field(unit, f.name, models[f.name], annotation(unit, f.type, "model"), None, lazy=False)
            for f in fields
        ]
        parts = [docstring(f"What the function of `{self.mutation.name}` gives.", 4)]
        return class_(name, f"{unit.lg}.Checkpoint", [*parts, *(["\n".join(lines)] if lines else [])])

    def _assign(self, result: str) -> str:
        fields = self._written()
        models = self.unit.names.of_model([field.name for field in fields])
        body = [line for f in fields for line in self.whole(f, f"result.{models[f.name]}")]
        body = [*self._keeps(), *body] or ["        return None"]
        parameters = [
            "self",
            f"state: {self.state.key.name}",
            f"undo: {self.unit.lg}.Undo",
            f"result: {result}",
            "/",
        ]
        return function("__lg_assign__", parameters, "None", body, indent=4)

    def whole(self, field: m.Field, value: str) -> list[str]:
        """Give a field a stored value."""
        attribute = self.unit.names.of_state(self.state)[field.name]
        if is_collection(field.type):
            kind = base(field.type)
            name = "list" if isinstance(kind, m.ListOf) else "set" if isinstance(kind, m.SetOf) else "dict"
            copy: Piece = call(self.unit.builtin(name), value)
            if isinstance(field.type, m.OptionalOf):
                copy = Chain(("None", f"{value} is None", copy), ("if", "else"))
            return [self._undo("replace", "state", attribute, copy)]
        self._keep("state", attribute)
        if isinstance(field.type, m.StateType):
            inner = self.unit.program.states[field.type.key]
            attributes = self.unit.state_attributes(inner.key)
            kept = [f for f in inner.fields if f.transient]
            transients = dict_of([(literal(f.name), f"state.{attribute}.{attributes[f.name]}") for f in kept])
            made = call(f"{self.unit.declared(inner.key)}.restore", value, transients)
            return [statement(f"state.{attribute} = ", made, _INDENT)]
        return [f"        state.{attribute} = {value}"]

    # --- the body -------------------------------------------------------------------------------------------

    def _apply(self) -> str:
        lines = [line for step in self.mutation.body for line in self._statement(step)]
        body = [*self.opened, *self._keeps(), *lines] or ["        return None"]
        parameters = ["self", f"state: {self.state.key.name}", f"undo: {self.unit.lg}.Undo", "/"]
        return function("__lg_apply__", parameters, "None", body, indent=4)

    def _keep(self, holder: str, attribute: str) -> None:
        kept = self.kept.setdefault(holder, [])
        if attribute not in kept:
            kept.append(attribute)

    def _keeps(self) -> list[str]:
        return [
            statement("", call("undo.keep", holder, *map(literal, attributes)), _INDENT)
            for holder, attributes in self.kept.items()
        ]

    def _undo(self, name: str, holder: str, attribute: str, *items: Piece) -> str:
        return statement("", call(f"undo.{name}", holder, literal(attribute), *items), _INDENT)

    def _holder(self, path: tuple[str, ...]) -> str:
        """The variable for the sub-state at a path."""
        if path not in self.holders:
            outer = self._holder(path[:-1])
            state = self._state_at(path)
            attribute = self.unit.state_attributes(self._state_at(path[:-1]).key)[path[-1]]
            count = len(self.holders)
            name = "inner" if count == 1 else f"inner_{count}"
            child = call("undo.child", outer, literal(attribute))
            self.opened.append(statement(f"{name}: {self.unit.declared(state.key)} = ", child, _INDENT))
            self.holders[path] = name
        return self.holders[path]

    def _state_at(self, path: Sequence[str]) -> m.State:
        state = self.state
        for name in path:
            field = state.field(name)
            assert field is not None and isinstance(field.type, m.StateType)
            state = self.unit.program.states[field.type.key]
        return state

    def _statement(self, step: m.Statement) -> list[str]:
        path = step.target.path
        depth = 0
        while depth < len(path) - 1:
            field = self._state_at(path[:depth]).field(path[depth])
            if field is None or not isinstance(field.type, m.StateType):
                break
            depth += 1
        state, holder = self._state_at(path[:depth]), self._holder(path[:depth])
        field = state.field(path[depth])
        assert field is not None
        attribute = self.unit.state_attributes(state.key)[field.name]
        rest = path[depth + 1 :]
        if rest or not is_collection(field.type):
            lines = self._value(step, holder, attribute, field.type, rest)
        else:
            lines = self._collection(step, holder, attribute, field)
        self._learn(step, rest, holder, attribute, field)
        return lines

    def _learn(
        self, step: m.Statement, rest: tuple[str, ...], holder: str, attribute: str, field: m.Field
    ) -> None:
        """What type checkers know after a statement."""
        text = ".".join(["state", *self._attributes(step.target.path)])
        self.facts = frozenset(f for f in self.facts if f.text != text and not f.text.startswith(f"{text}."))
        if isinstance(step, m.Delete) or rest or holder != "state" or is_collection(field.type):
            return
        plain = not isinstance(step.value.type, m.OptionalOf | m.NoneOnly)
        if plain and isinstance(field.type, m.OptionalOf) and step.op == "set":
            self.facts = self.facts | {Fact(text)}

    def _attributes(self, path: Sequence[str]) -> list[str]:
        """The attributes along a path."""
        found: list[str] = []
        type_: m.Type = m.StateType(self.state.key)
        for name in path:
            match base(type_):
                case m.StateType(key):
                    found.append(self.unit.state_attributes(key)[name])
                    fields = self.unit.program.states[key].fields
                    type_ = next(f.type for f in fields if f.name == name)
                case m.RecordType(key):
                    found.append(self.unit.record_attributes(key)[name])
                    parts = self.unit.program.records[key].fields
                    type_ = next(f.type for f in parts if f.name == name)
                case _:
                    raise AssertionError(path)
        return found

    # --- collections of the state ---------------------------------------------------------------------------

    def _collection(self, step: m.Statement, holder: str, attribute: str, field: m.Field) -> list[str]:
        key = None if step.target.key is None else self.writer.write(step.target.key, self.facts)
        if isinstance(step, m.Delete):
            assert key is not None
            words = literal(text_of_statement(step)), literal(place_of_statement(step))
            return [self._undo("drop", holder, attribute, key, *words)]
        value = step.value
        if key is not None:
            return [
                self._undo("put", holder, attribute, key, self._entry(step, f"{holder}.{attribute}", key))
            ]
        kind = base(field.type)
        match step.op:
            case "add" if isinstance(kind, m.ListOf):
                return [self._undo("extend", holder, attribute, self.appended(value))]
            case "add" if isinstance(kind, m.SetOf):
                return [self._undo("unite", holder, attribute, self.writer.write(value, self.facts))]
            case "add":
                return [self._undo("put_all", holder, attribute, self.writer.write(value, self.facts))]
            case "sub":
                return [self._undo("subtract", holder, attribute, self.writer.write(value, self.facts))]
            case _:
                return [self._undo("replace", holder, attribute, self.thawed(value, kind))]

    def appended(self, value: m.Expr) -> Piece:
        """What a list is extended by."""
        items = joined(self.writer, value, self.facts)
        if len(items) == 1 and isinstance(items[0], Prefixed) and items[0].text == "*":
            return self.writer.write(value, self.facts)
        return Bracket("[", tuple(items), "]")

    def thawed(self, value: m.Expr, kind: m.Type) -> Piece:
        """A collection that nobody else holds."""
        writer, unit = self.writer, self.unit
        if isinstance(value, m.Const) and value.value is None:
            return "None"
        optional = isinstance(value.type, m.OptionalOf)
        match value:
            case m.MakeList() if isinstance(kind, m.ListOf):
                return Bracket("[", tuple(writer.items(value, self.facts)), "]")
            case m.MakeList():
                items = writer.items(value, self.facts)
                return Bracket("{", tuple(items), "}") if items else call(unit.builtin("set"))
            case m.MakeDict():
                entries = writer.entries(value, self.facts)
                return entries if flat(entries).startswith("{") else call(unit.builtin("dict"), entries)
            case m.Binary("+") if isinstance(kind, m.ListOf):
                return Bracket("[", tuple(joined(writer, value, self.facts)), "]")
            case m.Call("keys", args):
                return call(unit.builtin("list"), writer.write(args[0], self.facts))
            case _:
                name = (
                    "list" if isinstance(kind, m.ListOf) else "set" if isinstance(kind, m.SetOf) else "dict"
                )
                piece = writer.write(value, self.facts)
                copy = unit.builtin(name)
                if optional:
                    return writer.once(piece, lambda held: (call(copy, held), "None"))
                return call(copy, piece)

    # --- values of the state --------------------------------------------------------------------------------

    def _value(
        self, step: m.Statement, holder: str, attribute: str, type_: m.Type, rest: tuple[str, ...]
    ) -> list[str]:
        """A field with an immutable value, or a part of a record in one."""
        self._keep(holder, attribute)
        place = f"{holder}.{attribute}"
        if rest:
            return [statement(f"{place} = ", self._part(step, place, type_, rest), _INDENT)]
        assert isinstance(step, m.Assign)
        value = step.value
        if isinstance(type_, m.StateType):
            field = self.state.field(step.target.path[0])
            assert field is not None
            return self.whole(field, flat(self.writer.write(value, self.facts)))
        if step.op in ("add", "sub") and type_ in _PLAIN:
            op = "+" if step.op == "add" else "-"
            return [statement(f"{place} {op}= ", self.writer.write(value, self.facts), _INDENT)]
        return [statement(f"{place} = ", self._new(step, place, type_), _INDENT)]

    def _new(self, step: m.Assign, place: str, type_: m.Type) -> Piece:
        """The new value of a place that holds an immutable value."""
        source = m.Const(None, base(type_), step.target.place)
        held: Piece = place
        if step.op != "set" and isinstance(type_, m.OptionalOf) and Fact(place) not in self.facts:
            held = self.writer.helper("require", source, place)
        match step.op:
            case "set":
                return self.writer.frozen(step.value, self.facts)
            case "max" | "min":
                value = self.writer.write(step.value, self.facts)
                if base(type_) == m.Scalar("datetime"):
                    helper = "largest" if step.op == "max" else "smallest"
                    return self.writer.helper(helper, step.value, Bracket("(", (held, value), ")"))
                return call(self.unit.builtin(step.op), held, value)
            case "add" | "sub":
                return self._combined(step, held, base(type_))
            case _:
                assert_never(step.op)

    def _combined(self, step: m.Assign, held: Piece, kind: m.Type) -> Piece:
        """`held + value` or `held - value`."""
        writer, op = self.writer, "+" if step.op == "add" else "-"
        value = writer.write(step.value, self.facts)
        match kind:
            case m.ListOf():
                return Bracket("(", (Prefixed("*", held), *joined(writer, step.value, self.facts)), ")")
            case m.SetOf():
                both = Chain((parens(held), parens(value)), ("|" if op == "+" else "-",))
                return call(self.unit.builtin("frozenset"), both)
            case m.DictOf():
                parts = (Prefixed("**", parens(held)), Prefixed("**", parens(value)))
                return call(f"{self.unit.lg}.FrozenDict", Bracket("{", parts, "}"))
            case m.Scalar("decimal"):
                if base(step.value.type) == m.Scalar("int"):
                    value = call(self.unit.std("decimal", "Decimal"), value)
                return writer.helper(f"decimal_{'add' if op == '+' else 'subtract'}", step.value, held, value)
            case m.Scalar("datetime" | "date" | "duration"):
                return writer.helper(f"time_{'add' if op == '+' else 'subtract'}", step.value, held, value)
            case _:
                return Chain((parens(held), parens(value)), (op,))

    def _entry(self, step: m.Assign, place: str, key: Piece) -> Piece:
        """The new value of an entry of a dict."""
        if step.op == "set":
            return self.writer.frozen(step.value, self.facts)
        words = literal(text_of_statement(step)), literal(place_of_statement(step))
        held: Piece = call(f"{self.unit.lg}.entry", place, key, *words)
        if step.op in ("max", "min"):
            return call(self.unit.builtin(step.op), held, self.writer.write(step.value, self.facts))
        return self._combined(step, held, base(step.target.type))

    def _part(self, step: m.Statement, place: str, type_: m.Type, rest: tuple[str, ...]) -> Piece:
        """The record at a place with one of its parts changed."""
        kind = base(type_)
        assert isinstance(kind, m.RecordType)
        held: Piece = place
        if isinstance(type_, m.OptionalOf) and Fact(place) not in self.facts:
            held = self.writer.helper("require", m.Const(None, kind, step.target.place), place)
        field = next(f for f in self.unit.program.records[kind.key].fields if f.name == rest[0])
        attribute = self.unit.record_attributes(kind.key)[field.name]
        inside = f"{flat(held)}.{attribute}"
        if len(rest) > 1:
            value = self._part(step, inside, field.type, rest[1:])
        elif step.target.key is None:
            assert isinstance(step, m.Assign)
            value = self._new(step, inside, field.type)
        else:
            key = self.writer.write(step.target.key, self.facts)
            if isinstance(step, m.Delete):
                words = literal(text_of_statement(step)), literal(place_of_statement(step))
                value = call(f"{self.unit.lg}.without", inside, key, *words)
            else:
                entry = Prefixed(f"{flat(key)}: ", self._entry(step, inside, key))
                changed = Bracket("{", (Prefixed("**", inside), entry), "}")
                value = call(f"{self.unit.lg}.FrozenDict", changed)
        update = dict_of([(literal(attribute), value)])
        return call(f"{flat(held)}.model_copy", update=update)


def text_of_statement(step: m.Statement) -> str:
    """The statement as written."""
    return text_of(m.Const(None, step.target.type, step.place))


def place_of_statement(step: m.Statement) -> str:
    """`file:line:column` of the statement."""
    return place_of(m.Const(None, step.target.type, step.place))
