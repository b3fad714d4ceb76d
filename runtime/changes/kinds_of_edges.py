"""The kinds of changes of edges."""

from __future__ import annotations

from .kind import ARTICLE, ChangeKind

EDGES: tuple[ChangeKind, ...] = (
    ChangeKind(
        "edge-added", "a new edge",
        "An arrow, out of `start` or of a node, that was not there.",
        "history",
        "A run that has left the node where the new edge starts may have had to take it. One that has "
        "not been there, or is there now, takes it or not when it leaves. An `on error` edge where "
        "there was none takes nobody's way.",
        ARTICLE,
        (
            ("  grade -> end      else", "  grade -> publish  when count > 9\n  grade -> end      else"),
        ),
    ),
    ChangeKind(
        "edge-removed", "an edge is gone",
        "An arrow that is no longer there.",
        "history",
        "A run that took it went a way that the new graph does not have.",
        ARTICLE, (("  grade -> write    when score < 0.5 max_visits 3\n", ""),),
    ),
    ChangeKind(
        "edge-target-changed", "an edge leads elsewhere",
        "The node behind the arrow.",
        "history",
        "A run that took it would have come to another node. This is how a node is inserted between two"
        " others: runs that are past it have skipped it.",
        ARTICLE, (("sign_off -> write   on reject", "sign_off -> grade   on reject"),),
    ),
    ChangeKind(
        "guard-changed", "an edge is taken on another condition",
        "The expression behind `when`.",
        "history",
        "A run that came past it may have gone another way. Whether it would have is computed from the "
        "state that it had then: if the new guard gives the same, the change means nothing to that run.",
        ARTICLE, (("when score < 0.5", "when score < 0.7"),),
    ),
    ChangeKind(
        "max-visits-changed", "an edge may be taken more or less often",
        "The count behind `max_visits`.",
        "history",
        "A run that took the edge more often than the new count allows could not have; one that was "
        "turned away by the old count might have gone on.",
        ARTICLE, (("max_visits 3", "max_visits 5"),),
    ),
    ChangeKind(
        "edge-order-changed", "the edges of a node are tried in another order",
        "The order of the `when` edges of one node: the first that holds is taken.",
        "history",
        "Where two guards held at once, a run went the way that was written first.",
        ARTICLE,
        (
            (
                "  grade -> sign_off when verdict == Verdict.accept\n"
                "  grade -> write    when score < 0.5 max_visits 3\n",
                "  grade -> write    when score < 0.5 max_visits 3\n"
                "  grade -> sign_off when verdict == Verdict.accept\n",
            ),
        ),
    ),
)  # fmt: skip
