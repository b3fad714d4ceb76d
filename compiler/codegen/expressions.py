"""From typed expressions to Python that means the same.

Operators whose Python meaning is total and the same become Python's own; whatever can fail becomes a function
of the runtime that is told the expression's text and place. Operands are evaluated once, from left to right.

A *live* value is a collection that a state changes in place. Everything else is immutable: lists are tuples,
sets frozensets, dicts FrozenDicts.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import assert_never

from .. import model as m
from .constants import constant, place_of, text_of
from .facts import NOTHING, Fact, Facts, facts_of
from .layout import (
    Bracket,
    Chain,
    Parens,
    Piece,
    Prefixed,
    Suffixed,
    call,
    dict_of,
    flat,
    parens,
    tuple_of,
)
from .text import literal
from .types import annotation_text, base, is_collection
from .unit import Unit


@dataclass(frozen=True, slots=True)
class Scope:
    """What names stand for where an expression is evaluated.

    Attributes:
        state: the state whose fields are in scope, None for constants.
        subject: the Python expression for that state.
        locals: for parameters and items: their Python expression and declared type.
    """

    state: m.State | None = None
    subject: str = "state"
    locals: Mapping[str, tuple[str, m.Type]] = field(default_factory=dict[str, tuple[str, m.Type]])


class Writer:
    """Writes the expressions of one Python function."""

    def __init__(self, unit: Unit, scope: Scope) -> None:
        self.unit = unit
        self.scope = scope
        self._count = 0

    # --- references -----------------------------------------------------------------------------------------

    def reference(self, expr: m.Expr) -> str | None:
        """The text of a name or of a chain of fields behind one, None for other expressions."""
        match expr:
            case m.FieldRef(name):
                state = self.scope.state
                assert state is not None
                return f"{self.scope.subject}.{self.unit.state_attributes(state.key)[name]}"
            case m.ParamRef(name) | m.ItemRef(name):
                return self.scope.locals[name][0]
            case m.Attr(inner, name, False):
                text = self.reference(inner)
                attribute = self._attribute(inner.type, name)
                return None if text is None or attribute is None else f"{text}.{attribute}"
            case _:
                return None

    def _attribute(self, owner: m.Type, name: str) -> str | None:
        match base(owner):
            case m.RecordType(key):
                return self.unit.record_attributes(key)[name]
            case m.StateType(key):
                return self.unit.state_attributes(key)[name]
            case _:
                return None

    def _declared(self, expr: m.Expr) -> m.Type:
        """The type of a reference before the language narrowed it."""
        match expr:
            case m.FieldRef(name):
                found = None if self.scope.state is None else self.scope.state.field(name)
                return expr.type if found is None else found.type
            case m.ParamRef(name) | m.ItemRef(name):
                return self.scope.locals[name][1]
            case m.Attr(inner, name):
                fields: tuple[m.Field, ...] | tuple[m.RecordField, ...] = ()
                match base(inner.type):
                    case m.RecordType(key):
                        fields = self.unit.program.records[key].fields
                    case m.StateType(key):
                        fields = self.unit.program.states[key].fields
                    case _:
                        pass
                return next((f.type for f in fields if f.name == name), expr.type)
            case _:
                return expr.type

    def _narrowed(self, expr: m.Expr, piece: Piece, facts: Facts) -> Piece:
        """A reference; where type checkers do not know what the language knows, the runtime is asked."""
        declared, text = self._declared(expr), flat(piece)
        solid = not isinstance(expr.type, m.OptionalOf | m.NoneOnly)
        if isinstance(declared, m.OptionalOf) and solid and Fact(text) not in facts:
            piece = self.helper("require", expr, piece)
        if isinstance(base(declared), m.UnionType) and isinstance(base(expr.type), m.RecordType):
            record = base(expr.type)
            assert isinstance(record, m.RecordType)
            if Fact(text, record.key) not in facts:
                piece = self.helper("as_record", expr, piece, self.unit.declared(record.key))
        return piece

    def facts(self, condition: m.Expr, holds: bool) -> Facts:
        """What type checkers know where a condition holds (or does not)."""
        return facts_of(condition, holds, self.reference, self._members)

    def _members(self, type_: m.Type) -> tuple[m.Key, ...]:
        return self.unit.program.unions[type_.key].members if isinstance(type_, m.UnionType) else ()

    # --- building blocks ------------------------------------------------------------------------------------

    def helper(self, name: str, expr: m.Expr, *items: Piece) -> Bracket:
        """A function of the runtime that is told the expression's text and place."""
        return call(f"{self.unit.lg}.{name}", *items, literal(text_of(expr)), literal(place_of(expr)))

    def _variable(self) -> str:
        self._count += 1
        return f"value_{self._count}"

    def once(self, piece: Piece, use: Callable[[str], tuple[Piece, Piece]]) -> Piece:
        """`A if PIECE is None else B`, where both may name the piece, which is evaluated once."""
        if isinstance(piece, str) and piece.replace(".", "").isidentifier():
            some, none = use(piece)
            return Chain((none, f"{piece} is None", some), ("if", "else"))
        name = self._variable()
        some, none = use(name)
        test = Chain((Parens(Prefixed(f"{name} := ", piece)), "None"), ("is",))
        return Chain((none, test, some), ("if", "else"))

    # --- expressions ----------------------------------------------------------------------------------------

    def write(self, expr: m.Expr, facts: Facts = NOTHING) -> Piece:
        """The expression as Python."""
        from .operators import binary, compares, function

        match expr:
            case m.Const(value, type_):
                return constant(self.unit, value, type_)
            case m.EnumConst(key, member):
                return f"{self.unit.declared(key)}.{self.unit.enum_attributes(key)[member]}"
            case m.FieldRef() | m.ParamRef() | m.ItemRef():
                text = self.reference(expr)
                assert text is not None
                return self._narrowed(expr, text, facts)
            case m.Attr():
                return self._attr(expr, facts)
            case m.Index(owner, key):
                return self._index(expr, owner, key, facts)
            case m.Call():
                return function(self, expr, facts)
            case m.Visits(node):
                return call("run.visits", literal(node))
            case m.Steps():
                return "run.steps()"
            case m.MakeRecord():
                return self.record(expr, facts)
            case m.MakeList() | m.MakeDict():
                return self.collection(expr, facts)
            case m.Unary():
                return self._unary(expr, facts)
            case m.Binary():
                return binary(self, expr, facts)
            case m.IsRecord(operand, record):
                isinstance_ = self.unit.builtin("isinstance")
                return call(isinstance_, self.write(operand, facts), self.unit.declared(record))
            case m.Conditional(then, condition, otherwise):
                yes = parens(self.write(then, facts | self.facts(condition, True)))
                no = parens(self.write(otherwise, facts | self.facts(condition, False)))
                test = self.write(condition, facts)
                return Chain((yes, test if compares(test) else parens(test), no), ("if", "else"))
            case m.Widen(operand):
                if isinstance(operand, m.Const) and isinstance(operand.value, int):
                    return constant(self.unit, operand.value, m.Scalar("float"))
                return self.helper("to_float", expr, self.write(operand, facts))
            case _:
                assert_never(expr)

    def _attr(self, expr: m.Attr, facts: Facts) -> Piece:
        attribute = self._attribute(expr.base.type, expr.name) or expr.name
        owner = self.write(expr.base, facts)
        if expr.safe and isinstance(expr.base.type, m.OptionalOf):
            return self.once(owner, lambda name: (f"{name}.{attribute}", "None"))
        piece: Piece = (
            f"{owner}.{attribute}" if isinstance(owner, str) else Suffixed(parens(owner), f".{attribute}")
        )
        return self._narrowed(expr, piece, facts)

    def _index(self, expr: m.Index, owner: m.Expr, key: m.Expr, facts: Facts) -> Piece:
        kind = base(owner.type)
        name = (
            "item" if isinstance(kind, m.ListOf) else "entry" if isinstance(kind, m.DictOf) else "json_item"
        )
        return self.helper(name, expr, self.write(owner, facts), self.write(key, facts))

    def _unary(self, expr: m.Unary, facts: Facts) -> Piece:
        if expr.op == "-":
            return self._negative(expr, facts)
        operand = expr.operand
        match operand:
            case m.Binary("in", left, right):
                return self.write(m.Binary("not in", left, right, operand.type, operand.place), facts)
            case m.Binary("not in", left, right):
                return self.write(m.Binary("in", left, right, operand.type, operand.place), facts)
            case m.Binary("==", left, right):
                return self.write(m.Binary("!=", left, right, operand.type, operand.place), facts)
            case m.Binary("!=", left, right):
                return self.write(m.Binary("==", left, right, operand.type, operand.place), facts)
            case m.Unary("not", inner):
                return self.write(inner, facts)
            case _:
                return Prefixed("not ", parens(self.write(operand, facts)))

    def _negative(self, expr: m.Unary, facts: Facts) -> Piece:
        operand = self.write(expr.operand, facts)
        match base(expr.type):
            case m.Scalar("decimal"):
                return Suffixed(parens(operand), ".copy_negate()")
            case m.Scalar("duration"):
                return self.helper("time_scale", expr, operand, "-1")
            case _:
                return Prefixed("-", parens(operand))

    # --- values that are made -------------------------------------------------------------------------------

    def record(self, expr: m.MakeRecord, facts: Facts) -> Piece:
        """`R(f=e)`; the constructor takes the user's names. A sub-state is held as its checkpoint."""
        named = {name: self.argument(value, facts) for name, value in expr.fields}
        made = self.unit.checkpoint if isinstance(expr.type, m.StateType) else self.unit.declared
        return call(made(expr.record), **named)

    def argument(self, expr: m.Expr, facts: Facts = NOTHING) -> Piece:
        """An argument of a generated model, which freezes collections itself."""
        return self.write(expr, facts)

    def frozen(self, expr: m.Expr, facts: Facts = NOTHING) -> Piece:
        """A value that nothing changes any more: to be stored, or compared with another one."""
        piece = self.write(expr, facts)
        if not self.live(expr):
            return piece
        match expr.type:
            case m.ListOf():
                return call(self.unit.builtin("tuple"), piece)
            case m.SetOf():
                return call(self.unit.builtin("frozenset"), piece)
            case m.DictOf():
                return call(f"{self.unit.lg}.FrozenDict", piece)
            case _:
                return call(f"{self.unit.lg}.frozen", piece)

    def live(self, expr: m.Expr) -> bool:
        """Whether the value may be a collection that a state changes in place."""
        if not is_collection(expr.type):
            return False
        match expr:
            case m.FieldRef():
                return True
            case m.Attr(owner):
                return isinstance(base(owner.type), m.StateType)
            case m.Conditional(then, _, otherwise):
                return self.live(then) or self.live(otherwise)
            case m.Binary("??", left, right):
                return self.live(left) or self.live(right)
            case m.Call("get" | "first" | "last", args):
                return self.live(args[-1])
            case _:
                return False

    def collection(self, expr: m.MakeList | m.MakeDict, facts: Facts) -> Piece:
        """`[a, b]`, `{k: v}` as an immutable value."""
        kind = base(expr.type)
        lg = self.unit.lg
        if isinstance(expr, m.MakeDict):
            name = f"{lg}.FrozenDict"
            if not expr.items:
                return call(f"{name}[{self.dict_parameters(kind)}]")
            return call(name, self.entries(expr, facts))
        if isinstance(kind, m.SetOf):
            frozenset_ = self.unit.builtin("frozenset")
            if not expr.items:
                return call(f"{frozenset_}[{annotation_text(self.unit, kind.item, 'value')}]")
            return call(frozenset_, Bracket("{", tuple(self.items(expr, facts)), "}"))
        return tuple_of(self.items(expr, facts))

    def dict_parameters(self, kind: m.Type) -> str:
        """The type arguments of a dict."""
        if not isinstance(kind, m.DictOf):
            return f"{self.unit.builtin('str')}, {self.unit.std('typing', 'Any')}"
        parts = (annotation_text(self.unit, part, "value") for part in (kind.key, kind.value))
        return ", ".join(parts)

    def items(self, expr: m.MakeList, facts: Facts) -> list[Piece]:
        """The items; those of a set only once."""
        kind = base(expr.type)
        wanted = kind.item if isinstance(kind, m.ListOf | m.SetOf) else kind
        found = [self.frozen(widened(item, wanted), facts) for item in expr.items]
        return list({flat(item): item for item in found}.values()) if isinstance(kind, m.SetOf) else found

    def entries(self, expr: m.MakeDict, facts: Facts) -> Piece:
        """The entries as a dict display, or, where a key stands twice, as a list of pairs."""
        kind = base(expr.type)
        wanted = kind.value if isinstance(kind, m.DictOf) else kind
        found = [(self.write(k, facts), self.frozen(widened(v, wanted), facts)) for k, v in expr.items]
        if len({flat(key) for key, _ in found}) == len(found):
            return dict_of(found)
        return Bracket("[", tuple(tuple_of(pair) for pair in found), "]")

    def condition(self, expr: m.Expr) -> Piece:
        """A guard."""
        return self.write(expr)


def widened(expr: m.Expr, wanted: m.Type) -> m.Expr:
    """An int as a float where one is wanted."""
    if base(wanted) == m.Scalar("float") and expr.type == m.Scalar("int"):
        return m.Widen(expr, m.Scalar("float"), expr.place)
    return expr
