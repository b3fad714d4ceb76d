"""Words with a fixed meaning: which names are refused, and which are written otherwise elsewhere."""

from __future__ import annotations

from keyword import kwlist

RESERVED = frozenset(
    [
        "start",
        "end",
        "and",
        "or",
        "not",
        "in",
        "is",
        "if",
        "else",
        "none",
        "true",
        "false",
        "when",
        "on",
        "from",
        "import",
    ],
)
"""The language's own reserved words: never names, wherever they stand."""

EDGE_ENDS = frozenset(("start", "end"))
"""Reserved words that are names of places in edges and paths."""

PYTHON = frozenset(kwlist)
"""Python's keywords: names become Python names, so none of these can be declared."""

LONGEST_NAME = 100
"""Characters of the longest name."""

NODE_KINDS = ("task", "decision", "barrier", "parallel", "subgraph", "map")

CLAUSES = (
    "reads",
    "records",
    "ensures",
    "goto",
    "retry",
    "timeout",
    "effect",
    "params",
    "impl",
    "shows",
    "decision",
    "modify",
    "reroute",
    "branch",
    "join",
    "on_error",
    "on",
    "in",
    "out",
    "max_steps",
    "over",
    "concurrency",
)

DECLARATIONS = ("from", "enum", "record", "union", "opaque", "state", "graph", "migrate", "scenario")
