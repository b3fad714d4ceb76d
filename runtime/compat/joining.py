"""From the children of a joined node to what the new graph would have joined, and what came of it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from .. import plan
from ..errors import LgcError
from ..machine.completion import Completion, complete_joined
from ..machine.frame import Frame, evaluated
from ..machine.merging import inside
from ..values.state import Mutation, class_of
from ..values.typed_json import Applied, decode_field
from .findings import At, Findings
from .history import Visit
from .recorded import Merged, is_external, parts
from .stepping import Stepper, detail_of
from .unchanged import Unchanged


@dataclass(frozen=True, slots=True)
class Joined:
    """How a join ended, as it was recorded.

    Attributes:
        won: the children whose work was kept.
        failed: the children that failed; "" for the node itself, or the graph that it runs.
        ended: the children that had ended, in the order in which they did.
        unmade: whether they could not even be made.
    """

    won: tuple[str | int, ...]
    failed: frozenset[str]
    ended: tuple[str | int, ...]
    unmade: bool


def joined(visit: Visit, old: Frame) -> Joined:
    """What was recorded of a join; `old` is the frame just before."""
    detail = detail_of(visit.record)
    ended = [child for child in old.children.values() if child.node == plan.END]
    ended.sort(key=lambda child: child.since)
    return Joined(
        tuple(detail.get("won", ())),
        frozenset(map(str, detail.get("failed", ()))),
        tuple(child.key for child in ended),
        "" in detail.get("failed", ()) and _unmade(old),
    )


def _unmade(frame: Frame) -> bool:
    """Whether the children of a node cannot be made."""
    node = frame.plan.nodes[frame.node]
    if not isinstance(node, (plan.Parallel, plan.Subgraph, plan.Map)):
        return False
    before = dict(frame.children)
    try:
        for key in _keys(frame, node):
            frame.child(key)
    except LgcError:
        return True
    finally:
        frame.children = before
    return False


class Joiner:
    """Looks at recorded joins."""

    def __init__(self, findings: Findings, stepper: Stepper) -> None:
        self._findings = findings
        self._stepper = stepper

    def join(
        self, visit: Visit, frame: Frame, was: Joined, pair: Unchanged, old: plan.Graph[Any]
    ) -> Completion | None:
        """Do a join in a frame of the new graph, whose children are there; None where it cannot be done."""
        record = visit.record
        at = (visit.site, record.node, record.step)
        node = frame.plan.nodes[record.node]
        if not isinstance(node, (plan.Parallel, plan.Subgraph, plan.Map)):
            return None
        try:
            won = self._would_take(at, frame, node, was, record.outcome)
        except LgcError as error:
            self._findings.add("step-refused", at, f"node/{node.name}", f"`{node.name}`: {error.message}")
            return None
        if won is None:
            return None
        recorded = self._out(at, frame, node, won, visit)
        if recorded is None:
            return None
        do = partial(
            complete_joined, frame, won, record.outcome,
            stored=self._merged(visit, frame, pair), recorded=recorded,
        )  # fmt: skip
        return self._stepper.routed(at, frame, old, record, do)

    # --- who is joined ------------------------------------------------------------------------------------

    def _would_take(
        self,
        at: At,
        frame: Frame,
        node: plan.Parallel | plan.Subgraph | plan.Map,
        was: Joined,
        outcome: str,
    ) -> list[str | int] | None:
        keys = _keys(frame, node)
        if any(key not in keys for key in was.won):
            self._differs(
                at, "runs over other elements" if isinstance(node, plan.Map) else "has other branches"
            )
            return None
        if outcome == "ok":
            need = node.join if isinstance(node, plan.Parallel) else len(keys)
            if len(was.won) != need:
                took = ", ".join(f"`{key}`" for key in was.won) or "none"
                self._differs(at, f"joins {need} of {len(keys)} now, and took {took}")
                return None
            return [key for key in keys if key in was.won]
        return self._failed(at, frame, node, was, keys)

    def _failed(
        self,
        at: At,
        frame: Frame,
        node: plan.Parallel | plan.Subgraph | plan.Map,
        was: Joined,
        keys: Sequence[str | int],
    ) -> list[str | int] | None:
        """Who is kept where the error edge was taken."""
        if isinstance(node, plan.Subgraph) or "" in was.failed:
            if not self._would_fail(frame, node, was, keys):
                self._differs(at, "would not have failed")
                return None
            return [key for key in keys if key in was.won]
        failed = [key for key in keys if str(key) in was.failed]
        need = node.join if isinstance(node, plan.Parallel) else len(keys)
        if len(keys) - len(failed) >= need:
            self._differs(at, "would not have failed yet")
            return None
        ended = [key for key in keys if key in was.ended]
        kept: list[str | int] = ended if node.collect else []
        if set(kept) != set(was.won) or (node.collect and len(ended) + len(failed) < len(keys)):
            self._differs(at, "keeps other branches when one fails")
            return None
        return kept

    def _would_fail(
        self,
        frame: Frame,
        node: plan.Parallel | plan.Subgraph | plan.Map,
        was: Joined,
        keys: Sequence[str | int],
    ) -> bool:
        """Whether a node that failed by itself, not by a function, fails in the new graph too."""
        need = node.join if isinstance(node, plan.Parallel) else len(keys)
        if not was.unmade and len(was.ended) < need:
            return True  # a child failed: what it was about to do is not in the log
        if was.unmade:
            return _unmade(frame)
        try:
            won = [key for key in keys if key in was.ended[:need]]
            out: list[Mutation] = []
            for key in won:
                out.extend(_left(node, frame.children[key]))
            if any(is_external(type(mutation)) for mutation in out):
                return True  # only its function could say
            again = [Applied(mutation) for mutation in out]
            complete_joined(frame, won, stored=Merged({}, _custom(frame, None)), recorded=again)
        except LgcError:  # also where only a function could say
            return True
        return False

    def _differs(self, at: At, what: str) -> None:
        _, node, step = at
        self._findings.add(
            "join-differs", at, f"node/{node}", f"`{node}` {what}: it was joined at step {step}"
        )

    # --- what they give -----------------------------------------------------------------------------------

    def _out(
        self,
        at: At,
        frame: Frame,
        node: plan.Parallel | plan.Subgraph | plan.Map,
        won: Sequence[str | int],
        visit: Visit,
    ) -> list[Applied] | None:
        """What was recorded by `out`, where the new graph records the same."""
        recorded = self._stepper.read(at, frame, json.loads(visit.record.mutations))
        if recorded is None:
            return None
        try:
            now = [parts(Applied(mutation)) for key in won for mutation in _left(node, frame.children[key])]
        except LgcError as error:
            text = f"`out` of `{node.name}` fails for step {visit.record.step}: {error.message}"
            self._findings.add("out-differs", at, f"node/{node.name}", text)
            return None
        if now != [parts(one) for one in recorded]:
            text = f"`out` of `{node.name}` gives something else now than at step {visit.record.step}"
            self._findings.add("out-differs", at, f"node/{node.name}", text)
            return None
        return recorded

    def _merged(self, visit: Visit, frame: Frame, pair: Unchanged) -> Merged:
        """The values of fields that functions have merged, by name; those of the new graph's functions."""
        custom = _custom(frame, pair)
        values: dict[str, Any] = {}
        for path, data in detail_of(visit.record).get("merged", {}).items():
            *lens, field = path.split(".")
            try:
                values[path] = decode_field(class_of(inside(frame.state, lens)), field, data)
            except (LgcError, AttributeError, KeyError):
                continue  # then it is as if it had not been recorded
        return Merged(values, custom)


def _custom(frame: Frame, pair: Unchanged | None) -> dict[str, bool]:
    """The fields that a function merges, and whether it is the one that merged them in the old version."""
    found: dict[str, bool] = {}
    todo: list[tuple[Any, tuple[str, ...]]] = [(frame.state, ())]
    while todo:
        state, lens = todo.pop()
        for field, (rule, _) in state.__lg_merges__.items():
            if rule == "custom":
                found[".".join((*lens, field))] = pair is not None and _same_function(pair, field)
        for attribute in state.__lg_substates__:
            todo.append((getattr(state, attribute), (*lens, attribute)))
    return found


def _same_function(pair: Unchanged, field: str) -> bool:
    """Whether the fields of that name are all merged as they were."""
    assert pair.new is not None
    return all(
        pair.old.elements.get(id, {}).get("merge") == element.get("merge")
        for id, element in pair.new.elements.items()
        if id.endswith(f"/field/{field}")
    )


def _keys(frame: Frame, node: plan.Parallel | plan.Subgraph | plan.Map) -> list[str | int]:
    match node:
        case plan.Parallel():
            return list(node.branches)
        case plan.Subgraph():
            return [""]
        case plan.Map():
            return list(range(len(frame.elements(node))))


def _left(node: plan.Parallel | plan.Subgraph | plan.Map, child: Frame) -> Sequence[Any]:
    """The mutations that a child gives to the outer state by `out`."""
    match node:
        case plan.Subgraph(lens=plan.InOut(leave=leave)):
            return evaluated(leave, child.state)  # type: ignore[no-any-return]
        case plan.Map(leave=leave):
            return evaluated(leave, child.state, child.item)  # type: ignore[no-any-return]
        case _:
            return ()
