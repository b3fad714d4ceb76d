"""From what becomes of many runs to Markdown for a comment or the summary of a job."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from ..runtime.compat.verdict import Verdict
from .diff_markdown import LIMIT
from .drift_text import count_text, run_count
from .markdown import code, folded, inline, plain, table
from .terminal import counted
from .wording import short_hash

if TYPE_CHECKING:
    from ..runtime.compat.drift import Drift, Drifting
    from ..runtime.compat.summary import GraphCount, ReasonCount, RiskCount

MARK = "<!-- lgc drift -->"
"""The first line: by it a workflow finds the comment that it wrote before."""

_ICONS = {
    Verdict.IDENTICAL: "✅",
    Verdict.COMPATIBLE: "✅",
    Verdict.MIGRATABLE: "⚠️",
    Verdict.INCOMPATIBLE: "❌",
}
_ROWS = 40
_REST = "\n\n…"


def as_markdown(found: Drift, where: str) -> str:
    """All of it, as far as a comment takes it: what is said last is left out first."""
    text = ""
    for part in _parts(found, where):
        if len(text) + len(part) + 2 > LIMIT - len(_REST):
            return text + _REST
        text += ("\n\n" if text else "") + part
    return text + "\n"


def _parts(found: Drift, where: str) -> Iterator[str]:
    summary = found.summary
    yield MARK
    if not found.runs:
        yield f"### No unfinished runs in {code(where)}"
    else:
        total = counted(len(found.runs), "unfinished run")
        yield (
            f"### {_ICONS[summary.worst]} {plain(count_text(summary.verdicts))} of {total} in {code(where)}"
        )
        yield _graphs(summary.graphs)
    yield from (f"- ❌ {inline(text)}" for text in found.damaged[:_ROWS])
    if summary.reasons:
        yield "**Why**"
        yield from _listed([_reason(one) for one in summary.reasons], "reason")
    if summary.risks:
        yield "**What would happen**"
        yield from _listed([_risk(one) for one in summary.risks], "risk")
    drifting = [one for one in found.runs if one.verdict.verdict.rank >= Verdict.MIGRATABLE.rank]
    if drifting:
        drifting.sort(key=lambda one: -one.verdict.verdict.rank)
        title = "Runs" if len(drifting) <= _ROWS else f"{_ROWS} of {len(drifting):,} runs"
        yield folded(title, _runs(drifting[:_ROWS]))
    yield from (f"- {inline(text)}" for text in found.warnings[:_ROWS])


def _graphs(graphs: Sequence[GraphCount]) -> str:
    header = ["graph", *map(str, Verdict), "new"]
    rows = [
        [
            code(one.graph, cell=True),
            *(f"{one.verdicts[verdict]:,}" for verdict in Verdict),
            code(short_hash(one.new)) if one.new else "none",
        ]
        for one in graphs[:_ROWS]
    ]
    return table(header, rows)


def _listed(lines: Sequence[str], thing: str) -> Iterator[str]:
    yield "\n".join(lines[:_ROWS])
    if len(lines) > _ROWS:
        yield f"and {counted(len(lines) - _ROWS, f'more {thing}')}"


def _reason(one: ReasonCount) -> str:
    where = f" ({code(one.place)})" if one.place else ""
    lines = [f"- {inline(run_count(one))}{where}"]
    if one.text not in one.changes:
        lines.append(f"  {inline(one.text)}")
    lines.append(f"  {', '.join(map(code, one.examples))}{' …' if one.count > len(one.examples) else ''}")
    return "<br>\n".join(lines)


def _risk(one: RiskCount) -> str:
    where = f" ({code(one.place)})" if one.place else ""
    counts = plain(count_text(one.verdicts))
    return f"- ⚠️ {inline(one.title)}: {counted(one.count, 'run')} ({counts})<br>\n  {inline(one.text)}{where}"


def _runs(runs: Sequence[Drifting]) -> str:
    rows = [
        [
            code(one.verdict.run, cell=True),
            str(one.status),
            f"{one.verdict.step:,}",
            code(", ".join(one.verdict.parked[:3]), cell=True),
            str(one.verdict.verdict),
            inline(one.verdict.reasons[0].text, cell=True) if one.verdict.reasons else "",
        ]
        for one in runs
    ]
    return table(["run", "status", "step", "at", "verdict", "why"], rows)
