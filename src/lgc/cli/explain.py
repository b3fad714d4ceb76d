"""`lgc explain`: from the code of a finding to what it means, an example that causes it and its repair.

It also explains what a comparison of two versions speaks of: kinds of changes, and of reasons.
"""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches
from textwrap import fill
from typing import TYPE_CHECKING

import click

from . import FINE
from .explain_kinds import list_topics, topic_json, topics, write_topic
from .terminal import Failure, Style, out, output_style, table

if TYPE_CHECKING:
    from ..compiler.rule import Rule

FAMILIES = {
    "LG0": "Text and syntax",
    "LG1": "Names",
    "LG2": "Types",
    "LG3": "Shape of graphs",
    "LG4": "Routing",
    "LG5": "Data and races",
    "LG6": "Policies",
    "LG7": "Migrations",
    "LG8": "Scenarios",
    "LG9": "Generated code",
}
_WIDTH = 90


@click.command("explain")
@click.argument("code", required=False)
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
def explain_command(code: str | None, as_json: bool) -> int:
    """What a finding means, an example that causes it and its repair.

    CODE is a code (LG401), the beginning of some (LG4) or the finding's name (not-exhaustive). It may also be
    a kind of change between two versions of a graph (node-removed) or of reason why a run cannot go on
    (node-gone), as `lgc diff` and `lgc drift` name them. Without it, all are listed.
    """
    from ..compiler.rules import BY_CODE

    rules = sorted(BY_CODE.values(), key=_code)
    kinds = topics() if code is None or not code.strip().upper().startswith("LG") else []
    if code is not None:
        kinds = [topic for topic in kinds if topic.name == code.strip().lower()]
        rules = [] if kinds else _find(rules, code)
    one = len(rules) + len(kinds) == 1 and code is not None
    if as_json:
        import json

        told = [*map(_json, rules), *map(topic_json, kinds)]
        out(json.dumps(told[0] if one else told, indent=2, ensure_ascii=False))
    elif one:
        _write(rules[0], output_style()) if rules else write_topic(kinds[0], output_style())
    else:
        _list(rules, output_style())
        list_topics(kinds, output_style())
    return FINE


def _code(rule: Rule) -> str:
    return rule.code


def _find(rules: list[Rule], written: str) -> list[Rule]:
    """The rule of a code or name, or those of a beginning."""
    wanted, name = written.strip().upper(), written.strip().lower()
    found = [rule for rule in rules if rule.code == wanted or rule.name == name]
    if not found and wanted.startswith("LG"):
        found = [rule for rule in rules if rule.code.startswith(wanted)]
    if found:
        return found
    near = get_close_matches(wanted, [rule.code for rule in rules], n=1, cutoff=0.5)
    names = [*(rule.name for rule in rules), *(topic.name for topic in topics())]
    near = get_close_matches(name, names, n=1) or near
    hint = f"did you mean `{near[0]}`?" if near else "`lgc explain` alone lists all of them"
    raise Failure(f"nothing is called `{written}`", hint)


def _severity(rule: Rule, style: Style) -> str:
    return style.red(rule.severity) if rule.severity == "error" else style.yellow(rule.severity)


# --- the list ---------------------------------------------------------------------------------------------


def _list(rules: Iterable[Rule], style: Style) -> None:
    """All rules, those of a family together."""
    rows = [_row(rule, style) for rule in rules]
    header = ("CODE", "SEVERITY", "NAME", "FINDS")
    head, *lines = table(header, rows, style).split("\n")
    out(head)
    family = ""
    for rule, line in zip(rules, lines, strict=True):
        if rule.code[:3] != family:
            family = rule.code[:3]
            out()
            out(style.bold(FAMILIES.get(family, family)))
        out(line)


def _row(rule: Rule, style: Style) -> tuple[str, str, str, str]:
    return (style.bold(rule.code), _severity(rule, style), rule.name, rule.summary)


# --- one rule ---------------------------------------------------------------------------------------------


def _write(rule: Rule, style: Style) -> None:
    from ..compiler.rule import CHECK

    out(f"{style.bold(rule.code)} {rule.name} ({_severity(rule, style)})")
    out()
    out(_paragraphs(f"{rule.summary[:1].upper()}{rule.summary[1:]}."))
    if rule.why:
        out()
        out(_paragraphs(rule.why))
    texts = (("The graph before", rule.old), ("Example", rule.example), ("Repair", rule.repair))
    for title, text in texts:
        if text.strip():
            out()
            out(style.bold(title))
            out()
            for line in text.strip("\n").split("\n"):
                out(f"    {line}".rstrip())
    out()
    if rule.fixable:
        out(fill("Where only one repair is possible, `lgc check --fix` makes it.", _WIDTH))
    out(fill(_allowing(rule), _WIDTH))
    if rule.by != CHECK:
        out(fill(f"It is found by `{rule.by}`.", _WIDTH))


def _allowing(rule: Rule) -> str:
    if not rule.allowable:
        return "It cannot be allowed: it must be repaired."
    comment = f"// lgc: allow {rule.code} REASON"
    return f"On the line above, `{comment}` allows it; so does an entry in the baseline."


def _paragraphs(text: str) -> str:
    return "\n\n".join(fill(" ".join(part.split()), _WIDTH) for part in text.strip().split("\n\n"))


def _json(rule: Rule) -> dict[str, object]:
    return {
        "code": rule.code,
        "name": rule.name,
        "family": FAMILIES.get(rule.code[:3], ""),
        "severity": str(rule.severity),
        "summary": rule.summary,
        "why": rule.why,
        "example": rule.example,
        "repair": rule.repair,
        "allowable": rule.allowable,
        "fixable": rule.fixable,
        "active": rule.active,
        "found_by": rule.by,
        "before": rule.old,
    }
