"""From a written type to a resolved one, and the questions that are asked about types.

Which type may stand where: a type for itself, `int` for `float`, `T` for `T?`, a member record for its
union; literals are the business of `constants`. `Unknown` stands for everything, so that one mistake is
one finding.
"""

from __future__ import annotations

from itertools import chain

from ..dsl import ast
from . import model
from .context import Unit, kind_with_article
from .model import DictOf, ListOf, NoneOnly, OptionalOf, Scalar, SetOf, Type, Unknown

UNKNOWN = Unknown()
NONE = NoneOnly()
STR = Scalar("str")
INT = Scalar("int")
FLOAT = Scalar("float")
BOOL = Scalar("bool")
BYTES = Scalar("bytes")
DECIMAL = Scalar("decimal")
DATETIME = Scalar("datetime")
DATE = Scalar("date")
DURATION = Scalar("duration")
UUID = Scalar("uuid")
JSON = Scalar("json")

SCALARS: dict[str, Scalar] = {
    s.name: s for s in (STR, INT, FLOAT, BOOL, BYTES, DECIMAL, DATETIME, DATE, DURATION, UUID, JSON)
}
_INSIDE = {"list": "list[T]", "set": "set[T]", "dict": "dict[K, T]"}
BUILT_IN = frozenset({*SCALARS, *_INSIDE})
NUMBERS = frozenset({INT, FLOAT, DECIMAL})
ORDERED = frozenset({INT, FLOAT, DECIMAL, STR, DATETIME, DATE, DURATION})
_KEYS = frozenset({STR, INT, UUID})


def show(type: Type) -> str:
    """A type as the user writes it."""
    match type:
        case Scalar(name):
            return name
        case NoneOnly():
            return "none"
        case Unknown():
            return "?"
        case OptionalOf(item):
            return show(item) + "?"
        case ListOf(item):
            return f"list[{show(item)}]"
        case SetOf(item):
            return f"set[{show(item)}]"
        case DictOf(key, value):
            return f"dict[{show(key)}, {show(value)}]"
        case (
            model.EnumType(key)
            | model.RecordType(key)
            | model.UnionType(key)
            | model.StateType(key)
            | model.OpaqueType(key)
        ):
            return key.name


def base(type: Type) -> Type:
    """The type without its `?`."""
    return type.item if isinstance(type, OptionalOf) else type


def optional(type: Type) -> Type:
    """`T?` of a type; never nested."""
    return type if isinstance(type, OptionalOf | NoneOnly | Unknown) else OptionalOf(type)


def may_be_none(type: Type) -> bool:
    """Whether none is among the values of a type: `json` holds it too."""
    return isinstance(type, OptionalOf | NoneOnly | Unknown) or type == JSON


def is_key(type: Type) -> bool:
    """Whether values of the type may be keys of a dict and items of a set."""
    return type in _KEYS or isinstance(type, model.EnumType | Unknown)


def unknown_in(type: Type) -> bool:
    """Whether a part of the type is not known."""
    match type:
        case Unknown():
            return True
        case OptionalOf(item) | ListOf(item) | SetOf(item):
            return unknown_in(item)
        case DictOf(key, value):
            return unknown_in(key) or unknown_in(value)
        case _:
            return False


class TypeRules:
    """The questions about types that need the declarations: members of unions."""

    __slots__ = ("_unions",)

    def __init__(self, unions: dict[model.Key, tuple[model.Key, ...]]) -> None:
        self._unions = unions

    def members(self, union: model.Key) -> tuple[model.Key, ...]:
        """The records of a union."""
        return self._unions.get(union, ())

    def assignable(self, found: Type, wanted: Type) -> bool:
        """Whether a value of one type may stand where another is wanted."""
        if found == wanted:
            return True
        match found, wanted:
            case (Unknown(), _) | (_, Unknown()):
                return True
            case (NoneOnly(), OptionalOf()):
                return True
            case (NoneOnly(), Scalar("json")):
                return True
            case (OptionalOf(a), OptionalOf(b)):
                return self.same(a, b)
            case (OptionalOf(), _):
                return False
            case (_, OptionalOf(b)):
                return self.assignable(found, b)
            case (Scalar("int"), Scalar("float")):
                return True
            case (model.RecordType(record), model.UnionType(union)):
                return record in self.members(union)
            case (ListOf(a), ListOf(b)) | (SetOf(a), SetOf(b)):
                return self.same(a, b)
            case (DictOf(k, v), DictOf(m, w)):
                return self.same(k, m) and self.same(v, w)
            case _:
                return False

    def same(self, found: Type, wanted: Type) -> bool:
        """Whether the item types of two collections agree (they may differ by what can be seen as the other
        without changing any value: `T` as `T?`, a member record as its union)."""
        if unknown_in(found) or unknown_in(wanted):
            return True
        if base(found) in NUMBERS:
            return base(found) == base(wanted) and self.assignable(found, wanted)
        return self.assignable(found, wanted)

    def comparable(self, a: Type, b: Type) -> bool:
        """Whether `==` between the two can ever be interesting (an optional counts as its value)."""
        a, b = base(a), base(b)
        if isinstance(a, Unknown) or isinstance(b, Unknown):
            return True
        if isinstance(a, model.StateType | model.OpaqueType) or isinstance(
            b, model.StateType | model.OpaqueType
        ):
            return False
        if a in NUMBERS and b in NUMBERS:
            return {a, b} != {FLOAT, DECIMAL}
        return self.assignable(a, b) or self.assignable(b, a)

    def join(self, a: Type, b: Type) -> Type | None:
        """The type that both fit, or None."""
        if isinstance(a, Unknown) or isinstance(b, Unknown):
            return UNKNOWN
        if isinstance(a, NoneOnly):
            return optional(b)
        if isinstance(b, NoneOnly):
            return optional(a)
        if self.assignable(a, b):
            return b
        if self.assignable(b, a):
            return a
        if isinstance(a, OptionalOf) or isinstance(b, OptionalOf):
            inner = self.join(base(a), base(b))
            return None if inner is None else optional(inner)
        return None


def resolve_type(unit: Unit, written: ast.TypeExpr, *, transient: bool = False, field: bool = False) -> Type:
    """Look up a written type.

    `transient`: opaque types may stand here (else LG205); `field`: a state may stand here, as a sub-state.
    Reports what is not a type (LG101, LG201).
    """
    match written:
        case ast.NamedType(name=name):
            scalar = SCALARS.get(name)
            return scalar if scalar is not None else _named(unit, written, transient, field)
        case ast.OptionalType(item=item):
            return optional(resolve_type(unit, item, transient=transient))
        case ast.ListType(item=item):
            return ListOf(resolve_type(unit, item, transient=transient))
        case ast.SetType(item=item):
            return SetOf(_key_type(unit, item, "the items of a set"))
        case ast.DictType(key=key, value=value):
            value_type = resolve_type(unit, value, transient=transient)
            return DictOf(_key_type(unit, key, "the keys of a dict"), value_type)


def _key_type(unit: Unit, written: ast.TypeExpr, what: str) -> Type:
    type = resolve_type(unit, written)
    if is_key(type):
        return type
    unit.error("LG201", f"{what} are `str`, `int`, `uuid` or an enum, not `{show(type)}`", written.span)
    return UNKNOWN


def _named(unit: Unit, written: ast.NamedType, transient: bool, field: bool) -> Type:
    symbol = unit.symbol(written.name)
    if symbol is None and written.name in _INSIDE:
        if not unit.cut_short(written.span):
            message = f"`{written.name}` does not say what is in it"
            unit.error("LG002", message, written.span, help=f"write `{_INSIDE[written.name]}`")
        return UNKNOWN
    if symbol is None:
        name = ast.Name(written.span, written.name)
        types = (n for n, s in unit.symbols.items() if s.kind not in ("graph", "unknown"))
        unit.undefined("type", name, chain(types, sorted(BUILT_IN)))
        return UNKNOWN
    match symbol.kind:
        case "enum":
            return model.EnumType(symbol.key)
        case "record":
            return model.RecordType(symbol.key)
        case "union":
            return model.UnionType(symbol.key)
        case "unknown":
            return UNKNOWN
        case "opaque":
            if transient:
                return model.OpaqueType(symbol.key)
            message = f"opaque type `{written.name}` can only be the type of a `transient` field"
            help = "write `transient` before the field's name" if field else "keep it in a transient field"
            unit.error("LG205", message, written.span, help=help)
        case "state":
            if field:
                return model.StateType(symbol.key)
            message = f"state `{written.name}` can only be the whole type of a state's field, as a sub-state"
            unit.error("LG201", message, written.span, help="use a `record` for a value")
        case "graph":
            message = f"`{written.name}` is {kind_with_article(symbol.kind)}, not a type"
            unit.error("LG201", message, written.span)
    return UNKNOWN
