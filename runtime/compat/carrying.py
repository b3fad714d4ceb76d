"""From a frame of the old side, as the log made it, to the frame that the new graph would have there.

Only what a step needs is made: the frame with its counters and its state, those around it with their
counters. States go through their stored JSON: what they hold belongs to the new types, or there is a reason.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

from ..errors import LgcError
from ..forms.version import Version
from ..graph import Graph
from ..machine.frame import Effect, Frame
from ..machine.merging import inside
from ..migrating.data import Refused
from ..plan import Map, Parallel, Subgraph
from ..values.state import Transients, class_of
from ..values.typed_json import decode_checkpoint, decode_field, encode_field, encode_mutations, encode_state
from .recorded import read_mutations
from .sites import Site
from .unchanged import Unchanged


class NoFrame(Exception):
    """The new graph has no such frame: what leads to it is not there."""


class NoState(Exception):
    """A state of the old graph is none of the new one; `text` says why, `element` is the field's."""

    def __init__(self, element: str, text: str) -> None:
        super().__init__(text)
        self.element = element
        self.text = text


class Carrier:
    """Carries frames from the old version to the new one.

    `passes` holds, by the path of a frame, how often the new graph has come along the edges that it counts in
    another way than the old one; as in frames, a branch holds what was added since its fork.
    """

    def __init__(self, new: Version, pairs: Pairs) -> None:
        self._new = new
        self._pairs = pairs
        self.passes: dict[str, dict[str, int]] = {}

    def frame(self, old: Frame, site: Site) -> Frame:
        """The new frame with its state. Raises NoFrame, NoState."""
        made = self._bare(old, site)
        made.state = self.state(old.state, site, made.plan.state)
        return made

    def _bare(self, old: Frame, site: Site) -> Frame:
        """A new frame without a state. Raises NoFrame."""
        if site.new is None:
            raise NoFrame
        outer, made = old.parent, None
        if outer is None or site.outer is None:
            made = Frame(self._new.graph, None, since=old.since)
        else:
            around = self._bare(outer, site.outer)
            made = below(around, old.key)
        made.node, made.since = old.node, old.since
        made.counts, made.done = dict(old.counts), old.done
        made.taken = self._taken(old, site)
        return made

    def child(self, around: Frame, old: Frame, site: Site) -> Frame:
        """The new frame below another, with its state and what it keeps for the join.

        Raises NoFrame, NoState.
        """
        if site.new is None:
            raise NoFrame
        made = below(around, old.key)
        made.node, made.since = old.node, old.since
        made.counts, made.done = dict(old.counts), old.done
        made.taken = self._taken(old, site)
        made.state = self.state(old.state, site, made.plan.state)
        if old.effects is not None and made.effects is not None:
            made.effects = [self._effect(old, made, effect, site) for effect in old.effects]
        return made

    def state(self, old: Any, site: Site, kind: Any) -> Any:
        """The state as one of the new class. Raises NoState."""
        return self.decoded(encode_state(old), site, kind)

    def decoded(self, text: str, site: Site, kind: Any) -> Any:
        """A stored state of the old version as one of the new class. Raises NoState."""
        pair = self._pairs.of(site)
        if not pair.fits:
            try:
                text = json.dumps(pair.states.carry(json.loads(text)), ensure_ascii=False)
            except Refused as refused:
                flaw = refused.flaws[0]
                raise NoState(flaw.element, flaw.text) from None
        try:
            return kind.restore(decode_checkpoint(kind, text), Transients(blank=True))
        except LgcError as error:
            raise NoState("graph", error.message) from None

    def _effect(self, old: Frame, made: Frame, effect: Effect, site: Site) -> Effect:
        """What a frame keeps for the join. Raises NoState."""
        try:
            if effect.applied is not None:
                after = class_of(inside(made.state, effect.lens))
                (item,) = json.loads(encode_mutations([effect.applied]))
                return Effect(effect.lens, read_mutations(after, [item])[0])
            holder = class_of(inside(old.state, effect.lens))
            data = encode_field(holder, effect.field, effect.value)
            after = class_of(inside(made.state, effect.lens))
            return Effect(effect.lens, None, effect.field, decode_field(after, effect.field, data))
        except (LgcError, AttributeError, KeyError) as error:
            text = error.message if isinstance(error, LgcError) else str(error)
            raise NoState(
                f"node/{site.node}", f"what a branch keeps for the join does not fit: {text}"
            ) from None

    def _taken(self, old: Frame, site: Site) -> dict[str, int]:
        """How often edges were taken: as it was, or as the new graph would have counted where it differs."""
        pair = self._pairs.of(site)
        found: dict[str, int] = {}
        frame: Frame | None = old
        while frame is not None:
            for key, count in frame.taken.items():
                found.setdefault(key, count)
            frame = frame.base
        if pair.counted:
            found = {key: n for key, n in found.items() if key.partition("->")[0] not in pair.counted_names}
            found.update(self.passed(site))
        return found

    def passed(self, site: Site) -> dict[str, int]:
        """How often the new graph has come along edges that it counts in another way, as a frame sees it."""
        chain = [site]
        while chain[-1].region and chain[-1].outer is not None:
            chain.append(chain[-1].outer)
        found: dict[str, int] = {}
        for one in reversed(chain):
            found.update(self.passes.get(one.path, {}))
        return found

    def count(self, site: Site, key: str) -> None:
        """One more pass along such an edge."""
        self.passes.setdefault(site.path, {})[key] = self.passed(site).get(key, 0) + 1

    def leave(self, site: Site, node: str, children: Iterable[Site]) -> None:
        """A node was joined: what its branches have counted counts for its frame, the rest is over."""
        for child in children:
            if child.region and (counts := self.passes.get(child.path)):
                self.passes.setdefault(site.path, {}).update(counts)
        where = site.where(node)
        for path in [
            path for path in self.passes if path == where or path.startswith((f"{where}/", f"{where}["))
        ]:
            del self.passes[path]


class Pairs:
    """What is unchanged between the versions of each graph that a run goes through, made once for each."""

    def __init__(self) -> None:
        self._made: dict[tuple[str, str], Unchanged] = {}

    def of(self, site: Site) -> Unchanged:
        """Of the graph that a frame runs."""
        new = site.new if site.new is not None else site.own.new
        key = (site.old.hash, "" if new is None else new.hash)
        found = self._made.get(key)
        if found is None:
            found = self._made[key] = Unchanged(site.old, new)
        return found


def below(around: Frame, key: str | int) -> Frame:
    """An empty frame below the present node of another. Raises NoFrame."""
    node = around.plan.nodes.get(around.node)
    path = f"{around.path}/{around.node}" if around.path else around.node
    visit = around.visits(around.node) + 1
    match node:
        case Parallel() if str(key) in node.branches:
            return Frame(
                around.graph, None, path=f"{path}/{key}", visit=visit, key=key,
                region=node.branches[str(key)], parent=around, branch=True, limit=around.limit,
            )  # fmt: skip
        case Subgraph():
            graph: Graph[Any] = around.graph.subgraphs[node.graph.name]
            return Frame(graph, None, path=path, visit=visit, parent=around, limit=node.max_steps)
        case Map() if isinstance(key, int):
            graph = around.graph.subgraphs[node.graph.name]
            return Frame(
                graph, None, path=f"{path}[{key}]", visit=visit, key=key, parent=around, limit=node.max_steps
            )
        case _:
            raise NoFrame


def differing(left: Any, right: Any) -> tuple[str, Any, Any] | None:
    """The first field in which two states of one class differ, with both values as JSON; None: none does."""
    one, other = encode_state(left), encode_state(right)
    if one == other:
        return None
    before: Mapping[str, Any] = json.loads(one)
    after: Mapping[str, Any] = json.loads(other)
    for name, value in before.items():
        if json.dumps(value) != json.dumps(after.get(name)):
            return name, value, after.get(name)
    return None
