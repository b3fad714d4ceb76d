"""The kinds of changes of nodes: tasks, decisions and barriers."""

from __future__ import annotations

from .kind import ARTICLE, CHECK, ChangeKind

NODES: tuple[ChangeKind, ...] = (
    ChangeKind(
        "node-added", "a new node",
        "A node that was not there.",
        "never",
        "No run has been there. Whether a run would have come past it is said by the edges that lead to it.",
        CHECK,
        (
            ("  task report", "  task store { reads notes }\n  task report"),
            ("look -> report -> end", "look -> store -> report -> end"),
        ),
    ),
    ChangeKind(
        "node-removed", "a node is gone",
        "A node that the graph no longer has, under this name.",
        "place",
        "A run that is parked there has no place to go on from; a run that has been there did something"
        " that the new graph cannot. All others do not care. `rename node` and `move` in a migration "
        "say where such runs go on.",
        ARTICLE,
        (
            ("  task publish { reads draft!  effect once }\n", ""),
            ("-> publish on", "-> end on"),
            ("  publish -> end\n", ""),
        ),
    ),
    ChangeKind(
        "node-kind-changed", "a node is of another kind",
        "A task has become a barrier, and the like.",
        "place",
        "A run that is parked there waits for something that no longer happens; one that has been there"
        " completed something else.",
        ARTICLE, (("  task publish { reads draft!  effect once }", "  decision publish"),),
    ),
    ChangeKind(
        "node-moved", "a node is in another region",
        "It stands in a branch, or no longer does, or in another.",
        "place",
        "A run that is parked there would stand outside of what it was a part of, with another part of "
        "the state.",
        CHECK,
        (
            ("branch style = style", "branch style { start -> style -> report -> end }"),
            ("look -> report -> end", "look -> end"),
        ),
    ),
    ChangeKind(
        "reads-changed", "a node sees other fields",
        "`reads`: what the function is shown, and which must have a value.",
        "never",
        "What a completed node saw is not asked again. A node that is still ahead sees what the new "
        "graph says.",
        ARTICLE, (("task write { reads draft ", "task write { reads draft, count "),),
    ),
    ChangeKind(
        "records-widened", "a node may record more",
        "A mutation was added to `records`.",
        "never",
        "What it recorded so far it may still record.",
        ARTICLE, (("records SetDraft  ensures", "records SetDraft, Remember  ensures"),),
    ),
    ChangeKind(
        "records-narrowed", "a node may record less",
        "A mutation was taken out of `records`.",
        "history",
        "A run in which the node recorded it did something that the new graph forbids.",
        ARTICLE, (("  records Grade  goto", "  goto"),),
    ),
    ChangeKind(
        "ensures-added", "a node promises more",
        "A field was added to `ensures`.",
        "history",
        "A run in which the field was none after the node could not have gone on from there.",
        ARTICLE, (("records Grade  goto", "records Grade  ensures verdict  goto"),),
    ),
    ChangeKind(
        "ensures-removed", "a node promises less",
        "A field was taken out of `ensures`.",
        "never",
        "What kept the stricter promise keeps the looser one.",
        ARTICLE,
        (
            ("  ensures draft }", " }"),
            ("grade { reads draft!", "grade { reads draft"),
            ("publish { reads draft!", "publish { reads draft"),
        ),
    ),
    ChangeKind(
        "goto-added", "a node's code may send the run to more places",
        "A node was added to `goto`.",
        "never",
        "Where its code has sent a run it may still send it.",
        ARTICLE, (("goto write", "goto write, publish"),),
    ),
    ChangeKind(
        "goto-removed", "a node's code may send the run to fewer places",
        "A node was taken out of `goto`.",
        "history",
        "A run that was sent there went a way that the new graph does not have.",
        ARTICLE, (("  goto write", ""),),
    ),
    ChangeKind(
        "effect-changed", "a node has another effect",
        "`effect pure`, `idempotent` or `once`.",
        "never",
        "It says what happens when an attempt dies, and a completed node is not attempted again. An "
        "attempt that is under way is settled as it was recorded.",
        ARTICLE, (("effect once", "effect idempotent"),),
    ),
    ChangeKind(
        "barrier-decision-added", "a barrier offers one more decision",
        "A `decision` that was not there.",
        "never",
        "Whoever is asked has one more choice.",
        ARTICLE,
        (
            ("    modify", "    decision later\n    modify"),
            (
                "  sign_off -> end     on timeout",
                "  sign_off -> end     on timeout\n  sign_off -> end     on later",
            ),
        ),
    ),
    ChangeKind(
        "barrier-decision-removed", "a barrier offers one decision less",
        "A `decision` that is no longer there.",
        "place",
        "Who waits in front of it has been promised a choice that would be refused; who has been past "
        "it with that answer took a way that is gone.",
        ARTICLE,
        (
            (
                '    decision reject(reason: str) records Remember(Note(author = "editor", text = reason))\n',
                "",
            ),
            ("  sign_off -> write   on reject\n", ""),
        ),
    ),
    ChangeKind(
        "barrier-decision-changed", "a decision takes or records something else",
        "The parameters of a barrier's decision, or the mutations that taking it records.",
        "history",
        "A run that got this answer recorded what the old decision says. An answer that is still to be "
        "given is given to the new one.",
        ARTICLE, (("reject(reason: str)", "reject(reason: str, hard: bool)"),),
    ),
    ChangeKind(
        "modify-added", "the decider may record more",
        "A mutation was added to `modify`.",
        "never",
        "What was recorded with an answer may still be.",
        ARTICLE, (("modify   SetDraft", "modify   SetDraft, Grade"),),
    ),
    ChangeKind(
        "modify-removed", "the decider may record less",
        "A mutation was taken out of `modify`.",
        "history",
        "A run in which the decider recorded it holds something that the new graph forbids.",
        ARTICLE, (("    modify   SetDraft\n", ""),),
    ),
    ChangeKind(
        "reroute-added", "the decider may send the run to more places",
        "A node was added to `reroute`.",
        "never",
        "Where a run was sent it may still be sent.",
        ARTICLE, (("reroute  grade", "reroute  grade, write"),),
    ),
    ChangeKind(
        "reroute-removed", "the decider may send the run to fewer places",
        "A node was taken out of `reroute`.",
        "history",
        "A run that was sent there went a way that the new graph does not have.",
        ARTICLE, (("    reroute  grade\n", ""),),
    ),
    ChangeKind(
        "timeout-answer-changed", "another answer when a barrier's time is over",
        "`timeout D decides NAME(args)`; how long it waits is operational.",
        "history",
        "A run whose time ran out there got the old answer.",
        ARTICLE,
        (
            ("timeout  2d", 'timeout  2d decides reject(reason = "late")'),
            ("  sign_off -> end     on timeout\n", ""),
        ),
    ),
)  # fmt: skip
