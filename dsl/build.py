"""What all builders share: the source being read, the findings, the doc comments, the plain tokens.

While Lark parses, it calls one method for each terminal that carries a value and for each reduced rule (a
*builder*), with the list of what the rule's parts became: syntax tree nodes for names, constants and rules,
tokens for signs and keywords. So the tree is built without a tree of tokens between.
"""

from __future__ import annotations

from typing import Any, Protocol

from . import ast, literals, words
from .diagnostic import Diagnostic, Fix, Label, error
from .source import Place, Source, Span

DEEPEST = 200
"""Levels that an expression, a type or brackets may be nested."""


class Tok(Protocol):
    """A sign or keyword as the lexer made it."""

    type: str
    value: str
    start_pos: int
    end_pos: int


Parts = list[Any]
"""What the parts of a rule became."""


class Build:
    """The ground that the builders stand on."""

    def __init__(self) -> None:
        self.begin_text(Source("", ""), {})

    def begin_text(self, source: Source, docs: dict[int, str]) -> None:
        """Start on a text; `docs` are its doc comments by the offset of what they stand above."""
        self.source = source
        self.docs = docs
        self.findings: list[Diagnostic] = []
        self.divisions: list[int] = []
        self.excused: set[int] = set()

    def report(
        self,
        code: str,
        message: str,
        span: Span,
        *,
        help: str = "",
        fix: Fix | None = None,
        related: tuple[Label, ...] = (),
    ) -> None:
        """Note an error at a span of the source."""
        place = Place(self.source, span)
        self.findings.append(error(code, message, place, help=help, fix=fix, related=related))

    def doc(self, start: int) -> str:
        """The doc comment above what starts at an offset."""
        return self.docs.pop(start, "") if self.docs else ""

    # --- names

    def declared(self, name: ast.Name) -> ast.Name:
        """A name where it is given to something: refused if it is reserved or too long."""
        text = name.text
        if name.span.start in self.excused:
            return name
        if text in words.RESERVED:
            self.report("LG103", f"`{text}` is a reserved word and cannot be a name", name.span)
        elif text in words.PYTHON:
            help = "names become Python names: choose another, such as " + f"`{text}_`"
            self.report("LG103", f"`{text}` is a Python keyword and cannot be a name", name.span, help=help)
        elif text.startswith("__"):
            self.report("LG103", f"`{text[:40]}`: names that begin with `__` are reserved", name.span)
        if len(text) > words.LONGEST_NAME:
            count = f"{len(text)} characters; {words.LONGEST_NAME} is the limit"
            self.report("LG006", f"the name `{text[:20]}…` has {count}", name.span)
        return name

    def used(self, name: ast.Name) -> ast.Name:
        """A name where it stands for something that was declared: never `start` or `end`."""
        if name.text in words.EDGE_ENDS:
            self.report("LG103", f"`{name.text}` is a reserved word and cannot be a name", name.span)
        return name

    # --- terminals that carry a value

    def NAME(self, t: Tok) -> ast.Name:
        return ast.Name(Span(t.start_pos, t.end_pos), t.value)

    def _flaws(self, t: Tok, decoded: literals.Decoded) -> None:
        for flaw in decoded.flaws:
            start = t.start_pos + flaw.offset
            self.report(flaw.code, flaw.message, Span(start, start + flaw.length), help=flaw.help)

    def INT(self, t: Tok) -> ast.IntLit:
        decoded = literals.integer(t.value)
        if decoded.flaws:
            self._flaws(t, decoded)
        return ast.IntLit(Span(t.start_pos, t.end_pos), int(decoded.value), t.value)

    def FLOAT(self, t: Tok) -> ast.FloatLit:
        decoded = literals.real(t.value)
        if decoded.flaws:
            self._flaws(t, decoded)
        return ast.FloatLit(Span(t.start_pos, t.end_pos), float(decoded.value), t.value)

    def DURATION(self, t: Tok) -> ast.DurationLit:
        decoded = literals.duration(t.value)
        if decoded.flaws:
            self._flaws(t, decoded)
        return ast.DurationLit(Span(t.start_pos, t.end_pos), int(decoded.value), t.value)

    def STRING(self, t: Tok) -> ast.StrLit:
        decoded = literals.string(t.value)
        if decoded.flaws:
            self._flaws(t, decoded)
        return ast.StrLit(Span(t.start_pos, t.end_pos), str(decoded.value), t.value)

    def TRUE(self, t: Tok) -> ast.BoolLit:
        return ast.BoolLit(Span(t.start_pos, t.end_pos), True)

    def FALSE(self, t: Tok) -> ast.BoolLit:
        return ast.BoolLit(Span(t.start_pos, t.end_pos), False)

    def NONE(self, t: Tok) -> ast.NoneLit:
        return ast.NoneLit(Span(t.start_pos, t.end_pos))

    def SLASH_SLASH(self, t: Tok) -> Tok:
        self.divisions.append(t.start_pos)
        return t

    # --- lists and single parts

    def none_yet(self, c: Parts) -> Parts:
        return []

    def begin(self, c: Parts) -> Parts:
        return c

    def more(self, c: Parts) -> Any:
        c[0].append(c[1])
        return c[0]

    def also(self, c: Parts) -> Any:
        c[0].append(c[2])
        return c[0]

    def same(self, c: Parts) -> Any:
        return c[0]

    def only(self, c: Parts) -> Any:
        return c[0]


def names(found: Parts) -> tuple[ast.Name, ...]:
    """A gathered list of names."""
    return tuple(found)
