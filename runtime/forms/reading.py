"""From the JSON of a form, which anybody may have written, to its parts: names, numbers, lists, or a refusal.

Whatever goes wrong while an element is read is a ValueError that names it (`reading`). Nothing of a form is
imported, evaluated or looked up as Python.
"""

from __future__ import annotations

import re
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from typing import Any, cast

DEEPEST = 250  # levels of an expression or a type: a source may have 200

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,99}", re.ASCII)
_LABEL = re.compile(r"([A-Za-z_][A-Za-z0-9_]{0,99})(?:#[0-9]{1,9})?", re.ASCII)


class Unfit(ValueError):
    """A part of a form that is not as it must be."""


class Unreadable(ValueError):
    """The same, with the element named."""


@contextmanager
def reading(id_: str) -> Generator[None]:
    """Name the element in whatever goes wrong while it is read. Raises ValueError."""
    try:
        yield
    except Unreadable:
        raise
    except RecursionError as error:
        raise Unreadable(f"the element `{id_}` of the form is nested too deep") from error
    except Unfit as error:
        raise Unreadable(f"the element `{id_}` of the form: {error}") from error
    except Exception as error:
        # Wrong JSON shows itself in many ways; pydantic has errors of its own family.
        what = f"{type(error).__name__}: {error}"[:500]
        raise Unreadable(f"the element `{id_}` of the form is not one that can be read: {what}") from error


def name_of(value: Any) -> str:
    """A declared name. Raises Unfit."""
    if not isinstance(value, str) or not _NAME.fullmatch(value) or value.startswith("__"):
        raise Unfit(f"{shown(value)} is no name")
    return value


def bare(label: str) -> str:
    """The name that a label stands for: `Note` of `Note#2`. Raises Unfit."""
    found = _LABEL.fullmatch(label)
    if found is None:
        raise Unfit(f"{shown(label)} is no name")
    return name_of(found[1])


def object_of(value: Any) -> Mapping[str, Any]:
    """A JSON object. Raises Unfit."""
    if not isinstance(value, dict):
        raise Unfit(f"{shown(value)} is no object")
    return cast("Mapping[str, Any]", value)


def list_of(value: Any) -> list[Any]:
    """A JSON array. Raises Unfit."""
    items: list[Any] = value
    if not isinstance(value, list):
        raise Unfit(f"{shown(value)} is no array")
    return items


def names_of(value: Any) -> tuple[str, ...]:
    """An array of names. Raises Unfit."""
    return tuple(name_of(item) for item in list_of(value))


def one_of(value: Any, allowed: tuple[str, ...]) -> str:
    """One of a few words. Raises Unfit."""
    if not isinstance(value, str) or value not in allowed:
        raise Unfit(f"{shown(value)} is none of {', '.join(allowed)}")
    return value


def whole_of(value: Any) -> int:
    """An integer: a JSON number, or `["int", "DIGITS"]`. Raises Unfit."""
    match value:
        case bool():
            pass
        case int():
            return value
        case ["int", str() as digits]:
            return _digits(digits)
        case _:
            pass
    raise Unfit(f"{shown(value)} is no whole number")


def _digits(text: str) -> int:
    sign, digits = (-1, text[1:]) if text.startswith("-") else (1, text)
    if re.fullmatch(r"0x[0-9a-f]+", digits, re.ASCII):
        return sign * int(digits, 16)
    if re.fullmatch(r"[0-9]+", digits, re.ASCII):
        return sign * int(digits)
    raise Unfit(f"{shown(text)} is no whole number")


def shown(value: Any) -> str:
    """A part of a form for a message, cut."""
    text = repr(value)
    return text if len(text) <= 80 else f"{text[:77]}..."


def attributes(names: Mapping[str, Any] | list[str], reserved: frozenset[str]) -> dict[str, str]:
    """Python attributes for names: themselves, or with underscores behind where they are reserved.

    As the compiler does it: attributes of sub-states stand in stored positions.
    """
    free = [name for name in names if not (name in reserved or name.startswith("_"))]
    taken = {*free, *reserved}
    found = {name: name for name in free}
    for name in names:
        if name in found:
            continue
        attribute = name.lstrip("_") if name.startswith("_") else name
        if not attribute.isidentifier():
            attribute = f"x{attribute}"
        attribute = f"{attribute.rstrip('_')}_"
        while attribute in taken:
            attribute += "_"
        taken.add(attribute)
        found[name] = attribute
    return found
