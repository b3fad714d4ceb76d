"""Typical mistakes, each with words that name it and, where there is one right repair, the repair."""

from __future__ import annotations

from . import ast, words
from .diagnostic import Fix
from .named import NamedTuple
from .source import Span

CONSTANTS: dict[str, str] = {
    "None": "none", "True": "true", "False": "false", "null": "none", "nil": "none", "undefined": "none"
}  # fmt: skip
"""Constants as other languages spell them."""

POSSIBLE_NAMES = frozenset(("null", "nil", "undefined"))
"""Those of them that a field or a parameter may be called."""


class Mistake(NamedTuple):
    """A sign of another language: what is found, the terminal that is meant, words, how to write it."""

    found: str
    means: str
    message: str
    write: str


MISTAKES = (
    Mistake("=>", "ARROW", "an edge is written `->`", "->"),
    Mistake("==", "EQ", "a value is given with one `=`", "="),
    Mistake(":=", "EQ", "a value is given with `=`", "="),
    Mistake(":", "EQ", "a value is given with `=`, not `:`", "="),
    Mistake("=", "COMPARE", "`=` gives a value; whether two are equal is asked with `==`", "=="),
    Mistake("===", "COMPARE", "whether two are equal is asked with `==`", "=="),
    Mistake("!==", "COMPARE", "whether two differ is asked with `!=`", "!="),
    Mistake("<>", "COMPARE", "whether two differ is asked with `!=`", "!="),
    Mistake("&&", "AND", "`&&` is written `and`", "and"),
    Mistake("||", "OR", "`||` is written `or`", "or"),
    Mistake("!", "NOT", "`!` is written `not`", "not "),
    Mistake("if", "WHEN", "the guard of an edge starts with `when`", "when"),
)

_OTHER_NAMES = {
    "def": "mutation", "fn": "mutation", "func": "mutation", "function": "mutation", "method": "mutation",
    "node": "task", "step": "task", "job": "task", "stage": "task", "agent": "task", "activity": "task",
    "class": "record", "struct": "record", "type": "record", "message": "record", "dataclass": "record",
    "workflow": "graph", "flow": "graph", "pipeline": "graph", "test": "scenario",
    "fork": "parallel", "foreach": "map", "input": "reads", "inputs": "reads", "writes": "records",
    "human": "barrier", "approval": "barrier", "choice": "decision", "switch": "decision",
}  # fmt: skip


def nearest(word: str, known: list[str]) -> str | None:
    """The keyword that a word is meant to be: the same thing elsewhere, or one that is spelt nearly so."""
    ours = _OTHER_NAMES.get(word)
    if ours in known:
        return ours
    if len(word) < 3 or len(word) > 20:
        return None
    from difflib import get_close_matches

    return next(iter(get_close_matches(word.lower(), known, 1, 0.75)), None)


def number(text: str, span: Span) -> tuple[str, str, Fix | None]:
    """Words, help and repair for what looks like a number and is none."""
    shown = text[:40]
    if "__" in text or text.rstrip("0123456789").endswith("_"):
        return f"in the number `{shown}` each `_` must stand between two digits", "", None
    if text.endswith(".") and text[:-1].isdigit():
        ours = text + "0"
        return (
            f"the number `{shown}` needs a digit behind the point",
            f"write `{ours}`",
            Fix(span, ours, f"write `{ours}`"),
        )
    digits = text.replace(".", "", 1).rstrip("smhd")
    if "." in text and digits.isdigit():
        return (
            f"`{shown}` is no duration: durations are whole numbers",
            "use a smaller unit, such as 90m for 1.5h",
            None,
        )
    if digits.isdigit() or text[:1].isdigit():
        help = "durations are whole numbers with ms, s, m, h or d; names start with a letter"
        return f"`{shown}` is no number and no duration", help, None
    return f"`{shown}` is no number", "", None


_ADVICE = {
    "=": "a field needs a type: `name: type = value`",
    "<": "the types inside a type stand in square brackets: `list[T]`",
    "?": "a choice is written `a if condition else b`",
    "import": 'names come from another file with `from "PATH" import A, B`',
}


def advice(before: str, found: str) -> str:
    """Help for a mistake that has no single repair."""
    if before == "->" and found in ("when", "else", "on"):
        return "name the node that the edge leads to before its trigger"
    if found in _ADVICE:
        return _ADVICE[found]
    if before in words.NODE_KINDS or found in words.NODE_KINDS:
        return "nodes are declared in the braces of the graph; a branch holds edges only"
    if found == "(" and "." in before:
        return "there are no methods; functions stand in front: `lower(x)`"
    return ""


def constant(name: ast.Name) -> tuple[str, Fix, ast.Expr]:
    """Words, repair and meaning of a constant in another language's spelling."""
    ours = CONSTANTS[name.text]
    literal: ast.Expr = ast.NoneLit(name.span) if ours == "none" else ast.BoolLit(name.span, ours == "true")
    return f"`{name.text}` is written `{ours}` here", Fix(name.span, ours, f"write `{ours}`"), literal


_GENERICS = {"list": 1, "set": 1, "dict": 2}
_ALIASES = {
    "List": "list", "Set": "set", "Dict": "dict", "array": "list", "Array": "list",
    "map": "dict", "Map": "dict",
}  # fmt: skip


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
