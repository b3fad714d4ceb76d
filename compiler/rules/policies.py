"""Rules LG601-LG603: policies that contradict themselves."""

from __future__ import annotations

from collections.abc import Iterator

from ...dsl.diagnostic import Diagnostic, Severity
from .. import model
from ..graph_view import GraphView
from ..rule import Rule


def _retry_once(view: GraphView) -> Iterator[Diagnostic]:
    for node in view.graph.nodes:
        if isinstance(node, model.Task) and node.effect == "once" and node.retry is not None:
            yield RETRY_ONCE.found(
                f"task `{node.name}` has `effect once`: it must not be tried again",
                node.retry.place,
                help="leave out `retry`, or write `effect idempotent` if doing it twice is harmless",
            )


def _no_timeout(view: GraphView) -> Iterator[Diagnostic]:
    for node in view.graph.nodes:
        if isinstance(node, model.Barrier) and node.timeout_ms is None:
            yield NO_TIMEOUT.found(
                f"barrier `{node.name}` has no timeout",
                node.place,
                help=f"add `timeout 2d` and `{node.name} -> … on timeout`",
            )


_STATE = "state Job {\n  amount: int\n}\n\ngraph work(Job) {\n"
_WAY = "\n  start -> pay -> end\n}\n"

RETRY_ONCE = Rule(
    "LG601",
    "retry-once",
    Severity.ERROR,
    "`retry` on `effect once`",
    "`effect once` says that the effect must not happen twice; an attempt that failed may have had it.",
    _STATE + "  task pay {\n    reads  amount\n    effect once\n    retry  3\n  }\n" + _WAY,
    _STATE + "  task pay { reads amount  effect once }\n" + _WAY,
    check=_retry_once,
)
_ROUTES = "\n  start -> pay\n  pay -> end on approve\n  pay -> end on reject\n"
NO_TIMEOUT = Rule(
    "LG602",
    "no-timeout",
    Severity.ERROR,
    "a barrier without timeout, or a timeout without an answer",
    "Nobody may ever answer. A run that waits forever is lost without anyone noticing.",
    _STATE + "  barrier pay { shows amount }\n" + _ROUTES + "}\n",
    _STATE + "  barrier pay { timeout 2d  shows amount }\n" + _ROUTES + "  pay -> end on timeout\n}\n",
    check=_no_timeout,
)
MEANINGLESS = Rule(
    "LG603",
    "meaningless-policy",
    Severity.ERROR,
    "a policy that means nothing: keep 0, backoff 30s..1s, adaptive without a threshold …",
    "It would be ignored, or do something else than it says.",
    _STATE + "  task pay { reads amount  retry 3 backoff 30s..1s }\n" + _WAY,
    _STATE + "  task pay { reads amount  retry 3 backoff 1s..30s }\n" + _WAY,
)

RULES = (RETRY_ONCE, NO_TIMEOUT, MEANINGLESS)
