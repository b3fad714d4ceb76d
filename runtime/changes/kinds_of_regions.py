"""The kinds of changes of nodes that hold others: parallels, subgraphs and maps."""

from __future__ import annotations

from .kind import CHECK, GATHER, ChangeKind

REGIONS: tuple[ChangeKind, ...] = (
    ChangeKind(
        "branch-added", "a parallel has a new branch",
        "A `branch` that was not there.",
        "place",
        "A run that stands inside the parallel forked without it; one that has been through joined "
        "without what it does.",
        CHECK,
        (
            ("    branch style = style\n", "    branch style = style\n    branch tone = tone\n"),
            ("  task report", "  task tone { reads topic  records Note }\n  task report"),
        ),
    ),
    ChangeKind(
        "branch-removed", "a parallel has lost a branch",
        "A `branch` that is no longer there.",
        "place",
        "A run that stands inside the parallel may be in it, and what it has done there would be lost; "
        "one that has been through joined what it did.",
        CHECK, (("    branch facts = facts\n", "    branch tone = facts\n"),),
    ),
    ChangeKind(
        "branch-order-changed", "branches are joined in another order",
        "The order of the `branch` clauses.",
        "history",
        "What branches did is applied in their order. A run that has been through may hold a list in "
        "the old order.",
        CHECK,
        (
            (
                "    branch facts = facts\n    branch style = style\n",
                "    branch style = style\n    branch facts = facts\n",
            ),
        ),
    ),
    ChangeKind(
        "join-changed", "a parallel waits for other branches",
        "`join all`, `any` or `first N`.",
        "history",
        "A run that has been through joined the branches that the old rule chose. One that stands "
        "inside is joined by the new rule.",
        CHECK, (("    branch style = style\n", "    branch style = style\n    join any\n"),),
    ),
    ChangeKind(
        "on-error-changed", "failures inside are handled otherwise",
        "`on_error fail` or `collect`.",
        "history",
        "A run in which a branch or an element failed went on by the old rule.",
        CHECK, (("    branch style = style\n", "    branch style = style\n    on_error collect\n"),),
    ),
    ChangeKind(
        "graph-run-changed", "a node runs another graph",
        "The name of the graph that a subgraph or map runs.",
        "place",
        "A run that stands inside is inside of another graph. What the other graph does decides for "
        "those who have been through.",
        GATHER,
        (
            (
                "state Work {",
                "graph peek(Page) {\n"
                "  task load { reads url  records SetText }\n"
                "  start -> load -> end\n"
                "}\n"
                "\n"
                "state Work {",
            ),
            ("map rest = fetch", "map rest = peek"),
        ),
    ),
    ChangeKind(
        "lens-replaced", "a graph that is run reaches its state in another way",
        "The same state, `on` a field, or `in` and `out`.",
        "place",
        "A run that stands inside works on another state than the node now gives it.",
        GATHER,
        (
            (
                'subgraph first = fetch { in url = topic  out Keep(text ?? "")  max_steps 20 }',
                "subgraph first = fetch { on page  max_steps 20 }",
            ),
        ),
    ),
    ChangeKind(
        "map-elements-changed", "a map runs over something else",
        "`over EXPR as item`.",
        "place",
        "A run that stands inside has begun on the old elements; one that has been through did them.",
        GATHER, (("over urls as link", "over texts as link"),),
    ),
    ChangeKind(
        "input-changed", "a graph that is run begins with other values",
        "`in f = EXPR`.",
        "history",
        "A run that is inside, or has been, began with what the old expression gave.",
        GATHER, (("in url = topic", "in url = strip(topic)"),),
    ),
    ChangeKind(
        "output-changed", "a graph that was run records something else",
        "`out M(args)`.",
        "history",
        "A run that has been through recorded what the old clause gave. One that is still inside "
        "records what the new one says.",
        GATHER, (('out Keep(text ?? "")  max', 'out Keep(text ?? "-")  max'),),
    ),
    ChangeKind(
        "subgraph-added", "a graph is run that was not",
        "A node runs a graph that none ran before.",
        "never",
        "It comes with a node; that one decides.",
        GATHER,
        (
            (
                "state Work {",
                "graph peek(Page) {\n"
                "  task load { reads url  records SetText }\n"
                "  start -> load -> end\n"
                "}\n"
                "\n"
                "state Work {",
            ),
            ("map rest = fetch", "map rest = peek"),
        ),
    ),
    ChangeKind(
        "subgraph-removed", "a graph is no longer run",
        "No node runs this graph any more.",
        "never",
        "It goes with a node; that one decides.",
        GATHER,
        (
            (
                '  subgraph first = fetch { in url = topic  out Keep(text ?? "")  max_steps 20 }\n'
                '  map rest = fetch { over urls as link  in url = link  out Keep(text ?? "") }\n',
                "",
            ),
            ("start -> first -> rest -> report", "start -> report"),
        ),
    ),
    ChangeKind(
        "subgraph-changed", "a graph that is run has changed",
        "Its hash is another: it has changes of its own.",
        "history",
        "Its own changes decide, for runs that stand inside of it and for those that have been through.",
        GATHER,
        (
            ("task load { reads url  records SetText }", "task load { reads url, text  records SetText }"),
        ),
    ),
)  # fmt: skip
