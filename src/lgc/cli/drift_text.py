"""From what becomes of many runs to text for a terminal: the verdict, then why, then runs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from ..runtime.compat.verdict import Reason, Risk, Verdict
from .diff_text import painted
from .stores import store_words
from .terminal import Style, counted, one_line, seen, table
from .wording import short_hash, status_text

if TYPE_CHECKING:
    from ..runtime.compat.drift import Drift, Drifting
    from ..runtime.compat.summary import GraphCount, ReasonCount, RiskCount

_REASONS = 20
_WARNINGS = 10
_WHY = 100  # characters of a reason in the list of runs


def as_text(found: Drift, where: str, given: str, limit: int | None, style: Style) -> str:
    """All of it.

    Args:
        where: the store, as it may be shown.
        given: the store as written on the command line.
        limit: how many runs are listed; None: all.
    """
    summary = found.summary
    lines = [headline(found, where, style), *_graphs(summary.graphs, style)]
    if summary.reasons:
        lines += ["", style.bold("why")]
        lines += [line for one in summary.reasons[:_REASONS] for line in _reason(one, style)]
        lines += _more(len(summary.reasons), _REASONS, "reason")
    if summary.risks:
        lines += ["", style.bold("what would happen")]
        lines += [line for one in summary.risks[:_REASONS] for line in _risk(one, style)]
        lines += _more(len(summary.risks), _REASONS, "risk")
    lines += _runs(found.runs, limit, style)
    for title, said in (("damaged", found.damaged), ("warning", found.warnings)):
        paint = style.red if title == "damaged" else style.yellow
        lines += [f"{paint(title)}: {one_line(one)}" for one in said[:_WARNINGS]]
        lines += _more(len(said), _WARNINGS, title, "")
    lines += _ways(found, given, style)
    return "\n".join(lines) + "\n"


def headline(found: Drift, where: str, style: Style) -> str:
    """The worst verdict, and how many runs have which."""
    summary = found.summary
    if not found.runs:
        if found.damaged:
            return f"{style.red('damaged')}: the runs in {one_line(where)} cannot all be read"
        return f"{style.green('no unfinished runs')} in {one_line(where)}"
    total = counted(len(found.runs), "unfinished run")
    return f"{painted(summary.worst, style)}: {count_text(summary.verdicts)} of {total} in {one_line(where)}"


def count_text(verdicts: Mapping[Verdict, int]) -> str:
    """`12 compatible, 3 incompatible`: those that there are."""
    return ", ".join(f"{count:,} {verdict}" for verdict, count in verdicts.items() if count)


def run_count(one: ReasonCount) -> str:
    """What has changed, and for how many runs that matters."""
    more = len(one.changes) - 1
    what = one.changes[0] if one.changes else one.title
    if more > 0:
        what += f" (and {more:,} more)"
    return f"{what}: {counted(one.count, 'run')}"


def examples_text(count: int, examples: Sequence[str]) -> str:
    """Some of the runs."""
    more = count - len(examples)
    return ", ".join(map(one_line, examples)) + (f" and {more:,} more" if more > 0 else "")


def _graphs(graphs: Sequence[GraphCount], style: Style) -> Iterator[str]:
    for one in graphs:
        old = [short_hash(hash) for hash in one.old]
        hashes = ", ".join(old[:3]) + (f" and {len(old) - 3:,} more" if len(old) > 3 else "")
        new = short_hash(one.new) if one.new else "nothing of that name"
        way = hashes if old == [new] else f"{hashes} -> {new}"
        yield f"  {style.bold(one_line(one.graph))}: {count_text(one.verdicts)}  {style.dim(way)}"


def _reason(one: ReasonCount, style: Style) -> Iterator[str]:
    paint = style.red if one.verdict is Verdict.INCOMPATIBLE else style.yellow
    yield f"  {paint('-')} {one_line(run_count(one))}"
    if one.changes:
        yield f"    {one_line(one.title)} {style.dim(f'[{one.kind}]')}"
    place = f"{style.blue('-->', bold=False)} {one_line(one.place)}" if one.place else ""
    example = "" if one.text in one.changes else one_line(one.text)
    yield from (f"    {line}" for line in (example, place) if line)
    yield f"    {style.dim(examples_text(one.count, one.examples))}"


def _risk(one: RiskCount, style: Style) -> Iterator[str]:
    counts = f"{counted(one.count, 'run')} ({count_text(one.verdicts)})"
    yield f"  {style.yellow('!')} {one_line(one.title)}: {counts}"
    yield f"    {one_line(one.text)} {style.dim(f'[{one.kind}]')}"
    yield f"    {style.dim(examples_text(one.count, one.examples))}"


def _runs(runs: Sequence[Drifting], limit: int | None, style: Style) -> Iterator[str]:
    """The runs, the worst first; without a limit those that nothing changes for, too."""
    told = [one for one in runs if limit is None or one.verdict.verdict is not Verdict.IDENTICAL]
    told.sort(key=lambda one: -one.verdict.verdict.rank)
    listed = told if limit is None else told[:limit]
    if listed:
        yield ""
        yield table(
            ("RUN", "GRAPH", "STATUS", "STEP", "AT", "VERDICT", "WHY"),
            [_row(one, limit, style) for one in listed],
            style,
            "STEP",
        )
    if len(told) > len(listed):
        yield style.dim(f"and {counted(len(told) - len(listed), 'more run')}: --all lists every run")


def _row(one: Drifting, limit: int | None, style: Style) -> tuple[str, ...]:
    verdict = one.verdict
    told: list[Reason | Risk] = [*verdict.reasons[:1], *verdict.risks[:1]]
    why = one_line(told[0].text) if told else ""
    more = len(verdict.reasons) + len(verdict.risks) - 1
    if len(verdict.reasons) == 1 and limit is None:
        (reason,) = verdict.reasons
        why += f" ({one_line(reason.place)})" if reason.place else ""
    elif seen(why) > _WHY and limit is not None:
        why = why[: _WHY - 3] + "..."
    return (
        one_line(verdict.run),
        one_line(verdict.graph),
        status_text(str(one.status), style),
        str(verdict.step),
        one_line(", ".join(verdict.parked[:3]) + (" …" if verdict.parked[3:] else "")) or "-",
        painted(verdict.verdict, style),
        why + (style.dim(f" (+{more})") if more > 0 else ""),
    )


def _more(count: int, limit: int, thing: str, indent: str = "  ") -> Iterator[str]:
    if count > limit:
        yield f"{indent}and {counted(count - limit, f'more {thing}')}"


def _ways(found: Drift, given: str, style: Style) -> Iterator[str]:
    """How to go on."""
    counts = found.summary.verdicts
    words = store_words(given)
    ways: list[str] = []
    if counts[Verdict.COMPATIBLE]:
        ways.append(f"compatible runs go on with `lgc resume RUN --mode compatible{words}`")
    if counts[Verdict.MIGRATABLE]:
        ways.append(f"migratable runs go on with `lgc resume RUN --mode migrate{words}`")
    if counts[Verdict.INCOMPATIBLE]:
        ways.append(
            "let incompatible runs end under the graph that they are under, or declare what becomes of"
        )
        ways.append(
            "them in a `migrate` block, which `lgc migrate` drafts; `lgc resume RUN --mode force` takes"
        )
        ways.append("one over against all reasons, with --reason and --actor")
    if found.damaged:
        ways.append(f"`lgc store verify{words}` says what is damaged")
    if ways:
        yield ""
    for at, line in enumerate(ways):
        yield f"{style.bold('help:') if not at else '     '} {line}"
