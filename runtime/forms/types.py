"""From the JSON of types to types that expressions are made with.

A type is a text or a tuple: `"int"`, `("list", T)`, `("set", T)`, `("dict", K, T)`, `("optional", T)`,
`("enum", LABEL)`, `("record", LABEL)`, `("union", LABEL)`, `("state", LABEL)`; `"none"` is that of `none`
alone, and `"unknown"` that of what a form does not tell (the items of `[]`).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

from .reading import Unfit, shown

Type: TypeAlias = "str | tuple[Any, ...]"

UNKNOWN = "unknown"
NONE = "none"
SCALARS = frozenset({
    "str", "int", "float", "bool", "bytes", "decimal", "datetime", "date", "duration", "uuid", "json",
})  # fmt: skip
NUMBERS = frozenset({"int", "float", "decimal"})
TIMES = frozenset({"datetime", "date", "duration"})
DECLARED = frozenset({"enum", "record", "union", "state"})
KEYS = frozenset({"str", "int", "uuid"})

DEEPEST_TYPE = 60  # brackets in brackets: what pydantic can make a reader of


def read_type(form: Any, known: Callable[[str, str], bool], depth: int = 0) -> Type:
    """A type from its JSON.

    Args:
        known: whether there is a declaration of a family (`enum`, `record`, `union`, `state`) and a label.

    Raises Unfit.
    """
    if depth > DEEPEST_TYPE:
        raise Unfit(f"a type is nested more than {DEEPEST_TYPE} deep")
    match form:
        case str() if form in SCALARS:
            return form
        case ["optional", item]:
            inner = read_type(item, known, depth + 1)
            return inner if kind_of(inner) == "optional" else ("optional", inner)
        case ["list", item]:
            return ("list", read_type(item, known, depth + 1))
        case ["set", item]:
            return ("set", _key(read_type(item, known, depth + 1)))
        case ["dict", key, value]:
            return ("dict", _key(read_type(key, known, depth + 1)), read_type(value, known, depth + 1))
        case [str() as family, str() as label] if family in DECLARED:
            if not known(family, label):
                raise Unfit(f"there is no {family} `{label}` in the form")
            return (family, label)
        case _:
            raise Unfit(f"{shown(form)} is no type")


def _key(type_: Type) -> Type:
    if type_ in KEYS or kind_of(type_) == "enum":
        return type_
    raise Unfit(f"{shown(type_)} is no type of keys")


def kind_of(type_: Type) -> str:
    """What a type is: `list`, `record`, … or the name of a scalar."""
    return type_ if isinstance(type_, str) else str(type_[0])


def base(type_: Type) -> Type:
    """The type without its `?`."""
    return type_[1] if kind_of(type_) == "optional" else type_


def optional(type_: Type) -> Type:
    """The type with a `?`."""
    return type_ if kind_of(type_) in ("optional", NONE, UNKNOWN, "json") else ("optional", type_)


def is_collection(type_: Type) -> bool:
    """Whether a state holds values of the type in a collection that it changes in place."""
    return kind_of(base(type_)) in ("list", "set", "dict")


def item_of(type_: Type) -> Type:
    """The items of a list or set, the keys of a dict."""
    inner = base(type_)
    return inner[1] if kind_of(inner) in ("list", "set", "dict") else UNKNOWN


def value_of(type_: Type) -> Type:
    """What an index or a key of a list or dict gives."""
    inner = base(type_)
    match kind_of(inner):
        case "list":
            return inner[1]
        case "dict":
            return inner[2]
        case "json":
            return "json"
        case _:
            return UNKNOWN


def joined(types: list[Type]) -> Type:
    """One type for several values: of items, of the two sides of an `if`."""
    none = any(kind_of(t) in (NONE, "optional") for t in types)
    rest = [base(t) for t in types if t not in (NONE, UNKNOWN)]
    if not rest:
        return NONE if none and types else UNKNOWN
    found = rest[0]
    for other in rest[1:]:
        if {found, other} <= {"int", "float"}:
            found = found if found == other else "float"
        elif other != found and (kind_of(found) in ("list", "set", "dict")) and UNKNOWN in found:
            found = other
    if any(kind_of(t) == "json" for t in rest):
        return "json"
    records = {t for t in rest if kind_of(t) in ("record", "union")}
    if len(records) > 1:
        found = UNKNOWN  # members of a union: which one is seen in the value
    return optional(found) if none else found


def may_be(given: Type, wanted: Type, in_union: Callable[[str, str], bool]) -> bool:
    """Whether a value of one type can be one of another; what is not known may be anything.

    Args:
        in_union: whether the record of a label is a member of the union of a label.
    """
    if UNKNOWN in (given, wanted) or given == wanted or base(wanted) == "json":
        return True
    if given == NONE:
        return kind_of(wanted) == "optional"
    if kind_of(given) == "optional":
        return kind_of(wanted) == "optional" and may_be(given[1], wanted[1], in_union)
    if kind_of(wanted) == "optional":
        return may_be(given, wanted[1], in_union)
    match given, wanted:
        case "int", "float" | "decimal":
            return True
        case ("record", label), ("union", union):
            return in_union(union, label)
        case ("list", item), ("list" | "set", other):
            return may_be(item, other, in_union)
        case ("set", item), ("set", other):
            return may_be(item, other, in_union)
        case ("dict", key, value), ("dict", wanted_key, wanted_value):
            return may_be(key, wanted_key, in_union) and may_be(value, wanted_value, in_union)
        case _:
            return False
