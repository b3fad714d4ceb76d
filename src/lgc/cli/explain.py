"""`lgc explain`: from the code of a finding to what it means, an example that causes it and its repair."""

from __future__ import annotations

from difflib import get_close_matches
from textwrap import fill
from typing import TYPE_CHECKING

import click

from . import FINE
from .terminal import Failure, Style, out, output_style, table

if TYPE_CHECKING:
    from ..compiler.rule import Rule


@click.command("explain")
@click.argument("code", required=False)
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
def explain_command(code: str | None, as_json: bool) -> int:
    """What a finding means, an example that causes it and its repair.

    CODE is a code (LG401) or the finding's name (routing-gap). Without it, all findings are listed.
    """
    from ..compiler.rules import BY_CODE

    rules = list(BY_CODE.values()) if code is None else [_find(BY_CODE, code)]
    if as_json:
        import json

        told = [_json(rule) for rule in rules]
        out(json.dumps(told if code is None else told[0], indent=2, ensure_ascii=False))
        return FINE
    style = output_style()
    if code is None:
        rows = [
            (style.bold(r.code), _severity(r, style), r.name, r.summary) for r in sorted(rules, key=_code)
        ]
        out(table(("CODE", "SEVERITY", "NAME", "FINDS"), rows, style))
    else:
        _write(rules[0], style)
    return FINE


def _code(rule: Rule) -> str:
    return rule.code


def _find(by_code: dict[str, Rule], written: str) -> Rule:
    wanted = written.strip().upper()
    if wanted in by_code:
        return by_code[wanted]
    by_name = {rule.name: rule for rule in by_code.values()}
    found = by_name.get(written.strip().lower())
    if found is not None:
        return found
    near = get_close_matches(wanted, by_code, n=1, cutoff=0.5) or get_close_matches(
        written.lower(), by_name, n=1
    )
    hint = f"did you mean `{near[0]}`?" if near else "`lgc explain` alone lists all of them"
    raise Failure(f"no finding is called `{written}`", hint)


def _severity(rule: Rule, style: Style) -> str:
    return style.red(rule.severity) if rule.severity == "error" else style.yellow(rule.severity)


def _write(rule: Rule, style: Style) -> None:
    out(f"{style.bold(rule.code)} {rule.name} ({_severity(rule, style)})")
    out()
    out(_paragraphs(rule.summary))
    if rule.why:
        out()
        out(_paragraphs(rule.why))
    for title, text in (("Example", rule.example), ("Repair", rule.repair)):
        if text.strip():
            out()
            out(style.bold(title))
            out()
            for line in text.strip("\n").split("\n"):
                out(f"    {line}".rstrip())
    if not rule.active:
        out()
        out(style.dim("This edition of lgc does not look for it yet."))


def _paragraphs(text: str) -> str:
    return "\n\n".join(fill(" ".join(part.split()), 90) for part in text.strip().split("\n\n"))


def _json(rule: Rule) -> dict[str, object]:
    return {
        "code": rule.code,
        "name": rule.name,
        "severity": str(rule.severity),
        "summary": rule.summary,
        "why": rule.why,
        "example": rule.example,
        "repair": rule.repair,
        "active": rule.active,
    }
