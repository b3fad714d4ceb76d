"""What the resolving stages share: where findings go, what is declared, and how names are looked up.

A *symbol* is what a name of a file stands for: a declaration of this file or of another one. The *tables*
hold what is known of every declaration as soon as it is known, by `Key`; they are filled in passes (types
of fields first, expressions later), so that declarations may stand in any order and refer to each other.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterable, Mapping
from typing import Literal, TypeAlias

from ..dsl import ast
from ..dsl.diagnostic import Diagnostic, Fix, Label, Severity
from ..dsl.frozen import frozen
from ..dsl.named import NamedTuple
from ..dsl.source import Place, Source, Span
from . import model
from .spelling import Speller

SymbolKind: TypeAlias = Literal["enum", "record", "union", "opaque", "state", "graph", "unknown"]

# What makes the tree incomplete; a bad number or escape does not.
BREAKING = frozenset({"LG001", "LG002", "LG003", "LG006", "LG009"})
# What makes the meaning of one constant or name a guess.
MISSPELT = frozenset({"LG004", "LG103"})
_DECLARED = (
    r"\b(?:enum|record|union|opaque|state|graph|mutation|task|decision|barrier|parallel|subgraph|map|branch)"
    r"\s+([A-Za-z_]\w*)|([A-Za-z_]\w*)\s*[:=]"
)


class Symbol(NamedTuple):
    """What a name of a file stands for. `unknown`: something that was already reported."""

    kind: SymbolKind
    key: model.Key
    place: Place


@frozen
class FieldShape:
    """What the types of expressions need to know of a record's or state's field."""

    type: model.Type
    has_default: bool
    transient: bool
    place: Place


class Tables:
    """All declarations, as far as they are known."""

    def __init__(self) -> None:
        self.enums: dict[model.Key, dict[str, Place]] = {}
        self.records: dict[model.Key, dict[str, FieldShape]] = {}
        self.unions: dict[model.Key, tuple[model.Key, ...]] = {}
        self.states: dict[model.Key, dict[str, FieldShape]] = {}
        self.mutations: dict[model.Key, dict[str, tuple[model.Param, ...]]] = {}
        self.graph_states: dict[model.Key, model.Key] = {}


class Context:
    """The findings of one compile and what all files share."""

    __slots__ = ("findings", "speller", "tables")

    def __init__(self) -> None:
        self.findings: list[Diagnostic] = []
        self.speller = Speller()
        self.tables = Tables()

    def error(
        self,
        code: str,
        message: str,
        place: Place,
        *,
        label: str = "",
        help: str = "",
        related: tuple[Label, ...] = (),
        fix: Fix | None = None,
    ) -> None:
        """Report an error."""
        self.findings.append(Diagnostic(code, Severity.ERROR, message, place, label, help, related, fix))


class Unit:
    """One file while it is resolved: its tree, its symbols and the places where its text is broken."""

    __slots__ = (
        "_mentioned",
        "_origins",
        "_starts",
        "broken",
        "context",
        "file",
        "mentioned",
        "misspelt",
        "path",
        "source",
        "symbols",
        "unresolved",
    )

    def __init__(
        self,
        context: Context,
        path: str,
        file: ast.File,
        broken: tuple[Span, ...],
        misspelt: frozenset[int] = frozenset(),
    ) -> None:
        self.context = context
        self.path = path
        self.file = file
        self.source: Source = file.source
        self.broken = broken
        self.symbols: dict[str, Symbol] = {}
        self.mentioned: set[str] = set()
        """The names of symbols that something in the file uses."""
        self.unresolved: set[str] = set()
        """Those of them in expressions that are not resolved, being over the state of an older graph."""
        self._mentioned: frozenset[str] | None = None
        self._origins: dict[str, str] | None = None
        self._starts = sorted(span.start for span in broken)
        self.misspelt = misspelt
        """Where constants and names start that were reported already."""

    def place(self, span: Span) -> Place:
        """The place of a span of this file."""
        return Place(self.source, span)

    def key(self, name: str) -> model.Key:
        """The key of a declaration of this file."""
        return model.Key(self.path, name)

    def error(
        self,
        code: str,
        message: str,
        span: Span,
        *,
        label: str = "",
        help: str = "",
        related: tuple[Label, ...] = (),
        fix: Fix | None = None,
    ) -> None:
        """Report an error in this file."""
        place = Place(self.source, span)
        self.context.error(code, message, place, label=label, help=help, related=related, fix=fix)

    def symbol(self, name: str) -> Symbol | None:
        """What a name that is used stands for."""
        self.mentioned.add(name)
        return self.symbols.get(name)

    def mention(self, text: str) -> None:
        """The names in an expression that is not resolved count as used."""
        names = set(re.findall(r"[A-Za-z_]\w*", text))
        self.mentioned |= names
        self.unresolved |= names

    def lost(self, name: str) -> bool:
        """Whether a name that nothing declares may be declared in text that could not be read."""
        if not self.broken:
            return False
        if not self.source.text:  # a file that could not be read at all
            return True
        if self._mentioned is None:
            found = re.findall(_DECLARED, self.source.text)
            self._mentioned = frozenset(a or b for a, b in found)
        return name in self._mentioned

    def origin(self, name: str) -> str | None:
        """The path, as written here, of the file from which a name is imported."""
        if self._origins is None:
            imports = [d for d in self.file.declarations if isinstance(d, ast.Import)]
            self._origins = {n.text: d.path.value for d in reversed(imports) for n in d.names}
        return self._origins.get(name)

    def undefined(
        self, what: str, name: ast.Name, known: Iterable[str], *, code: str = "LG101", where: str = ""
    ) -> str | None:
        """Report a name that is not defined; returns the nearest one, to go on with."""
        if self.lost(name.text) or name.span.start in self.misspelt:
            return None
        guess = self.context.speller.guess(name, known)
        text = f"undefined {what} `{name.text}`{where}" if code == "LG101" else f"{what} `{name.text}`{where}"
        self.error(code, text, name.span, help=guess.help, fix=guess.fix)
        return guess.near

    def twice(self, what: str, name: ast.Name, first: Place) -> None:
        """Report a second declaration of a name."""
        self.error(
            "LG102",
            f"{what} `{name.text}` is declared twice",
            name.span,
            label="declared again",
            related=(Label(first, "first declared here"),),
        )

    def again(self, name: ast.Name, first: ast.Name) -> None:
        """Report a value that is given a second time."""
        label = Label(self.place(first.span), "first given here")
        self.error("LG102", f"`{name.text}` is given twice", name.span, related=(label,))

    def has_errors(self, span: Span) -> bool:
        """Whether text inside the span could not be read."""
        at = bisect_left(self._starts, span.start)
        return at < len(self._starts) and self._starts[at] <= span.end

    def cut_short(self, span: Span) -> bool:
        """Whether text right behind the span could not be read, so that what stands in it may be a part."""
        at = bisect_left(self._starts, span.end)
        return at < len(self._starts) and not self.source.text[span.end : self._starts[at]].strip()


def unique(unit: Unit, what: str, names: Iterable[ast.Name]) -> list[ast.Name]:
    """The names without those that stand there a second time, which are reported (LG102)."""
    seen: dict[str, ast.Name] = {}
    for name in names:
        first = seen.get(name.text)
        if first is None:
            seen[name.text] = name
        else:
            unit.error(
                "LG102",
                f"{what} `{name.text}` stands here twice",
                name.span,
                related=(Label(unit.place(first.span), "first here"),),
                fix=without_second(unit, name),
            )
    return list(seen.values())


def without_second(unit: Unit, name: ast.Name) -> Fix | None:
    """The repair that takes a name and the comma before it out of a list, where nothing else is there."""
    text, span = unit.source.text, name.span
    comma = text.rfind(",", 0, span.start)
    if comma < 0 or text[comma + 1 : span.start].strip() or text[span.end : span.end + 1] == "!":
        return None
    return Fix(Span(comma, span.end), "", f"remove the second `{name.text}`")


def kind_with_article(kind: SymbolKind) -> str:
    """`an enum`, `a record` …"""
    return ("an " if kind in ("enum", "opaque") else "a ") + ("opaque type" if kind == "opaque" else kind)


Names: TypeAlias = Mapping[str, model.Type]
