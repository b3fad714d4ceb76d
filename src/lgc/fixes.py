"""From findings with repairs to the texts of files in which they are applied.

A pass applies repairs that do not touch each other, and what comes out is checked again: repairs may make
others possible. A repair after which any file has more errors than before is not applied. The number of
passes is bounded.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TypeAlias

from .dsl.diagnostic import Diagnostic, Fix
from .dsl.frozen import frozen

PASSES = 20
ONE_BY_ONE = 100
"""Repairs of a pass that are tried alone, if they cannot be applied together."""

Texts: TypeAlias = Mapping[str, str]
"""Texts by path."""


@frozen
class View:
    """What a check of some texts says: findings with repairs that are wanted, and errors by file."""

    fixable: tuple[Diagnostic, ...]
    errors: Mapping[str, int]


@frozen
class Fixed:
    """What came out.

    Attributes:
        texts: of all files, by path.
        applied: how many repairs were applied to each file that changed.
        refused: repairs after which a file would have had more errors.
    """

    texts: Texts
    applied: Mapping[str, int]
    refused: tuple[Diagnostic, ...]


def fix_all(texts: Texts, look: Callable[[Texts], View]) -> Fixed:
    """Apply repairs until nothing changes; only the files of `texts` are changed."""
    view = look(texts)
    applied: dict[str, int] = {}
    refused: dict[tuple[str, str, str], Diagnostic] = {}
    for _ in range(PASSES):
        wanted = [one for one in view.fixable if one.place.source.path in texts and _name(one) not in refused]
        wanted = _apart(wanted)
        if not wanted:
            break
        done, texts, view = _together(texts, wanted, view, look)
        if not done:
            done, texts, view = _alone(texts, wanted, view, look)
            kept = {id(one) for one in done}
            refused |= {_name(one): one for one in wanted if id(one) not in kept}
        for one in done:
            path = one.place.source.path
            applied[path] = applied.get(path, 0) + 1
    return Fixed(texts, applied, tuple(refused.values()))


_Step: TypeAlias = tuple[list[Diagnostic], Texts, View]


def _together(texts: Texts, wanted: list[Diagnostic], view: View, look: Callable[[Texts], View]) -> _Step:
    """All repairs of a pass, or none of them."""
    changed = dict(texts)
    for path in {one.place.source.path for one in wanted}:
        changed[path] = edited(texts[path], [one.fix for one in wanted if one.place.source.path == path])
    after = look(changed)
    worse = any(count > view.errors.get(path, 0) for path, count in after.errors.items())
    return ([], texts, view) if worse else (wanted, changed, after)


def _alone(texts: Texts, wanted: list[Diagnostic], view: View, look: Callable[[Texts], View]) -> _Step:
    """Each repair of a pass by itself, from the end of each text to its start, so that places still hold."""
    done: list[Diagnostic] = []
    if len(wanted) == 1:
        return done, texts, view
    for one in reversed(wanted[:ONE_BY_ONE]):
        went, texts, view = _together(texts, [one], view, look)
        done += went
    return done, texts, view


def _name(finding: Diagnostic) -> tuple[str, str, str]:
    """By what a refused repair is known in the next pass, where its place may be another."""
    fix = finding.fix
    return (finding.place.source.path, finding.message, fix.text if fix else "")


def _apart(findings: Iterable[Diagnostic]) -> list[Diagnostic]:
    """Findings whose repairs do not touch each other: of two that do, the first."""
    taken: list[Diagnostic] = []
    path, end = "", -1
    pairs = [(one.place.source.path, one.fix.span, one) for one in findings if one.fix is not None]
    for where, span, one in sorted(pairs, key=lambda pair: (pair[0], pair[1], pair[2].sort_key())):
        if where != path:
            path, end = where, -1
        if span.start > end and span.start <= span.end:
            taken.append(one)
            end = span.end
    return taken


def edited(text: str, fixes: Sequence[Fix | None]) -> str:
    """A text with repairs applied that do not touch each other; new line ends are those of the text."""
    crlf = "\r\n" in text
    pieces: list[str] = []
    at = 0
    for fix in sorted((one for one in fixes if one is not None), key=lambda one: one.span):
        new = fix.text.replace("\n", "\r\n") if crlf and "\r\n" not in fix.text else fix.text
        pieces += (text[at : fix.span.start], new)
        at = fix.span.end
    return "".join([*pieces, text[at:]])
