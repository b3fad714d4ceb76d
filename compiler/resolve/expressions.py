"""From a written expression to a typed one.

`infer` gives an expression the type that it has; `check` wants a type and reports what does not fit it.
Both know the *facts* that hold at that place (see `narrowing`). What was reported becomes an expression
of the type `Unknown`, which fits everywhere.

What is checked: every name is a parameter, an item, a field, a record, an enum or a built-in function;
every operand has a type for which the operator is total or fails only as an evaluation error; an optional
is used only where it cannot be none. `json` values are closed: they can be compared (`==`), indexed and
asked with `get`, nothing else.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from itertools import chain
from types import MappingProxyType

from ...dsl import ast
from ...dsl.frozen import frozen
from ...dsl.source import Place, Span
from .. import model
from ..context import FieldShape, Unit, kind_with_article
from ..model import Const, DictOf, Expr, ListOf, NoneOnly, OptionalOf, Scalar, SetOf, Type, Unknown
from ..narrowing import Facts, Row, narrow, path_of
from ..types import BOOL, INT, JSON, STR, UNKNOWN, TypeRules, base, is_key, optional, show
from . import operators
from .constants import LITERALS, bends, fit, natural, strip
from .functions import call_function

# The trees that later stages walk may be this deep; brackets alone are limited by the parser.
DEEPEST = 210


NO_NAMES: Mapping[str, Type] = MappingProxyType({})


@frozen
class Scope:
    """What a name may mean where an expression stands.

    Attributes:
        fields: the fields of the state in scope.
        params: the parameters of the mutation or decision; they hide fields.
        items: the item of a map; it hides fields.
        nodes: the nodes that `visits` may name; None outside guards.
        constant: the names of fields that cannot be used here because a constant is wanted; None elsewhere.
        uses: collects the declarations that the expressions name, where that is wanted.
        states: whether states can be built, as in the `given` of a scenario.
    """

    unit: Unit
    fields: Mapping[str, Type] = NO_NAMES
    params: Mapping[str, Type] = NO_NAMES
    items: Mapping[str, Type] = NO_NAMES
    nodes: Collection[str] | None = None
    constant: Collection[str] | None = None
    uses: set[model.Key] | None = None
    states: bool = False


class Typer:
    """Types the expressions of one scope.

    `mismatch` is the code for a wrong type: LG201, or LG206 for defaults.
    """

    __slots__ = ("depth", "mismatch", "row", "rules", "scope", "tables", "unit")

    def __init__(self, scope: Scope, *, mismatch: str = "LG201") -> None:
        self.scope = scope
        self.unit = scope.unit
        self.tables = scope.unit.context.tables
        self.rules = TypeRules(self.tables.unions)
        self.mismatch = mismatch
        self.depth = 0
        self.row = Row()

    def used(self, key: model.Key) -> None:
        """Note that a declaration is named."""
        if self.scope.uses is not None:
            self.scope.uses.add(key)

    # --- what is reported ---------------------------------------------------------------------------------

    def place(self, written: ast.Expr | ast.Name | ast.Arg) -> Place:
        """Where something written stands."""
        return Place(self.unit.source, written.span)

    def hole(self, place: Place) -> Expr:
        """What stands for an expression that was reported."""
        return Const(None, UNKNOWN, place)

    def text(self, place: Place) -> str:
        """The written expression, if it is short enough to be quoted, else "this value"."""
        text = place.source.text[place.span.start : place.span.end]
        return f"`{text}`" if len(text) <= 40 and "\n" not in text else "this value"

    def error(self, code: str, message: str, span: Span, help: str = "") -> None:
        """Report an error at a span of this file."""
        self.unit.error(code, message, span, help=help)

    def may_be_none(self, expr: Expr) -> None:
        """Report an optional that is used as if it could not be none (LG204)."""
        text = self.text(expr.place)
        quoted = text if text.startswith("`") else "`x`"
        help = (
            f"test it first ({quoted[:-1]} != none and …`) or say what counts instead ({quoted[:-1]} ?? …`)"
        )
        self.error(
            "LG204", f"{text} may be none here: its type is `{show(expr.type)}`", expr.place.span, help
        )

    def solid(self, expr: Expr) -> Type:
        """The type of an operand that must not be none; reports LG204."""
        if isinstance(expr.type, OptionalOf):
            self.may_be_none(expr)
        return base(expr.type)

    def mismatched(self, found: Expr, wanted: Type, what: str) -> None:
        """Report a value whose type does not fit, unless it may be the readable part of another."""
        span, text = found.place.span, self.text(found.place)
        if self.unit.cut_short(span):
            return
        if isinstance(found.type, OptionalOf) and self.rules.assignable(found.type.item, wanted):
            self.may_be_none(found)
            return
        target = base(wanted)
        form = _FORMS.get(target.name) if isinstance(target, Scalar) else None
        if form is not None and isinstance(found, Const) and found.type == STR:
            self.error(self.mismatch, f"{text} is not a valid `{show(target)}`", span, form)
            return
        if isinstance(found.type, NoneOnly):
            help = f"declare it as `{show(wanted)}?` if it may be none"
            if isinstance(wanted, model.StateType):
                help = f"write {show(wanted)}(…)"
            self.error(self.mismatch, f"{what} takes `{show(wanted)}`, not none", span, help)
            return
        message = f"{what} takes `{show(wanted)}`, but {text} is `{show(found.type)}`"
        self.error(
            self.mismatch, message, span, _namesakes(found.type, target) or self.conversion(found, target)
        )

    def conversion(self, value: Expr, wanted: Type) -> str:
        """How to turn a value into the wanted type, where there is a way."""
        found = value.type
        if isinstance(value, Const):
            return self.member_help(value, wanted)
        convertible = isinstance(found, Scalar) and found.name in ("int", "float", "decimal", "str", "bool")
        if convertible and isinstance(wanted, Scalar) and wanted.name in ("int", "float", "str"):
            return f"convert it: `{wanted.name}(…)`"
        if isinstance(wanted, model.SetOf) and isinstance(found, model.DictOf):
            return "a set is written as a list: `[…]`"
        if isinstance(wanted, ListOf) and self.rules.assignable(found, wanted.item):
            return "put it into a list: `[…]`"
        return ""

    def member_help(self, value: Const, wanted: Type) -> str:
        """The member of an enum that was written as a string."""
        wanted = base(wanted)
        if isinstance(wanted, model.EnumType) and value.value in self.tables.enums.get(wanted.key, {}):
            return f"write `{wanted.key.name}.{value.value}`"
        return ""

    # --- the two ways --------------------------------------------------------------------------------------

    def check(self, written: ast.Expr, wanted: Type, what: str, facts: Facts) -> Expr:
        """The expression as a value of the wanted type; `what` names the taker in messages."""
        found = self.infer(written, facts, wanted)
        type = found.type
        if type == wanted:
            return found
        if isinstance(type, Unknown) or isinstance(wanted, Unknown):
            return found
        if not self.rules.assignable(type, wanted):
            self.mismatched(found, wanted, what)
            return self.hole(found.place)
        return self.widened(found, wanted)

    def widened(self, found: Expr, wanted: Type) -> Expr:
        """An int as a float where a float is wanted."""
        if found.type == INT and base(wanted) == model.Scalar("float"):
            return model.Widen(found, model.Scalar("float"), found.place)
        return found

    def condition(self, written: ast.Expr, what: str, facts: Facts) -> Expr:
        """An expression that must be a bool."""
        return self.check(written, BOOL, what, facts)

    def infer(self, written: ast.Expr, facts: Facts, wanted: Type | None = None) -> Expr:
        """The typed expression; `wanted` is a hint for literals."""
        while isinstance(written, ast.Paren):
            written = written.inner
        place = Place(self.unit.source, written.span)
        if isinstance(written, LITERALS):
            if isinstance(written, ast.NoneLit) and written.span.end - written.span.start != 4:
                return self.hole(place)  # the parser's stand-in for what was nested too deep
            if written.span.start in self.unit.misspelt:
                return self.hole(place)
            fitted = fit(written, wanted, place) if wanted is not None else None
            return fitted or natural(written, place)
        if isinstance(written, ast.Ref):
            return self.ref(written, place, facts)
        if self.depth >= DEEPEST:
            message = f"this expression is nested more than {DEEPEST} deep"
            self.error("LG006", message, written.span, "split it: several edges, mutations or fields")
            return self.hole(place)
        self.depth += 1
        found = self.compound(written, place, facts, wanted)
        self.depth -= 1
        return found

    def compound(self, written: ast.Expr, place: Place, facts: Facts, wanted: Type | None) -> Expr:
        """Expressions with parts."""
        match written:
            case ast.Binary():
                return operators.binary(self, written, place, facts, wanted)
            case ast.Attr():
                return self.attr(written, place, facts)
            case ast.Call():
                return self.call(written, place, facts, wanted)
            case ast.Unary():
                return operators.unary(self, written, place, facts, wanted)
            case ast.Index():
                return self.index(written, place, facts)
            case ast.ListExpr():
                return self.list(written, place, facts, wanted)
            case ast.DictExpr():
                return self.dict(written, place, facts, wanted)
            case ast.Is():
                return self.is_record(written, place, facts)
            case ast.Conditional():
                return self.conditional(written, place, facts, wanted)
            case _:
                return self.hole(place)

    # --- names ---------------------------------------------------------------------------------------------

    def ref(self, written: ast.Ref, place: Place, facts: Facts) -> Expr:
        """A name that stands alone."""
        name, scope = written.name, self.scope
        if name in scope.params:
            return model.ParamRef(name, facts.get((name,), scope.params[name]), place)
        if name in scope.items:
            return model.ItemRef(name, facts.get((name,), scope.items[name]), place)
        if name in scope.fields:
            return model.FieldRef(name, facts.get((name,), scope.fields[name]), place)
        if scope.constant is not None and name in scope.constant:
            self.error("LG206", f"a constant is wanted here, but `{name}` is a field", written.span)
            return self.hole(place)
        symbol = self.unit.symbol(name)
        if symbol is None:
            symbols = (n for n, s in self.unit.symbols.items() if s.kind in ("enum", "record"))
            known = chain(scope.params, scope.items, scope.fields, symbols)
            self.unit.undefined("name", ast.Name(written.span, name), known)
        elif symbol.kind == "enum":
            member = next(iter(self.tables.enums.get(symbol.key, {})), "member")
            message = f"`{name}` is an enum, not one of its values"
            self.error("LG201", message, written.span, f"write `{name}.{member}`")
        elif symbol.kind == "record":
            message = f"`{name}` is a record, not a value"
            self.error("LG201", message, written.span, f"write `{name}(…)`")
        elif symbol.kind != "unknown":
            self.error("LG201", f"`{name}` is {kind_with_article(symbol.kind)}, not a value", written.span)
        return self.hole(place)

    def is_local(self, name: str) -> bool:
        """Whether a name is a parameter, an item or a field here."""
        return name in self.scope.params or name in self.scope.items or name in self.scope.fields

    def enum_member(self, written: ast.Attr, place: Place) -> Expr | None:
        """`E.a`, or None if the expression is something else."""
        head = strip(written.base)
        if not isinstance(head, ast.Ref) or self.is_local(head.name):
            return None
        symbol = self.unit.symbol(head.name)
        if symbol is None or symbol.kind != "enum":
            return None
        self.used(symbol.key)
        members = self.tables.enums.get(symbol.key, {})
        type = model.EnumType(symbol.key)
        if written.name.text not in members:
            self.unit.undefined("member", written.name, members, where=f" of enum `{head.name}`")
            return Const(None, UNKNOWN, place)
        return model.EnumConst(symbol.key, written.name.text, type, place)

    def attr(self, written: ast.Attr, place: Place, facts: Facts) -> Expr:
        """`x.f`, `x?.f`, `E.a`."""
        member = self.enum_member(written, place)
        if member is not None:
            return member
        owner = self.infer(written.base, facts)
        type = owner.type
        if isinstance(type, Unknown):
            return self.hole(place)
        if not written.safe:
            type = self.solid(owner)
        elif not isinstance(type, OptionalOf) and path_of(owner) not in facts:
            message = f"{self.text(owner.place)} is `{show(type)}`, which is never none"
            self.error("LG201", message, written.span, "write `.` for `?.`")
        fields = self.fields_of(base(type))
        shape = fields.get(written.name.text) if fields is not None else None
        if shape is None:
            self.no_field(written.name, base(type), fields)
            return self.hole(place)
        safe = written.safe and isinstance(owner.type, OptionalOf)
        result = optional(shape.type) if safe else shape.type
        known = path_of(owner)
        if known is not None and facts:
            result = facts.get((*known, written.name.text), result)
        return model.Attr(owner, written.name.text, written.safe, result, place)

    def fields_of(self, type: Type) -> dict[str, FieldShape] | None:
        """The fields of a record or sub-state; None for other types."""
        match type:
            case model.RecordType(key):
                return self.tables.records.get(key, {})
            case model.StateType(key):
                return self.tables.states.get(key, {})
            case _:
                return None

    def no_field(self, name: ast.Name, type: Type, fields: Collection[str] | None) -> None:
        """Report a field that is not there (LG202)."""
        if isinstance(type, Unknown) or self.unit.cut_short(name.span):
            return
        if fields is None:
            help = ""
            if isinstance(type, model.UnionType):
                help = f"`{show(type)}` is a union: find out first which record it is, with `is`"
            self.error("LG202", f"`{show(type)}` has no field `{name.text}`", name.span, help)
            return
        self.unit.undefined(f"`{show(type)}` has no field", name, fields, code="LG202")

    # --- parts of values -----------------------------------------------------------------------------------

    def index(self, written: ast.Index, place: Place, facts: Facts) -> Expr:
        """`d[k]`, `xs[i]`."""
        owner = self.infer(written.base, facts)
        type = self.solid(owner)
        match type:
            case ListOf(item):
                key = self.check(written.key, INT, "an index into a list", facts)
                result = item
            case DictOf(wanted, value):
                key = self.check(written.key, wanted, f"a key of {self.text(owner.place)}", facts)
                result = value
            case Scalar("json"):
                key = self.infer(written.key, facts)
                if self.solid(key) not in (STR, INT, UNKNOWN):
                    self.mismatched(key, STR, "a key of a `json` value")
                result = JSON
            case _:
                key = self.infer(written.key, facts)
                result = UNKNOWN
                if not isinstance(type, Unknown):
                    message = f"{self.text(owner.place)} is `{show(type)}`, which has no entries to pick"
                    self.error("LG201", message, written.span)
        return model.Index(owner, key, result, place)

    def list(self, written: ast.ListExpr, place: Place, facts: Facts, wanted: Type | None) -> Expr:
        """`[a, b]`: a list, or a set or `json` where that is wanted."""
        target = base(wanted) if wanted is not None else None
        match target:
            case ListOf(item) | SetOf(item):
                what = "this set" if isinstance(target, SetOf) else "this list"
                items = tuple(self.check(e, item, what, facts) for e in written.items)
                if isinstance(target, SetOf) or not isinstance(item, Unknown):
                    return model.MakeList(items, target, place)
            case Scalar("json"):
                return model.MakeList(tuple(self.json_part(e, facts) for e in written.items), JSON, place)
            case _:
                items = tuple(self.infer(e, facts) for e in written.items)
        return model.MakeList(items, ListOf(self.common(items, "items of a list")), place)

    def common(self, items: tuple[Expr, ...], what: str) -> Type:
        """The type that all the items fit."""
        type: Type | None = None
        for item in items:
            joined = item.type if type is None else self.rules.join(type, item.type)
            if joined is None and type is not None:
                message = f"{what} have one type: {self.text(item.place)} is `{show(item.type)}`, "
                self.error("LG201", message + f"those before it `{show(type)}`", item.place.span)
                return UNKNOWN
            type = joined
        return UNKNOWN if type is None else type

    def dict(self, written: ast.DictExpr, place: Place, facts: Facts, wanted: Type | None) -> Expr:
        """`{k: v}`: a dict, or a `json` object where that is wanted."""
        target = base(wanted) if wanted is not None else None
        pairs: list[tuple[Expr, Expr]] = []
        if target == JSON:
            for k, v in written.items:
                pairs.append(
                    (self.check(k, STR, "a key of a `json` object", facts), self.json_part(v, facts))
                )
            return model.MakeDict(tuple(pairs), JSON, place)
        if isinstance(target, DictOf) and not isinstance(target.value, Unknown):
            for k, v in written.items:
                key = self.check(k, target.key, "a key of this dict", facts)
                pairs.append((key, self.check(v, target.value, "this dict", facts)))
            return model.MakeDict(tuple(pairs), target, place)
        pairs = [(self.infer(k, facts), self.infer(v, facts)) for k, v in written.items]
        key_type = self.common(tuple(k for k, _ in pairs), "keys of a dict")
        if not is_key(key_type):
            message = f"the keys of a dict are `str`, `int`, `uuid` or an enum, not `{show(key_type)}`"
            self.error("LG201", message, written.span)
            key_type = UNKNOWN
        value_type = self.common(tuple(v for _, v in pairs), "values of a dict")
        return model.MakeDict(tuple(pairs), DictOf(key_type, value_type), place)

    def json_part(self, written: ast.Expr, facts: Facts) -> Expr:
        """A value inside a written `json` list or object: what JSON has, in any mixture."""
        found = self.infer(written, facts, JSON)
        if not _is_json(found.type):
            self.mismatched(found, JSON, "a `json` value")
        return found

    # --- choices -------------------------------------------------------------------------------------------

    def is_record(self, written: ast.Is, place: Place, facts: Facts) -> Expr:
        """`x is R`."""
        operand = self.infer(written.operand, facts)
        name = written.record
        symbol = self.unit.symbol(name.text)
        if symbol is None:
            records = (n for n, s in self.unit.symbols.items() if s.kind == "record")
            self.unit.undefined("record", name, records)
            return Const(False, BOOL, place)
        if symbol.kind != "record":
            if symbol.kind != "unknown":
                message = f"`is` asks for a record, but `{name.text}` is {kind_with_article(symbol.kind)}"
                self.error("LG201", message, name.span)
            return Const(False, BOOL, place)
        self.used(symbol.key)
        type = base(operand.type)
        if isinstance(type, model.UnionType):
            if symbol.key not in self.rules.members(type.key):
                self.error("LG201", f"`{name.text}` is not a member of union `{show(type)}`", name.span)
        elif type != model.RecordType(symbol.key) and not isinstance(type, Unknown):
            message = (
                f"`is` tells the members of a union apart, but {self.text(operand.place)} is `{show(type)}`"
            )
            self.error("LG201", message, operand.place.span)
        return model.IsRecord(operand, symbol.key, BOOL, place)

    def conditional(self, written: ast.Conditional, place: Place, facts: Facts, wanted: Type | None) -> Expr:
        """`A if C else B`."""
        condition = self.condition(written.condition, "the condition of `if`", facts)
        held = facts | narrow(condition, True, self.rules)
        failed = facts | narrow(condition, False, self.rules)
        if bends(strip(written.then)) and wanted is None:
            otherwise = self.infer(written.otherwise, failed)
            then = self.infer(written.then, held, otherwise.type)
        else:
            then = self.infer(written.then, held, wanted)
            otherwise = self.infer(written.otherwise, failed, wanted if wanted is not None else then.type)
        type = self.rules.join(then.type, otherwise.type)
        if type is None:
            message = f"the two values of `if` differ: `{show(then.type)}` and `{show(otherwise.type)}`"
            self.error("LG201", message, written.span)
            type = UNKNOWN
        then, otherwise = self.widened(then, type), self.widened(otherwise, type)
        return model.Conditional(then, condition, otherwise, type, place)

    def call(self, written: ast.Call, place: Place, facts: Facts, wanted: Type | None) -> Expr:
        """`f(…)`, `R(f = …)`."""
        symbol = self.unit.symbol(written.name.text)
        made = ("record", "state") if self.scope.states else ("record",)
        if symbol is not None and symbol.kind in made:
            from .building import make_record, make_state  # many files build nothing

            self.used(symbol.key)
            if symbol.kind == "state":
                return make_state(self, written, symbol.key, place, facts, wanted)
            return make_record(self, written, symbol.key, place, facts)
        if symbol is not None and symbol.kind == "unknown":
            return self.hole(place)
        return call_function(self, written, place, facts, wanted)


def _namesakes(found: Type, wanted: Type) -> str:
    """Which files two types of one name are from."""
    match base(found), wanted:
        case (
            (model.RecordType(a), model.RecordType(b))
            | (model.StateType(a), model.StateType(b))
            | (model.EnumType(a), model.EnumType(b))
        ) if a.name == b.name and a != b:
            return f"wanted is the `{b.name}` of {b.path}, this is the one of {a.path}"
        case _:
            return ""


def _is_json(type: Type) -> bool:
    match type:
        case Scalar(name):
            return name in ("str", "int", "float", "bool", "json")
        case OptionalOf(item) | ListOf(item):
            return _is_json(item)
        case DictOf(key, value):
            return key == STR and _is_json(value)
        case NoneOnly() | Unknown():
            return True
        case _:
            return False


_FORMS = {
    "date": 'write it as "2031-12-24"',
    "datetime": 'write it as "2031-12-24T18:00:00Z"',
    "uuid": 'write it as "00000000-0000-0000-0000-000000000000"',
}
