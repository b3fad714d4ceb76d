"""From pieces of Python to lines, laid out in the way that `ruff format` leaves alone.

A *piece* is an expression or annotation whose line breaks are not chosen yet. What fits stays on one line;
a bracket that does not fit gets one line for each item and a comma behind the last one (formatters keep such
brackets open), a chain of operators one line for each operand. Where a formatter would break a line in a
way that is not known here, the statement is marked `# fmt: skip`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias, assert_never
from unicodedata import category, east_asian_width

WIDTH = 88
INDENT = 4


@dataclass(frozen=True, slots=True)
class Bracket:
    """A call, a subscript or a display: `head`, items, `close`.

    `comma`: whether an open bracket ends with a comma (not for a subscript with one item); `single`: a comma
    also on one line (a tuple of one item).
    """

    head: str
    items: tuple[Piece, ...]
    close: str
    comma: bool = True
    single: bool = False


@dataclass(frozen=True, slots=True)
class Prefixed:
    """Text that cannot be parted from the piece behind it: `name=`, `"key": `, `not `, `-`, `*`."""

    text: str
    piece: Piece


@dataclass(frozen=True, slots=True)
class Suffixed:
    """A piece and what follows it directly: `.name`, `.values()`."""

    piece: Piece
    text: str


@dataclass(frozen=True, slots=True)
class Chain:
    """Operands with operators between them; they break together."""

    operands: tuple[Piece, ...]
    operators: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Parens:
    """A piece in parentheses that stay."""

    piece: Piece


Piece: TypeAlias = "str | Bracket | Prefixed | Suffixed | Chain | Parens"


def call(name: str, /, *items: Piece, **named: Piece) -> Bracket:
    """`name(items, key=value)`."""
    return Bracket(f"{name}(", (*items, *(Prefixed(f"{key}=", value) for key, value in named.items())), ")")


def subscript(name: str, *items: Piece) -> Bracket:
    """`name[items]`."""
    return Bracket(f"{name}[", items, "]", comma=len(items) > 1)


def tuple_of(items: Sequence[Piece]) -> Bracket:
    """`(a, b)`, `(a,)`, `()`."""
    return Bracket("(", tuple(items), ")", single=len(items) == 1)


def dict_of(items: Sequence[tuple[Piece, Piece]]) -> Bracket:
    """`{key: value}`; the keys are short."""
    return Bracket("{", tuple(Prefixed(f"{flat(key)}: ", value) for key, value in items), "}")


def union_of(items: Sequence[Piece]) -> Piece:
    """`A | B`."""
    return items[0] if len(items) == 1 else Chain(tuple(items), ("|",) * (len(items) - 1))


def parens(piece: Piece) -> Piece:
    """The piece in parentheses where it could otherwise be read in another way."""
    return Parens(piece) if isinstance(piece, Chain | Prefixed) else piece


def width(text: str) -> int:
    """Columns that a text takes: none for combining characters, two for wide ones."""
    if text.isascii():
        return len(text)
    return sum(
        0 if category(char) in ("Mn", "Me", "Cf") else 2 if east_asian_width(char) in "WF" else 1
        for char in text
    )


def flat(piece: Piece) -> str:
    """The piece on one line."""
    match piece:
        case str():
            return piece
        case Bracket(head, items, close, _, single):
            return f"{head}{', '.join(map(flat, items))}{',' if single else ''}{close}"
        case Prefixed(text, inner):
            return text + flat(inner)
        case Suffixed(inner, text):
            return flat(inner) + text
        case Chain(operands, operators):
            rest = zip(operators, operands[1:], strict=True)
            return flat(operands[0]) + "".join(f" {op} {flat(operand)}" for op, operand in rest)
        case Parens(inner):
            return f"({flat(inner)})"
        case _:
            assert_never(piece)


def render(piece: Piece, indent: int, used: int, after: int) -> str:
    """The piece inside a bracket, from a column on; its further lines are indented by at least `indent`.

    Args:
        piece: what is laid out.
        indent: columns before the line that it stands on.
        used: columns taken before it.
        after: columns needed behind it.
    """
    if used + width(line := flat(piece)) + after <= WIDTH:
        return line
    match piece:
        case str():
            return piece
        case Bracket(head, items, close, comma):
            return _open(head, items, close, comma, indent) if items else line
        case Prefixed(text, inner):
            return text + render(inner, indent, used + width(text), after)
        case Suffixed(inner, text):
            return render(inner, indent, used, after + width(text)) + text
        case Chain(operands, operators):
            margin = "\n" + " " * indent
            lines = [render(operands[0], indent, used, 0)]
            for op, operand in zip(operators[:-1], operands[1:-1], strict=True):
                lines.append(f"{op} {render(operand, indent, indent + len(op) + 1, 0)}")
            last = operators[-1]
            lines.append(f"{last} {render(operands[-1], indent, indent + len(last) + 1, after)}")
            return margin.join(lines)
        case Parens(inner):
            return _open("(", (inner,), ")", False, indent)
        case _:
            assert_never(piece)


def _open(head: str, items: Sequence[Piece], close: str, comma: bool, indent: int) -> str:
    inside = indent + INDENT
    end = "," if comma else ""
    lines = [f"{' ' * inside}{render(item, inside, inside, len(end))}{end}\n" for item in items]
    return f"{head}\n{''.join(lines)}{' ' * indent}{close}"


def statement(prefix: str, piece: Piece, indent: int, suffix: str = "") -> str:
    """A statement that ends with a piece: `return …`, `x = …`, `x: T = …`; without a line end."""
    margin = " " * indent
    used = indent + width(prefix)
    if used + width(line := flat(piece)) + width(suffix) <= WIDTH:
        return f"{margin}{prefix}{line}{suffix}"
    inside = indent + INDENT
    opened = f"{margin}{prefix}(\n{' ' * inside}{render(piece, inside, inside, 0)}\n{margin}){suffix}"
    if used > WIDTH - 1:
        return f"{margin}{prefix}{line}{suffix}  # fmt: skip"
    match piece:
        case str():
            return opened if inside + width(line) <= WIDTH else f"{margin}{prefix}{line}{suffix}"
        case Bracket(_, items):
            return (
                f"{margin}{prefix}{render(piece, indent, used, width(suffix))}{suffix}" if items else opened
            )
        case Suffixed(Bracket(head), _) if head[0].isidentifier():
            return f"{margin}{prefix}{render(piece, indent, used, width(suffix))}{suffix}"
        case Chain((first, last), (op,)):
            text = _at_end(prefix, first, op, last, suffix, indent)
            if text is not None:
                return margin + text
            if isinstance(last, str) and not isinstance(first, Suffixed):
                return opened
        case Chain():
            return opened
        case _:
            pass
    return f"{margin}{prefix}{line}{suffix}  # fmt: skip"


def _at_end(prefix: str, first: Piece, op: str, last: Piece, suffix: str, indent: int) -> str | None:
    """One operator beside a bracket: formatters break inside the bracket if what is outside it fits."""
    if _ends_open(last):
        head = f"{prefix}{flat(first)} {op} "
        opened = render(last, indent, WIDTH + 1, 0)
        if indent + width(head) + width(opened.split("\n")[0]) <= WIDTH:
            return f"{head}{opened}{suffix}"
    if _starts_open(first) and isinstance(last, str):
        tail = f" {op} {flat(last)}{suffix}"
        opened = render(first, indent, WIDTH + 1, 0)
        if width(opened.split("\n")[-1]) + width(tail) <= WIDTH:
            return f"{prefix}{opened}{tail}"
    return None


def _starts_open(piece: Piece) -> bool:
    return isinstance(piece, Parens) or (isinstance(piece, Bracket) and piece.head in ("(", "[", "{"))


def _ends_open(piece: Piece) -> bool:
    """Whether a formatter may break inside the last bracket rather than at the operator."""
    match piece:
        case Bracket() | Parens():
            return True
        case Prefixed(_, inner):
            return _ends_open(inner)
        case _:
            return False


def block(lines: Sequence[str], indent: int) -> str:
    """Lines moved to the right."""
    margin = " " * indent
    return "\n".join(margin + line if line else "" for line in lines)
