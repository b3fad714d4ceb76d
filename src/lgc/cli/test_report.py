"""From the results of scenarios to text, JSON or JUnit."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from .terminal import Style, counted
from .wording import took

if TYPE_CHECKING:
    from ..compiler.model import Edge
    from ..coverage import Coverage
    from ..scenarios import Result

Report = Callable[[Sequence["Result"], Sequence["Coverage"] | None, bool], str]


def text(results: Sequence[Result], coverages: Sequence[Coverage] | None, color: bool) -> str:
    """For people: one line for each scenario, then what failed, then what was not covered."""
    from ..dsl.report import render_text

    style = Style(color)
    lines: list[str] = []
    path = ""
    for one in results:
        if one.scenario.place.source.path != path:
            path = one.scenario.place.source.path
            lines.append(style.bold(path))
        mark = style.green("ok  ") if one.passed else style.red("FAIL")
        lines.append(
            f"  {mark} {one.scenario.title} {style.dim(f'({one.scenario.graph.name}, {took(one.seconds)})')}"
        )
    findings = [finding for one in results for finding in one.findings]
    if findings:
        whole = render_text(findings, color)
        lines += ["", whole[: whole.rstrip("\n").rfind("\n") + 1].rstrip("\n")]
    lines += _coverage_lines(coverages, style) if coverages is not None else []
    if results:
        failed = sum(not one.passed for one in results)
        passed = style.green(f"{len(results) - failed} passed", bold=True)
        wrong = f", {style.red(f'{failed} failed', bold=True)}" if failed else ""
        lines += ["", f"{counted(len(results), 'scenario')}: {passed}{wrong}"]
    return "".join(f"{line}\n" for line in lines)


def _coverage_lines(coverages: Sequence[Coverage], style: Style) -> list[str]:
    lines: list[str] = []
    for one in coverages:
        left = one.untaken()
        share = f"{one.total - len(left)} of {counted(one.total, 'edge')} taken"
        lines += ["", f"{style.bold(one.graph.key.name)}: {share}"]
        lines += [
            f"  {style.yellow('never')} {edge_text(edge)}  {style.dim(str(edge.place))}" for edge in left
        ]
    return lines


def edge_text(edge: Edge) -> str:
    """An edge as the language writes it."""
    words = f"{edge.source} -> {edge.target}"
    if edge.guard is not None:
        source, span = edge.guard.place
        words += f" when {' '.join(source.text[span.start : span.end].split())}"
    elif edge.trigger == "else":
        words += " else"
    elif edge.outcome is not None:
        words += f" on {edge.outcome}"
    return words + (f" max_visits {edge.max_visits}" if edge.max_visits is not None else "")


def as_json(results: Sequence[Result], coverages: Sequence[Coverage] | None, color: bool) -> str:
    """For programs: the findings as `lgc check` has them, and the scenarios beside."""
    import json

    from ..dsl.report import render_json

    whole: dict[str, Any] = json.loads(render_json([f for one in results for f in one.findings]))
    whole["scenarios"] = [
        {
            "name": one.scenario.title,
            "graph": one.scenario.graph.name,
            "file": one.scenario.place.source.path,
            "line": one.scenario.place.position.line,
            "passed": one.passed,
            "seconds": round(one.seconds, 6),
        }
        for one in results
    ]
    failed = sum(not one.passed for one in results)
    whole["summary"] |= {"scenarios": len(results), "passed": len(results) - failed, "failed": failed}
    if coverages is not None:
        whole["coverage"] = [
            {
                "graph": one.graph.key.name,
                "file": one.graph.key.path,
                "edges": one.total,
                "taken": one.total - len(one.untaken()),
                "never": [
                    {
                        "edge": edge_text(edge),
                        "line": edge.place.position.line,
                        "column": edge.place.position.column,
                    }
                    for edge in one.untaken()
                ],
            }
            for one in coverages
        ]
    return json.dumps(whole, indent=2, ensure_ascii=False) + "\n"


def junit(results: Sequence[Result], coverages: Sequence[Coverage] | None, color: bool) -> str:
    """For CI: one test case for each scenario, one suite for each file."""
    by_file: dict[str, list[Result]] = {}
    for one in results:
        by_file.setdefault(one.scenario.place.source.path, []).append(one)
    lines = ['<?xml version="1.0" encoding="utf-8"?>']
    lines.append(f"<testsuites {_numbers(results)}>")
    for path, there in by_file.items():
        lines.append(f'  <testsuite name="{_xml(path)}" {_numbers(there)}>')
        for one in there:
            head = (
                f'    <testcase classname="{_xml(one.scenario.graph.name)}" name="{_xml(one.scenario.title)}"'
            )
            head += f' file="{_xml(path)}" line="{one.scenario.place.position.line}" time="{one.seconds:.6f}"'
            if one.passed:
                lines.append(f"{head}/>")
                continue
            lines.append(f"{head}>")
            for finding in one.findings:
                where = f"{finding.place}: {finding.message}"
                more = f"{where}\n{finding.help}" if finding.help else where
                lines.append(
                    f'      <failure type="{finding.code}" message="{_xml(finding.message)}">'
                    f"{_xml(more)}</failure>"
                )
            lines.append("    </testcase>")
        lines.append("  </testsuite>")
    lines.append("</testsuites>")
    return "\n".join(lines) + "\n"


def _numbers(results: Sequence[Result]) -> str:
    failed = sum(not one.passed for one in results)
    seconds = sum(one.seconds for one in results)
    return f'tests="{len(results)}" failures="{failed}" errors="0" time="{seconds:.6f}"'


def _xml(text: str) -> str:
    """Text that may stand in XML: what XML cannot hold is replaced."""
    from xml.sax.saxutils import escape

    allowed = "".join(
        c
        if c in "\t\n\r" or (c >= " " and not "\ud800" <= c <= "\udfff" and c not in "\ufffe\uffff")
        else "\ufffd"
        for c in text
    )
    return escape(allowed, {'"': "&quot;", "\n": "&#10;"})


REPORTS: dict[str, Report] = {"text": text, "json": as_json, "junit": junit}
