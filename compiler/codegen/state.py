"""From a state to its checkpoint and its class: construction, snapshot, restore, checks."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from .. import model as m
from .constants import constant, number
from .data import class_, makes_record, model_field
from .expressions import Scope, Writer
from .layout import Bracket, Chain, Piece, call, dict_of, flat, render, statement, subscript, tuple_of
from .templating import render as fill
from .text import docstring, literal
from .types import annotation, base, is_collection
from .unit import Unit


def signature(name: str, parameters: Sequence[Piece], returns: str, indent: int) -> str:
    """`def name(parameters) -> returns:`."""
    margin = " " * indent
    return margin + render(Bracket(f"def {name}(", tuple(parameters), f") -> {returns}:"), indent, indent, 0)


def function(
    name: str,
    parameters: Sequence[Piece],
    returns: str,
    body: Sequence[str],
    *,
    indent: int = 0,
    decorators: Sequence[str] = (),
) -> str:
    """A function whose body is already indented."""
    shown = [" " * indent + decorator for decorator in decorators]
    head = signature(name, parameters, returns, indent)
    return fill("function", decorators=shown, signature=head, body=body)


class StateText:
    """The text of one state of a module."""

    def __init__(self, unit: Unit, state: m.State) -> None:
        self.unit = unit
        self.state = state
        self.name = state.key.name
        self.attributes = unit.names.of_state(state)
        self.stem = unit.names.generated("state", state.key)
        self.durable = [field for field in state.fields if not field.transient]
        self.models = unit.names.of_model([field.name for field in self.durable])
        self.constants: list[str] = []
        self.defaults = {field.name: self._default(field) for field in state.fields}
        self.functions: list[str] = []
        self.checks = {field.name: check for field in self.durable if (check := self._check(field))}

    # --- defaults -------------------------------------------------------------------------------------------

    def _default(self, field: m.Field) -> Piece | None:
        """The default as Python; what has to be made is made once, in a constant."""
        if field.default is None:
            return "None" if isinstance(field.type, m.OptionalOf) else None
        piece = Writer(self.unit, Scope()).argument(field.default)
        if "(" not in flat(piece).lstrip("(") or not _is_made(field.default):
            return piece
        unit = self.unit
        name = unit.names.fresh(f"_{self.name}_{field.name}".upper())
        final = subscript(unit.std("typing", "Final"), annotation(unit, field.type, "value"))
        self.constants.append(statement(f"{name}: {flat(final)} = ", piece, 0))
        return name

    def _constructible(self, state: m.State) -> bool:
        """Whether a state can be made from nothing."""
        return all(
            f.default is not None
            or isinstance(f.type, m.OptionalOf)
            or (isinstance(f.type, m.StateType) and self._constructible(self.unit.program.states[f.type.key]))
            for f in state.fields
        )

    def _stored_from_nothing(self, state: m.State) -> bool:
        """Whether a checkpoint can be: transient fields do not count."""
        return all(
            f.transient
            or f.default is not None
            or isinstance(f.type, m.OptionalOf)
            or (
                isinstance(f.type, m.StateType)
                and self._stored_from_nothing(self.unit.program.states[f.type.key])
            )
            for f in state.fields
        )

    # --- checkpoint -----------------------------------------------------------------------------------------

    def checkpoint(self) -> str:
        """`class SCheckpoint`: the durable fields."""
        unit, lines = self.unit, list[str]()
        for field in self.durable:
            default = self.defaults[field.name]
            type_ = annotation(unit, field.type, "model")
            attribute = self.models[field.name]
            if isinstance(field.type, m.StateType):
                lines.append(self._inner_checkpoint(field, attribute, type_))
            else:
                lines.append(model_field(unit, field.name, attribute, type_, default, lazy=False))
        parts = [
            docstring(f"The durable fields of `{self.name}`.", 4),
            *(["\n".join(lines)] if lines else []),
        ]
        return class_(f"{self.stem}Checkpoint", f"{unit.lg}.Checkpoint", parts)

    def _inner_checkpoint(self, field: m.Field, attribute: str, type_: Piece) -> str:
        assert isinstance(field.type, m.StateType)
        named: dict[str, Piece] = {}
        if self._stored_from_nothing(self.unit.program.states[field.type.key]):
            named["default_factory"] = type_
        if attribute != field.name:
            named["alias"] = literal(field.name)
        if not named:
            return statement(f"{attribute}: ", type_, 4)
        return statement(f"{attribute}: {flat(type_)} = ", call(f"{self.unit.lg}.Field", **named), 4)

    # --- class ----------------------------------------------------------------------------------------------

    def parameter(self, field: m.Field) -> str:
        """The constructor's name for a field."""
        attribute = self.attributes[field.name]
        return attribute if field.name in self.unit.names.types or field.name == "self" else field.name

    def state_class(self) -> str:
        """`class S`."""
        unit, fields = self.unit, self.state.fields
        slots = tuple_of([literal(a) for a in sorted(self.attributes.values(), key=natural)])
        parts = [docstring(self.state.doc, 4)] if self.state.doc else []
        parts.append(statement("__slots__ = ", slots, 4))
        shown: list[str] = []
        for field in fields:
            shown.append(
                statement(f"{self.attributes[field.name]}: ", annotation(unit, field.type, "state"), 4)
            )
            if field.doc:
                shown.append(docstring(field.doc, 4))
        if shown:
            parts.append("\n".join(shown))
        parts += [self._init(), self._snapshot(), self._restore()]
        return class_(self.name, f"{unit.lg}.State", parts)

    def _init(self) -> str:
        parameters: list[Piece] = []
        body = ["        self.__lg_shared__ = None"]
        for field in self.state.fields:
            name = self.parameter(field)
            type_, default = annotation(self.unit, field.type, "value"), self.defaults[field.name]
            value: Piece = name
            if isinstance(field.type, m.StateType):
                inner = self.unit.declared(field.type.key)
                if self._constructible(self.unit.program.states[field.type.key]):
                    type_, default = f"{inner} | None", "None"
                    value = Chain((f"{inner}()", f"{name} is None", name), ("if", "else"))
            elif is_collection(field.type):
                value = self.copied(field.type, name)
            parameters.append(f"{name}: {flat(type_)}" + ("" if default is None else f" = {flat(default)}"))
            body.append(statement(f"self.{self.attributes[field.name]} = ", value, 8))
        keyword = ["self", "*"] if parameters else ["self"]
        return function("__init__", [*keyword, *parameters], "None", body, indent=4)

    def copied(self, type_: m.Type, name: str) -> Piece:
        """A collection as one that a state may change."""
        match base(type_):
            case m.ListOf():
                copy = call(self.unit.builtin("list"), name)
            case m.SetOf():
                copy = call(self.unit.builtin("set"), name)
            case _:
                copy = call(self.unit.builtin("dict"), name)
        if isinstance(type_, m.OptionalOf):
            return Chain(("None", f"{name} is None", copy), ("if", "else"))
        return copy

    def _snapshot(self) -> str:
        name = f"{self.stem}Checkpoint"
        named: dict[str, Piece] = {}
        for field in self.durable:
            value = f"self.{self.attributes[field.name]}"
            named[field.name] = f"{value}.snapshot()" if isinstance(field.type, m.StateType) else value
        body = [docstring("The durable fields, as a value.", 8), statement("return ", call(name, **named), 8)]
        return function("snapshot", ["self"], name, body, indent=4)

    def _restore(self) -> str:
        unit = self.unit
        named: dict[str, Piece] = {}
        for field in self.state.fields:
            text = literal(field.name)
            if field.transient:
                default = self.defaults[field.name]
                more = [] if default is None else [default]
                named[self.parameter(field)] = call(f"{unit.lg}.transient", "transients", text, *more)
                continue
            value = f"checkpoint.{self.models[field.name]}"
            if isinstance(field.type, m.StateType):
                inner = call(f"{unit.lg}.inner_transients", "transients", text)
                made = call(f"{unit.declared(field.type.key)}.restore", value, inner)
                named[self.parameter(field)] = made
            else:
                named[self.parameter(field)] = value
        mapping = unit.std("collections.abc", "Mapping")
        values = f"transients: {mapping}[{unit.builtin('str')}, {unit.builtin('object')}]"
        body = [
            docstring("A state from its durable fields and the values of its transient ones.", 8),
            statement("return ", call("cls", **named), 8),
        ]
        parameters = ["cls", f"checkpoint: {self.stem}Checkpoint", values]
        decorators = [f"@{unit.builtin('classmethod')}"]
        return function("restore", parameters, self.name, body, indent=4, decorators=decorators)

    # --- checks ---------------------------------------------------------------------------------------------

    def _check(self, field: m.Field) -> str | None:
        """The name of the function that says what a field breaks, None where nothing can be broken."""
        body = list(self._tests(field))
        if not body:
            return None
        unit = self.unit
        name = unit.names.fresh(f"_check_{self.name}_{field.name}".lower())
        if isinstance(field.type, m.OptionalOf):
            body = ["    if value is None:", "        return None", *body]
        body = [f"    value = state.{self.attributes[field.name]}", *body, "    return None"]
        returns = f"{unit.builtin('str')} | None"
        self.functions.append(function(name, [f"state: {self.name}"], returns, body))
        return name

    def _tests(self, field: m.Field) -> list[str]:
        unit, lines = self.unit, list[str]()
        kind = base(field.type)
        if kind == m.Scalar("float"):
            test = f"not {unit.std('math', 'isfinite')}(value)"
            lines += _broken(test, f"`{field.name}` is {{value}}, not a finite number", formatted=True)
        if field.range is not None and field.range != (None, None):
            text = f"`{field.name}` is {{value}}, outside {_bounds(field.range)}"
            lines += _broken(self._outside("value", field.range, kind), text, formatted=True)
        if field.length is not None and field.length != (None, None):
            size = f"{unit.builtin('len')}(value)"
            text = f"`{field.name}` has length {{{size}}}, outside {_bounds(field.length)}"
            lines += _broken(self._outside(size, field.length, m.Scalar("int")), text, formatted=True)
        if field.pattern is not None:
            compiled = unit.names.fresh(f"_{self.name}_{field.name}_pattern".upper())
            final = unit.std("typing", "Final")
            made = call(f"{unit.whole('re')}.compile", literal(field.pattern))
            self.constants.append(statement(f"{compiled}: {final} = ", made, 0))
            text = f"`{field.name}` does not match the pattern {field.pattern}"
            lines += _broken(f"{compiled}.search(value) is None", text, formatted=False)
        return lines

    def _outside(self, value: str, bounds: m.Bounds, kind: m.Type) -> str:
        low, high = (None if end is None else self._bound(end, kind) for end in bounds)
        if low is not None and high is not None:
            return f"not {low} <= {value} <= {high}"
        return f"{value} < {low}" if low is not None else f"{value} > {high}"

    def _bound(self, value: m.Number, kind: m.Type) -> str:
        if kind == m.Scalar("decimal"):
            return flat(
                constant(self.unit, value if isinstance(value, Decimal) else Decimal(str(value)), kind)
            )
        return number(value) if isinstance(value, float) else repr(value)

    # --- what the engine reads ------------------------------------------------------------------------------

    def facts(self) -> str:
        """Assignments of what the engine reads about the class."""
        unit, fields, name = self.unit, self.state.fields, self.name
        text_of = {f.name: literal(f.name) for f in fields}
        attribute = {f.name: literal(self.attributes[f.name]) for f in fields}
        live = [attribute[f.name] for f in fields if is_collection(f.type)]
        inner = [attribute[f.name] for f in fields if isinstance(f.type, m.StateType)]
        merges = [(text_of[f.name], _merge(f.merge)) for f in fields if f.merge and f.merge.rule != "error"]
        mutations = [
            (literal(mutation.name), unit.names.mutation(self.state.key, mutation.name))
            for mutation in self.state.mutations
        ]
        values: dict[str, Piece] = {
            "name": literal(name),
            "fields": dict_of([(text_of[f.name], attribute[f.name]) for f in fields]),
            "transients": tuple_of([text_of[f.name] for f in fields if f.transient]),
            "collections": self._set(live),
            "substates": self._set(inner),
            "checks": dict_of([(text_of[field], check) for field, check in self.checks.items()]),
            "merges": dict_of(merges),
            "mutations": dict_of(mutations),
            "checkpoint": f"{self.stem}Checkpoint",
        }
        return "\n".join(statement(f"{name}.__lg_{key}__ = ", value, 0) for key, value in values.items())

    def _set(self, items: Sequence[Piece]) -> Piece:
        frozenset_ = self.unit.builtin("frozenset")
        return call(frozenset_, Bracket("{", tuple(items), "}")) if items else call(frozenset_)


def _is_made(default: m.Expr) -> bool:
    """Whether a default is more than a literal of Python."""
    match default:
        case m.Const(value) | m.Widen(m.Const(value)):
            return not isinstance(value, bool | int | float | str | bytes | None)
        case m.EnumConst() | m.Unary():
            return False
        case m.MakeList(items) if isinstance(base(default.type), m.ListOf):
            return makes_record(default) or any(_is_made(item) for item in items)
        case _:
            return True


def _merge(merge: m.Merge) -> Piece:
    target = "None" if merge.target is None else literal(str(merge.target))
    return tuple_of([literal(merge.rule), target])


def _broken(test: str, text: str, *, formatted: bool) -> list[str]:
    shown = ("f" if formatted else "") + literal(text)
    return [f"    if {test}:", f"        return {shown}"]


def _bounds(bounds: m.Bounds) -> str:
    return "..".join("" if end is None else str(end) for end in bounds)


def natural(name: str) -> list[tuple[int, int, str]]:
    """A sort key that counts digits as numbers, as formatters of `__slots__` and `__all__` do."""
    parts: list[tuple[int, int, str]] = []
    number = ""
    for char in [*name, ""]:
        if char.isdigit():
            number += char
            continue
        if number:
            parts.append((0, int(number), ""))
            number = ""
        if char:
            parts.append((1, 0, char))
    return parts
