"""Where reading can start again behind a mistake: what the items of each list in the grammar begin with.

Each pattern is matched at a word. It looks at two or three tokens, so that a name that happens to be a
keyword does not pass for the start of an item.
"""

from __future__ import annotations

import re

from . import words

_G = r"(?:[ \t\r\n\f]|//[^\n]*\n)*"
_N = r"[A-Za-z_][A-Za-z0-9_]*"
_ACT = r"(?:records|fails|times|goes|modifies|decides|reroutes)\b"


def _any(names: tuple[str, ...]) -> str:
    return "(?:" + "|".join(names) + ")" + r"\b"


_PATTERNS = {
    "declarations": (
        rf"graph\b{_G}{_N}{_G}\(|(?:state|enum|record)\b{_G}{_N}{_G}\{{|(?:union|opaque)\b{_G}{_N}{_G}=(?!=)"
        rf"|migrate\b{_G}{_N}{_G}from\b|scenario\b{_G}\"|from\b{_G}\""
    ),
    "graph_items": (rf"{_any(words.NODE_KINDS)}{_G}{_N}|max_steps\b{_G}[0-9]|checkpoint\b{_G}\{{|{_N}{_G}->"),
    "state_items": rf"(?:mutation|transient)\b{_G}{_N}|{_N}{_G}:",
    "record_fields": rf"{_N}{_G}:",
    "statements": rf"del\b{_G}{_N}|{_N}{_G}(?:=(?!=)|[-+]=|\[|\.(?!\.))",
    "clauses": rf"{_any(words.CLAUSES)}(?!{_G}(?:->|[:,=!]))",
    "chains": rf"{_N}{_G}->",
    "rules": r"(?:every|on|adaptive|manual|keep|compact)\b",
    "weights": rf"{_N}{_G}[0-9]",
    "scenario_items": rf"given\b{_G}\{{|expect\b|{_N}{_G}{_ACT}",
    "changes": r"(?:rename|set|drop|move)\b",
    "entries": rf"{_N}{_G}=(?!=)",
    "members": rf"{_N}{_G}[,}}]",
}
LISTS = frozenset(_PATTERNS)
"""The grammar's lists of items: file, braces of every kind."""

_compiled: dict[str, re.Pattern[str]] = {}


def starts(kind: str, text: str, at: int) -> bool:
    """Whether an item of a list starts at a word."""
    pattern = _compiled.get(kind)
    if pattern is None:
        pattern = _compiled[kind] = re.compile(_PATTERNS[kind])
    return pattern.match(text, at) is not None
