"""Typical mistakes, each with words that name it and, where there is one right repair, the repair."""

from __future__ import annotations

from typing import NamedTuple

from . import ast
from .diagnostic import Fix
from .source import Span

CONSTANTS: dict[str, str] = {"None": "none", "True": "true", "False": "false"}
"""Constants as other languages spell them; none of these can be a name."""


def constant(name: ast.Name) -> tuple[str, Fix, ast.Expr]:
    """Words, repair and meaning of a constant in another language's spelling."""
    ours = CONSTANTS[name.text]
    literal: ast.Expr = ast.NoneLit(name.span) if ours == "none" else ast.BoolLit(name.span, ours == "true")
    return f"`{name.text}` is written `{ours}` here", Fix(name.span, ours, f"write `{ours}`"), literal


_GENERICS = {"list": 1, "set": 1, "dict": 2}
_ALIASES = {
    "List": "list",
    "Set": "set",
    "Dict": "dict",
    "array": "list",
    "Array": "list",
    "map": "dict",
    "Map": "dict",
}


def generic(name: ast.Name, count: int) -> tuple[str, str, Fix | None]:
    """Words, help and repair for `NAME[…]` with `count` types inside, where that is no type."""
    text = name.text
    if text in _GENERICS:
        wanted = "one type" if _GENERICS[text] == 1 else "two types, `dict[K, T]`"
        return f"`{text}` takes {wanted}, not {count}", "", None
    if text in ("Optional", "optional"):
        return f"`{text}[…]` is written `T?`", "a value or `none` is `T?`", None
    if text in _ALIASES:
        ours = _ALIASES[text]
        return (
            f"`{text}[…]` is written `{ours}[…]`",
            f"write `{ours}`",
            Fix(name.span, ours, f"write `{ours}`"),
        )
    return f"`{text}` takes no types in brackets", "only `list[T]`, `set[T]` and `dict[K, T]` do", None


def generic_guess(text: str, span: Span, parts: list[ast.TypeExpr]) -> ast.TypeExpr:
    """What was probably meant, so that the rest can be read."""
    kind = _ALIASES.get(text, text)
    match kind:
        case "list":
            return ast.ListType(span, parts[0])
        case "set":
            return ast.SetType(span, parts[0])
        case "dict":
            return ast.DictType(span, parts[0], parts[-1])
        case "Optional" | "optional":
            return ast.OptionalType(span, parts[0])
        case _:
            return ast.NamedType(span, text)
