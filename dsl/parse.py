"""From text to syntax tree and findings: the one door to Lark.

`parse` never raises, whatever the text.
"""

from __future__ import annotations

import gc
from functools import cache
from threading import Lock
from typing import TYPE_CHECKING, Any, NamedTuple

from . import ast, comments
from .build_data import BuildData
from .build_expressions import BuildExpressions
from .build_graph import BuildGraphs
from .build_runs import BuildRuns
from .diagnostic import Diagnostic
from .lexer import ContextualLexer
from .source import Source

if TYPE_CHECKING:
    from lark import Lark


class Parsed(NamedTuple):
    """A file as far as it could be read, and what is wrong with its text, in order."""

    file: ast.File
    diagnostics: tuple[Diagnostic, ...]


class Builder(BuildExpressions, BuildData, BuildGraphs, BuildRuns):
    """All builders in one."""

    def start(self, c: list[Any]) -> tuple[ast.Declaration, ...]:
        return tuple(c[0])


class _Machine(NamedTuple):
    """Lark with its tables, the builder that it calls, and the lock that gives it to one text at a time."""

    lark: Lark
    builder: Builder
    lock: Lock


@cache
def _machine() -> _Machine:
    from ..grammar import tables

    builder = Builder()
    lark = tables.load(builder, {"ContextualLexer": ContextualLexer})
    return _Machine(lark, builder, Lock())


def parse(source: Source) -> Parsed:
    """Parse a text. Never raises; what cannot be read is a finding, and the rest is in the tree."""
    machine = _machine()
    with machine.lock:
        docs = comments.find_docs(source.text)
        builder = machine.builder
        builder.begin_text(source, docs.texts)
        collecting = gc.isenabled()
        gc.disable()
        from lark.exceptions import UnexpectedInput

        from .source import Span

        declarations: Any = ()
        try:
            declarations = machine.lark.parse(source.text)
        except UnexpectedInput as problem:  # recovery comes next
            at = problem.pos_in_stream or 0
            builder.report("LG002", "unexpected token", Span(at, at + 1))
        finally:
            if collecting:
                gc.enable()
        remarks = comments.find_comments(source.text, builder.divisions, docs)
        found = sorted(builder.findings, key=Diagnostic.sort_key)
        builder.begin_text(Source("", ""), {})
    return Parsed(ast.File(source, declarations, remarks), tuple(found))
