"""From text to syntax tree and findings: the one door to Lark.

`parse` never raises, whatever the text.
"""

from __future__ import annotations

import gc
import re
from _thread import allocate_lock  # `threading` brings more than a small file needs to be parsed
from functools import cache
from typing import TYPE_CHECKING, Any

from . import ast, comments
from .build_data import BuildData
from .build_expressions import BuildExpressions
from .build_graph import BuildGraphs
from .build_runs import BuildRuns
from .diagnostic import Diagnostic, error
from .lexer import ContextualLexer
from .named import NamedTuple
from .read import LARGEST_FILE
from .source import Place, Source, Span

if TYPE_CHECKING:
    from _thread import LockType

    from .recover import Recovery


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

    lark: Any
    builder: Builder
    lock: LockType


@cache
def _machine() -> _Machine:
    from ..grammar import tables

    builder = Builder()
    lark = tables.load(builder, ContextualLexer)
    return _Machine(lark, builder, allocate_lock())


def parse(source: Source) -> Parsed:
    """Parse a text. Never raises; what cannot be read is a finding, and the rest is in the tree."""
    text, problems = _clean(source)
    if problems and not text:
        return Parsed(ast.File(source, (), ()), problems)
    machine = _machine()
    with machine.lock:
        docs = comments.find_docs(text)
        builder = machine.builder
        builder.begin_text(source, docs.texts)
        declarations = _read(machine, text)
        remarks = comments.find_comments(text, builder.divisions, docs)
        found = sorted((*problems, *builder.findings), key=Diagnostic.sort_key)
        builder.begin_text(Source("", ""), {})
    return Parsed(ast.File(source, declarations, remarks), tuple(found))


def _read(machine: _Machine, text: str) -> tuple[ast.Declaration, ...]:
    """The declarations of a text; garbage collection waits, since all that is made here stays."""
    recovery: Recovery | None = None

    def recover(problem: Any) -> bool:
        nonlocal recovery
        if recovery is None:  # loaded for the first mistake
            from .recover import Recovery

            recovery = Recovery(machine.builder, machine.lark.lexer.vocabulary, text)
        return recovery(problem)

    collecting = gc.isenabled()
    gc.disable()
    found: tuple[ast.Declaration, ...] = ()
    try:
        found = machine.lark.parse(text, on_error=recover)
    except Exception as problem:  # a mistake in the recovery must not become a traceback for the user
        message = f"this file could not be read ({type(problem).__name__}); please report it with the file"
        machine.builder.report("LG002", message, Span(0, 0))
    finally:
        if collecting:
            gc.enable()
    return found


_SURROGATE = "[\ud800-\udfff]"


def _clean(source: Source) -> tuple[str, tuple[Diagnostic, ...]]:
    """The text to read: as it is, but for what no file can hold and what only marks a byte order."""
    text = source.text
    if len(text) > LARGEST_FILE:
        words = f"the text has {len(text):,} characters; {LARGEST_FILE:,} is the limit"
        return "", (error("LG006", words, Place(source, Span(0, 0)), help="split it and import the parts"),)
    if text.startswith("\ufeff"):
        text = " " + text[1:]
    lone = None if text.isascii() else re.search(_SURROGATE, text)
    if lone is None:
        return text, ()
    words = f"the text holds half of a surrogate pair, U+{ord(lone.group()):04X}"
    problem = error("LG001", words, Place(source, Span(*lone.span())))
    return re.sub(_SURROGATE, "\N{REPLACEMENT CHARACTER}", text), (problem,)
