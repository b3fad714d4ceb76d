"""From a call of a built-in function to a typed one.

| function | takes | gives |
| --- | --- | --- |
| `len(x)` | str, bytes, list, set, dict | int |
| `abs(x)` | a number, a duration | the same |
| `min` `max` | a list or set of things with an order, or two and more of them | one of them |
| `sum(xs)` | a list or set of numbers, or a list of durations | the same |
| `round(x)`, `round(x, digits)` | a number | int; with digits a number of the same type |
| `str(x)` | str, int, float, decimal, bool, uuid, date, datetime, an enum | str |
| `int(x)` `float(x)` | a number, a bool, a str (which may fail) | int, float |
| `lower` `upper` `strip` | str | str |
| `startswith(s, t)` `endswith(s, t)` | two str | bool |
| `contains(coll, x)` | str and str; list, set, dict (a key) and an item | bool |
| `get(coll, key, default)` | dict, list or json, its key, a value | the entry, or the default |
| `first(xs, default)` `last(xs, default)` | a list, a value | the item, or the default |
| `keys(d)` `values(d)` | dict | list |
| `any(xs)` `all(xs)` | a list of bool | bool |
| `visits(node)` `steps()` | in guards only | int |
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import chain
from typing import TYPE_CHECKING, NamedTuple, TypeAlias, cast

from ...dsl import ast
from ...dsl.source import Place
from .. import model
from ..model import DictOf, Expr, ListOf, Scalar, SetOf, Type, Unknown
from ..narrowing import Facts
from ..types import (
    BOOL,
    BYTES,
    DATE,
    DATETIME,
    DECIMAL,
    DURATION,
    FLOAT,
    INT,
    JSON,
    NUMBERS,
    ORDERED,
    STR,
    UNKNOWN,
    UUID,
    base,
    show,
)

if TYPE_CHECKING:
    from .expressions import Typer

Args: TypeAlias = "list[ast.Expr]"
Result: TypeAlias = "tuple[tuple[Expr, ...], Type]"


class Function(NamedTuple):
    """One built-in: how it is written, how many arguments it takes (`most` None: any), how it is typed."""

    usage: str
    least: int
    most: int | None
    type: Callable[[Typer, str, Args, Facts], Result]


def call_function(typer: Typer, written: ast.Call, place: Place, facts: Facts, wanted: Type | None) -> Expr:
    """A call of a built-in function; reports LG203."""
    name = written.name.text
    if name in ("visits", "steps"):
        return _guard_only(typer, written, place)
    function = FUNCTIONS.get(name)
    if function is None:
        _no_function(typer, written)
        return _abandoned(typer, written, place, facts)
    named = next((a.name for a in written.args if a.name is not None), None)
    if named is not None:
        typer.error("LG203", f"`{name}` takes no named arguments", named.span, f"write {function.usage}")
        return _abandoned(typer, written, place, facts)
    count = len(written.args)
    if count < function.least or (function.most is not None and count > function.most):
        message = f"`{name}` takes {_wanted(function)}, not {count or 'none'}"
        typer.error("LG203", message, written.span, f"write {function.usage}")
        return _abandoned(typer, written, place, facts)
    args, type = function.type(typer, name, [a.value for a in written.args], facts)
    return model.Call(cast(model.FunctionName, name), args, type, place)


def _wanted(function: Function) -> str:
    """How many arguments a function takes, in words."""
    if function.most is None:
        return "one argument or more"
    if function.least < function.most:
        return f"{function.least} or {function.most} arguments"
    return "1 argument" if function.least == 1 else f"{function.least} arguments"


def _abandoned(typer: Typer, written: ast.Call, place: Place, facts: Facts) -> Expr:
    """Look at the arguments for their own mistakes and give up on the call."""
    for arg in written.args:
        typer.infer(arg.value, facts)
    return typer.hole(place)


def _no_function(typer: Typer, written: ast.Call) -> None:
    name, symbols = written.name, typer.unit.symbols
    symbol = symbols.get(name.text)
    if symbol is not None and symbol.kind == "state" and not typer.is_local(name.text):
        message = f"`{name.text}` is a state, and states are built only in the `given` of a scenario"
        help = "mutations set the fields of a sub-state one by one; a value of its own is a `record`"
        typer.error("LG203", message, name.span, help)
        return
    if symbol is not None or typer.is_local(name.text):
        typer.error("LG203", f"`{name.text}` cannot be called: it is not a function or a record", name.span)
        return
    kinds = ("record", "state") if typer.scope.states else ("record",)
    known = chain(FUNCTIONS, ("visits", "steps"), (n for n, s in symbols.items() if s.kind in kinds))
    what = "no function, record or state" if typer.scope.states else "no function or record"
    typer.unit.undefined(what, name, known, code="LG203")


def _guard_only(typer: Typer, written: ast.Call, place: Place) -> Expr:
    name, nodes = written.name.text, typer.scope.nodes
    if nodes is None:
        typer.error("LG203", f"`{name}` can be asked only in the guard of an edge", written.span)
        return typer.hole(place)
    if name == "steps":
        if written.args:
            typer.error("LG203", "`steps` takes no arguments", written.span, "write steps()")
        return model.Steps(INT, place)
    target = written.args[0].value if len(written.args) == 1 and written.args[0].name is None else None
    if not isinstance(target, ast.Ref):
        typer.error("LG203", "`visits` takes the name of one node", written.span, "write visits(node)")
        return typer.hole(place)
    if target.name not in nodes:
        typer.unit.undefined("node", ast.Name(target.span, target.name), nodes)
        return typer.hole(place)
    return model.Visits(target.name, INT, place)


# --- how each function is typed -----------------------------------------------------------------------------


def _wrong(typer: Typer, name: str, arg: Expr, wanted: str) -> Type:
    """Report an argument of a wrong type."""
    if not isinstance(base(arg.type), Unknown):
        message = f"`{name}` takes {wanted}, but {typer.text(arg.place)} is `{show(arg.type)}`"
        typer.error(typer.mismatch, message, arg.place.span)
    return UNKNOWN


def _len(typer: Typer, name: str, args: Args, facts: Facts) -> Result:
    arg = typer.infer(args[0], facts)
    type = typer.solid(arg)
    if type not in (STR, BYTES) and not isinstance(type, ListOf | SetOf | DictOf):
        _wrong(typer, name, arg, "a `str`, `bytes` or collection")
    return (arg,), INT


def _abs(typer: Typer, name: str, args: Args, facts: Facts) -> Result:
    arg = typer.infer(args[0], facts)
    type = typer.solid(arg)
    if type in NUMBERS or type == DURATION:
        return (arg,), type
    return (arg,), _wrong(typer, name, arg, "a number or a `duration`")


def _items(typer: Typer, name: str, arg: Expr, wanted: str) -> Type:
    """The item type of a list or set."""
    match typer.solid(arg):
        case ListOf(item) | SetOf(item):
            return item
        case _:
            return _wrong(typer, name, arg, wanted)


def _extreme(typer: Typer, name: str, args: Args, facts: Facts) -> Result:
    if len(args) == 1:
        arg = typer.infer(args[0], facts)
        item = _items(typer, name, arg, "a list, a set, or several values")
        if item not in ORDERED and not isinstance(item, Unknown):
            item = _wrong(typer, name, arg, "values that have an order")
        return (arg,), item
    found = [typer.infer(args[0], facts)]
    for written in args[1:]:
        found.append(typer.infer(written, facts, base(found[0].type)))
    type: Type = typer.solid(found[0])
    for arg in found[1:]:
        joined = typer.rules.join(type, typer.solid(arg))
        if joined is None:
            message = f"`{name}` cannot compare `{show(type)}` with {typer.text(arg.place)}, "
            typer.error(typer.mismatch, message + f"which is `{show(arg.type)}`", arg.place.span)
        type = UNKNOWN if joined is None else joined
    if type not in ORDERED and not isinstance(type, Unknown):
        _wrong(typer, name, found[0], "values that have an order")
    return tuple(typer.widened(a, type) for a in found), type


def _sum(typer: Typer, name: str, args: Args, facts: Facts) -> Result:
    arg = typer.infer(args[0], facts)
    item = _items(typer, name, arg, "a list or set of numbers")
    if item not in NUMBERS and not isinstance(item, Unknown):
        item = _wrong(typer, name, arg, "a list or set of numbers")
    return (arg,), item


def _round(typer: Typer, name: str, args: Args, facts: Facts) -> Result:
    arg = typer.infer(args[0], facts)
    type = typer.solid(arg)
    if type not in NUMBERS:
        _wrong(typer, name, arg, "a number")
    if len(args) == 1:
        return (arg,), INT
    return (arg, typer.check(args[1], INT, "the number of digits", facts)), type


_TEXTUAL = frozenset({STR, INT, FLOAT, DECIMAL, BOOL, UUID, DATE, DATETIME})
_COUNTABLE = frozenset({STR, INT, FLOAT, DECIMAL, BOOL})


def _convert(typer: Typer, name: str, args: Args, facts: Facts) -> Result:
    arg = typer.infer(args[0], facts)
    type = typer.solid(arg)
    if name == "str":
        if type not in _TEXTUAL and not isinstance(type, model.EnumType):
            _wrong(typer, name, arg, "text, a number, a bool, a date, a uuid or an enum's value")
        return (arg,), STR
    if type not in _COUNTABLE:
        _wrong(typer, name, arg, "a number, a bool or a `str`")
    return (arg,), INT if name == "int" else FLOAT


def _text(typer: Typer, name: str, args: Args, facts: Facts) -> Result:
    return tuple(typer.check(a, STR, f"`{name}`", facts) for a in args), STR


def _text_test(typer: Typer, name: str, args: Args, facts: Facts) -> Result:
    return tuple(typer.check(a, STR, f"`{name}`", facts) for a in args), BOOL


def _contains(typer: Typer, name: str, args: Args, facts: Facts) -> Result:
    arg = typer.infer(args[0], facts)
    match typer.solid(arg):
        case Scalar("str"):
            wanted: Type = STR
        case ListOf(item) | SetOf(item) | DictOf(item, _):
            wanted = item
        case _:
            wanted = _wrong(typer, name, arg, "a `str` or a collection")
    found = typer.infer(args[1], facts, base(wanted))
    if not typer.rules.comparable(found.type, wanted):
        typer.mismatched(found, wanted, f"`{name}`")
    return (arg, found), BOOL


def _with_default(typer: Typer, item: Type, written: ast.Expr, name: str, facts: Facts) -> tuple[Expr, Type]:
    """The default of `get`, `first`, `last`, and the type that item and default share."""
    default = typer.infer(written, facts, item)
    type = typer.rules.join(default.type, item)
    if type is None or (type == FLOAT and item == INT):
        typer.mismatched(default, item, f"the default of `{name}`")
        return default, item
    return typer.widened(default, type), type


def _get(typer: Typer, name: str, args: Args, facts: Facts) -> Result:
    arg = typer.infer(args[0], facts)
    match typer.solid(arg):
        case DictOf(wanted, item):
            key = typer.check(args[1], wanted, "the key of `get`", facts)
        case ListOf(item):
            key = typer.check(args[1], INT, "the index of `get`", facts)
        case Scalar("json"):
            key = typer.infer(args[1], facts)
            if typer.solid(key) not in (STR, INT, UNKNOWN):
                typer.mismatched(key, STR, "the key of `get`")
            return (arg, key, typer.check(args[2], JSON, "the default of `get`", facts)), JSON
        case _:
            item = _wrong(typer, name, arg, "a dict, a list or a `json` value")
            key = typer.infer(args[1], facts)
    default, type = _with_default(typer, item, args[2], name, facts)
    return (arg, key, default), type


def _end(typer: Typer, name: str, args: Args, facts: Facts) -> Result:
    arg = typer.infer(args[0], facts)
    match typer.solid(arg):
        case ListOf(item):
            pass
        case _:
            item = _wrong(typer, name, arg, "a list")
    default, type = _with_default(typer, item, args[1], name, facts)
    return (arg, default), type


def _parts(typer: Typer, name: str, args: Args, facts: Facts) -> Result:
    arg = typer.infer(args[0], facts)
    match typer.solid(arg):
        case DictOf(key, value):
            return (arg,), ListOf(key if name == "keys" else value)
        case _:
            return (arg,), ListOf(_wrong(typer, name, arg, "a dict"))


def _truths(typer: Typer, name: str, args: Args, facts: Facts) -> Result:
    return (typer.check(args[0], ListOf(BOOL), f"`{name}`", facts),), BOOL


FUNCTIONS: dict[str, Function] = {
    "len": Function("len(x)", 1, 1, _len),
    "abs": Function("abs(x)", 1, 1, _abs),
    "min": Function("min(xs) or min(a, b)", 1, None, _extreme),
    "max": Function("max(xs) or max(a, b)", 1, None, _extreme),
    "sum": Function("sum(xs)", 1, 1, _sum),
    "round": Function("round(x) or round(x, digits)", 1, 2, _round),
    "str": Function("str(x)", 1, 1, _convert),
    "int": Function("int(x)", 1, 1, _convert),
    "float": Function("float(x)", 1, 1, _convert),
    "lower": Function("lower(text)", 1, 1, _text),
    "upper": Function("upper(text)", 1, 1, _text),
    "strip": Function("strip(text)", 1, 1, _text),
    "startswith": Function("startswith(text, prefix)", 2, 2, _text_test),
    "endswith": Function("endswith(text, suffix)", 2, 2, _text_test),
    "contains": Function("contains(coll, x)", 2, 2, _contains),
    "get": Function("get(coll, key, default)", 3, 3, _get),
    "first": Function("first(xs, default)", 2, 2, _end),
    "last": Function("last(xs, default)", 2, 2, _end),
    "keys": Function("keys(d)", 1, 1, _parts),
    "values": Function("values(d)", 1, 1, _parts),
    "any": Function("any(xs)", 1, 1, _truths),
    "all": Function("all(xs)", 1, 1, _truths),
}
