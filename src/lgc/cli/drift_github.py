"""From what becomes of many runs to workflow commands: GitHub shows each reason beside the line that decides.

GitHub shows ten errors and ten warnings of a step: those that concern most runs are told.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from ..dsl.report_ci import command
from .drift_text import count_text, examples_text, headline, run_count
from .terminal import Style, counted, one_line

if TYPE_CHECKING:
    from ..runtime.compat.drift import Drift
    from ..runtime.compat.summary import ReasonCount, RiskCount
    from ..runtime.compat.verdict import Verdict

_MOST = 10
_PLACE = re.compile(r"(.+?):(\d+)(?::(\d+))?")


def as_commands(found: Drift, where: str, level: Verdict) -> str:
    """The commands, and a last line for people. What fails the command (`level`) is an error."""
    errors = [_reason(one) for one in found.summary.reasons if one.verdict.rank >= level.rank]
    warnings = [_reason(one) for one in found.summary.reasons if one.verdict.rank < level.rank]
    warnings += [_risk(one) for one in found.summary.risks]
    warnings += [({"title": "lgc drift"}, one_line(text)) for text in found.warnings]
    errors += [({"title": "lgc drift: damaged"}, one_line(text)) for text in found.damaged]
    lines = [*_bounded("error", errors), *_bounded("warning", warnings)]
    head = headline(found, where, Style(False))
    # A line that begins like a command would be one.
    return "".join(lines) + ("" if not head.startswith("::") else " ") + head + "\n"


def _bounded(kind: str, told: list[tuple[dict[str, str], str]]) -> Iterator[str]:
    shown = told if len(told) <= _MOST else told[: _MOST - 1]
    for properties, text in shown:
        yield command(kind, properties, text)
    if len(told) > len(shown):
        rest = f"and {counted(len(told) - len(shown), 'more finding')}: `lgc drift --format text` lists them"
        yield command(kind, {"title": "lgc drift"}, rest)


def _reason(one: ReasonCount) -> tuple[dict[str, str], str]:
    lines = [run_count(one), one.title, one.text, f"runs: {examples_text(one.count, one.examples)}"]
    text = "\n".join(one_line(line) for line in dict.fromkeys(lines))
    return {**_where(one.place), "title": f"lgc drift: {one.verdict} ({one.kind})"}, text


def _risk(one: RiskCount) -> tuple[dict[str, str], str]:
    lines = [
        f"{one.title}: {counted(one.count, 'run')} ({count_text(one.verdicts)})",
        one.text,
        f"runs: {examples_text(one.count, one.examples)}",
    ]
    return {**_where(one.place), "title": f"lgc drift: {one.kind}"}, "\n".join(map(one_line, lines))


def _where(place: str) -> dict[str, str]:
    """A place in a source as properties of a command."""
    found = _PLACE.fullmatch(place)
    if found is None:
        return {}
    column = {"col": found[3]} if found[3] else {}
    return {"file": found[1], "line": found[2], **column}
