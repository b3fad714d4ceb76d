"""From the terminals that a parser state accepts to what was expected, in the user's words.

The order is that of the table below, whatever the order of the terminals; the list is short, and no name of a
terminal ever shows.
"""

from __future__ import annotations

from collections.abc import Set as AbstractSet

from . import words
from .lexer import SIGNS
from .lists import listed

_SPELLING = {name: sign for sign, name in reversed(SIGNS.items()) if name != "COMPARE"} | {
    "LAST_COMMA": ",",
    "LAST_COMMA_OF_ACT": ",",
    "LAST_COMMA_OF_PATH": ",",
    "ON_CLASSES": "on",
    "ACT_RECORDS": "records",
}

_EXPRESSION = frozenset(("INT", "STRING", "LPAR", "NONE", "NOT", "MINUS"))
_EXPRESSION_ALL = _EXPRESSION | {"NAME", "FLOAT", "DURATION", "TRUE", "FALSE", "LSQB", "LBRACE"}
_OPERATORS = frozenset(("PLUS", "STAR", "COMPARE"))
_OPERATORS_ALL = _OPERATORS | {"MINUS", "SLASH", "SLASH_SLASH", "PERCENT", "COALESCE", "AND", "OR", "NOT"}
_BEHIND = {"IN", "IS", "IF", "DOT", "QMARK_DOT", "LSQB", "LPAR"}

# A group stands for its terminals where all of the first set are accepted.
_GROUPS: tuple[tuple[frozenset[str], frozenset[str], str], ...] = (
    (_EXPRESSION, frozenset(_EXPRESSION_ALL), "an expression"),
    (_OPERATORS, frozenset(_OPERATORS_ALL | _BEHIND), "an operator"),
    (
        frozenset(("FROM", "ENUM", "GRAPH")),
        frozenset(w.upper() for w in words.DECLARATIONS),
        "a declaration",
    ),
    (frozenset(("TASK", "MAP")), frozenset(w.upper() for w in words.NODE_KINDS), "a node"),
    (frozenset(("CHECKPOINT",)), frozenset(("CHECKPOINT", "MAX_STEPS")), "a setting"),
    (frozenset(("READS", "RECORDS")), frozenset(w.upper() for w in words.CLAUSES), "a clause"),
    (
        frozenset(("WHEN", "ELSE", "ON")),
        frozenset(("WHEN", "ELSE", "ON")),
        "`when`, `else` or `on`",
    ),
    (
        frozenset(("EVERY", "KEEP")),
        frozenset(("EVERY", "ON", "ADAPTIVE", "MANUAL", "KEEP", "COMPACT")),
        "a checkpoint setting",
    ),
    (
        frozenset(("FAILS", "GOES", "DECIDES")),
        frozenset(("ACT_RECORDS", "FAILS", "TIMES", "GOES", "MODIFIES", "DECIDES", "REROUTES")),
        "what the visit does",
    ),
    (frozenset(("MUTATION",)), frozenset(("MUTATION", "TRANSIENT", "NAME")), "a field or a mutation"),
    (frozenset(("GIVEN",)), frozenset(("GIVEN", "EXPECT", "NAME")), "a line of the scenario"),
    (frozenset(("RANGE", "LENGTH")), frozenset(("RANGE", "LENGTH", "PATTERN")), "a constraint"),
    (frozenset(("RENAME",)), frozenset(("RENAME", "SET", "DROP", "MOVE")), "a change"),
    (frozenset(("INT", "FLOAT")), frozenset(("INT", "FLOAT", "MINUS")), "a number"),
    (frozenset(("EQ", "PLUS_EQ")), frozenset(("EQ", "PLUS_EQ", "MINUS_EQ")), "`=`, `+=` or `-=`"),
)
_SINGLE = {
    "NAME": "a name",
    "STRING": "a string",
    "DURATION": "a duration such as `30s`",
    "$END": "the end of the file",
}
# In this order; what stands in none of the lists follows by its spelling.
_FIRST = ("RBRACE", "RPAR", "RSQB", "LBRACE", "LPAR", "COLON", "EQ", "ARROW", "COMMA")
_MOST = 5


def spelling(terminal: str) -> str:
    """A sign or keyword in backticks."""
    return f"`{_SPELLING.get(terminal, terminal.lower())}`"


def phrases(accepted: AbstractSet[str]) -> list[str]:
    """What was expected, in a fixed order, shortest first where there is no other reason."""
    rest = set(accepted)
    if len(rest) > 1:
        rest.discard("$END")
    if "NAME" in rest and "TASK" in rest:
        rest -= {"NAME"}
        edges = ["an edge"]
    else:
        edges = []
    found: list[str] = []
    for needed, group, words_ in _GROUPS:
        if needed <= rest:
            found.append(words_)
            rest -= group
            if words_ == "an expression":
                rest -= {"LBRACE"}
    found += edges
    found += [_SINGLE[t] for t in _SINGLE if t in rest]
    signs = [spelling(t) for t in _FIRST if t in rest]
    other = sorted({spelling(t) for t in rest - set(_FIRST) - set(_SINGLE)} - set(signs))
    if len(found) + len(signs) + len(other) > _MOST:
        other = other[: max(0, _MOST - len(found) - len(signs))]
    return list(dict.fromkeys(found + signs + other))


def sentence(accepted: AbstractSet[str]) -> str:
    """What was expected as one phrase: `a name, `}` or `,``."""
    parts = phrases(accepted)
    if len(parts) < 2:
        return "".join(parts) or "nothing more"
    return listed(parts, "or")
