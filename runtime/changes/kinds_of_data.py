"""The kinds of changes of a graph's settings and of the fields of its state."""

from __future__ import annotations

from .kind import ARTICLE, GATHER, ChangeKind

DATA: tuple[ChangeKind, ...] = (
    ChangeKind(
        "graph-renamed", "the graph has another name",
        "The name behind `graph`.",
        "never",
        "A name routes nothing. But runs are found by the name of their graph: name the new one on the "
        "command line to compare them.",
        ARTICLE, (("graph article(", "graph post("),),
    ),
    ChangeKind(
        "state-renamed", "the graph's state has another name",
        "The name behind `state`.",
        "never",
        "Values are stored by field, not by the name of their state. Python code that names the class "
        "must follow.",
        ARTICLE,
        (
            ("state Article {", "state Post {"),
            ("(Article)", "(Post)"),
        ),
    ),
    ChangeKind(
        "max-steps-changed", "another limit of steps",
        "`max_steps` of the graph, or of a node that runs a graph.",
        "history",
        "A higher limit changes nothing that has happened. Under a lower one a run that has done more "
        "steps already could not have come so far, and would fail at its next step.",
        ARTICLE, (("max_steps 200", "max_steps 100"),),
    ),
    ChangeKind(
        "field-added", "a new field that has a value",
        "A durable field with a default, or an optional one.",
        "never",
        "A parked run gets the default, or none. That is what it would have, had the field been there, "
        "as long as no mutation that it recorded writes it: then it is the mutation that changed.",
        ARTICLE, (("  count:   int = 0\n", "  count:   int = 0\n  words:   int = 0\n"),),
    ),
    ChangeKind(
        "field-added-without-value", "a new field without a value",
        "A durable field with neither a default nor a `?`.",
        "always",
        "Nobody can say what a run that is under way has in it. A new run is given it at its start. "
        "Give it a default, make it optional, or `set` it in a migration.",
        ARTICLE, (("  count:   int = 0\n", "  count:   int = 0\n  owner:   str\n"),),
    ),
    ChangeKind(
        "field-removed", "a field is gone",
        "A durable field of the state was removed, renamed or made transient.",
        "always",
        "The run has a value there, and it would be lost without a word. `drop field` in a migration "
        "says that it may be, `rename field` where it went.",
        ARTICLE,
        (
            ("  count:   int = 0\n", ""),
            ("  count += 1", ""),
        ),
    ),
    ChangeKind(
        "field-type-changed", "a field has another type",
        "The type behind a field's name.",
        "values",
        "If every value of the old type is one of the new (`int` to `float`, `T` to `T?`), all runs "
        "have a value that fits. Otherwise the run's own value decides. What was computed from it on "
        "the way here may also differ.",
        ARTICLE,
        (
            ("count:   int = 0", "count:   float = 0.0"),
            ("count += 1", "count += 1.0"),
        ),
    ),
    ChangeKind(
        "field-default-changed", "a field has another default",
        "The constant behind `=`.",
        "never",
        "A run got its first values when it was started and keeps them. Only a state that is made for a"
        " graph that is run inside begins with the new default.",
        ARTICLE, (("count:   int = 0", "count:   int = 1"),),
    ),
    ChangeKind(
        "field-constraint-changed", "a field has another constraint",
        "`range`, `length` or `pattern`.",
        "values",
        "A wider one keeps every value valid. Under a narrower one the value that a run holds may be "
        "refused, and so may a mutation that it has recorded.",
        ARTICLE, (("range 0.0..1.0", "range 0.0..0.9"),),
    ),
    ChangeKind(
        "field-merge-changed", "a field is joined in another way",
        "`merge`: how branches that wrote it are joined.",
        "history",
        "A run that has come through a join behind which the field would now differ is not one that the"
        " new graph could have made. Joins that are still ahead use the new rule.",
        ARTICLE, (("count:   int = 0", "count:   int = 0 merge max"),),
    ),
    ChangeKind(
        "substate-added", "a new sub-state",
        "A field now has a state as its type.",
        "never",
        "It comes with a field of the state; that one decides.",
        ARTICLE,
        (
            ("state Article {", 'state Page { url: str = "" }\n\nstate Article {\n  page:    Page'),
            ("reads draft!  effect", "reads draft!, page  effect"),
        ),
    ),
    ChangeKind(
        "substate-removed", "a sub-state is gone",
        "No field has this state as its type any more.",
        "never",
        "It goes with a field of the state; that one decides.",
        GATHER,
        (
            ("  page:  Page\n", ""),
            ("reads texts, page", "reads texts"),
        ),
    ),
)  # fmt: skip
