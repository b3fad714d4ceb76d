"""The lockstep: a run's log is done again under its own version, and looked at with the new one step by step.

The old side is the real one: it does every record again (`machine.position.redo`). Before a step that counts
and that the change may concern, the frame is carried over to the new version, with its state and counters as
they are, and does the step there. So where all steps before agreed, the new side is what the new graph would
have made by itself; where one did not, it is set to the real state again, and the rest is still looked at.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from .. import plan
from ..errors import LgcError
from ..machine.completion import Completion
from ..machine.frame import Frame, choose
from ..machine.position import begin, from_snapshot, locate, redo, to_snapshot, unfold
from ..store.records import DecisionRecord, MutationRecord, RunRecord
from ..values.state import Transients, broken_constraint
from ..values.typed_json import decode_checkpoint
from .carrying import Carrier, NoFrame, NoState, Pairs, differing
from .findings import At, Findings
from .history import History, Trail, Visit
from .joining import Joiner, joined
from .quick import mutations_of, settled
from .sites import Site, Sites
from .stepping import Stepper, detail_of
from .wording import place_of_edge, routed_text, target_text, value_text


class Replaying:
    """Does the log of one run again.

    Attributes:
        root: the position of the old side; `position`: at the end, as a snapshot.
        passes: see `Carrier.passes`.
    """

    def __init__(
        self,
        sites: Sites,
        pairs: Pairs,
        findings: Findings,
        decisions: Mapping[int, DecisionRecord],
    ) -> None:
        new = sites.root.new
        assert new is not None
        self._old, self._new = sites.root.old, new
        self._sites = sites
        self._pairs = pairs
        self._findings = findings
        self._carrier = Carrier(new, pairs)
        self._stepper = Stepper(findings, decisions)
        self._joiner = Joiner(findings, self._stepper)
        self._started: set[Trail] = set()
        self.passes = self._carrier.passes
        self.root: Frame | None = None
        self.position = ""

    # --- the run ------------------------------------------------------------------------------------------

    def begin(self, run: RunRecord, snapshot: str | None) -> Frame:
        """Put the old side where the log begins: at a snapshot, or at the start with the run's input.

        Raises CheckpointCorrupted, SerializationError.
        """
        blank = Transients(dict.fromkeys(self._old.graph.plan.state.__lg_transients__), blank=True)
        if snapshot is not None:
            self.root = from_snapshot(self._old.graph, snapshot, blank)
            return self.root
        kind = self._old.graph.plan.state
        state = kind.restore(decode_checkpoint(kind, run.input), blank)
        self.root = begin(self._old.graph, state, run.created)
        return self.root

    def look_at_start(self, run: RunRecord, site: Site) -> None:
        """Whether the new graph would have begun where the run did."""
        pair = self._pairs.of(site)
        if (pair.start("") and pair.fits) or self.root is None:
            return
        at: At = (site, "", 0)
        graph = self._new.graph
        try:
            state = self._carrier.decoded(run.input, site, graph.plan.state)
        except NoState as error:
            self._findings.add("input-refused", at, error.element, f"the input of the run: {error.text}")
            return
        if (broken := broken_constraint(state)) is not None:
            self._findings.add("input-refused", at, "graph", f"the input of the run: {broken}")
            return
        new = Frame(graph, state, since=run.created)
        self._started_at(at, new, self.root, "")

    def follow(self, history: History) -> Frame:
        """Do all steps again, and look at those that count. Returns the position of the old side.

        Raises CheckpointCorrupted.
        """
        root = self.root
        assert root is not None
        for visit in history.visits:
            if visit.trail.counts and not self._findings.full:
                self._starts(root, visit.trail)
            if not self._concerned(visit):
                redo(root, visit.record)
                continue
            self._both(root, visit)
        unfold(root)
        self.position = to_snapshot(root)
        for trail in history.open():
            if trail.counts and not self._findings.full:
                self._open(root, trail)
        return root

    # --- which steps are looked at ------------------------------------------------------------------------

    def _concerned(self, visit: Visit) -> bool:
        """Whether a step is to be done on the new side."""
        pair = self._pairs.of(visit.site)
        if visit.site.new is None:
            return visit.counts
        if visit.record.node in pair.counted_names or (visit.inside and self.passes):
            return True
        return visit.counts and not self._findings.full and not settled(visit, self._pairs)

    # --- starts -------------------------------------------------------------------------------------------

    def _starts(self, root: Frame, trail: Trail) -> None:
        """Look at how the frames that a step is in have begun, where this is the first step in them."""
        chain: list[Trail] = []
        at = trail
        while at.outer is not None and at not in self._started:
            chain.append(at)
            at = at.outer
        for one in reversed(chain):
            self._started.add(one)
            if one.known and one.site.outer is not None:
                around = locate(root, one.site.outer.path)
                if around.node == one.site.node:
                    self._start(around, one.site.outer, one.site.key)

    def _start(self, around: Frame, site: Site, key: str | int) -> None:
        """Look at how the frame below a node has begun. It stands where it began."""
        old = around.child(key)
        outer = self._pairs.of(site)
        element = outer.element(f"node/{around.node}")
        at: At = (site, around.node, None)
        below = self._sites.child(site, around.node, key)
        if below.new is None:
            return  # said where the node is looked at, or where the run is parked
        if element and (outer if below.region else self._pairs.of(below)).begins(below.region):
            return
        try:
            new = self._carrier.frame(around, site)
            made = new.child(key)
        except NoFrame:
            return
        except NoState as error:
            self._findings.add("state-misfit", at, error.element, error.text)
            return
        except IndexError:
            text = f"`{around.node}` runs over other elements now"
            self._findings.add("elements-differ", at, f"node/{around.node}", text)
            return
        except LgcError as error:
            text = f"`{around.node}` could not have begun: {error.message}"
            self._findings.add("started-otherwise", at, f"node/{around.node}", text)
            return
        self._began(at, below, made, old)

    def _began(self, at: At, below: Site, made: Frame, old: Frame) -> None:
        try:
            real = self._carrier.state(old.state, below, made.plan.state)
        except NoState as error:
            self._findings.add("state-misfit", at, error.element, error.text)
            return
        if (unlike := differing(made.state, real)) is not None:
            field, now, before = unlike
            text = (
                f"`{below.node}` would have begun with `{field}` = {value_text(now)}, and began with"
                f" {value_text(before)}"
            )
            self._findings.add("started-otherwise", at, f"node/{below.node}", text)
        if made.node != old.node:
            self._says_start(at, below.region, below, made.plan, old, made.node)

    def _started_at(self, at: At, new: Frame, old: Frame, region: str) -> None:
        """Start a frame of the new graph, and compare where it goes."""
        try:
            new.start()
        except LgcError as error:
            self._says_start(at, region, at[0], new.plan, old, None, error.message)
            return
        if new.node != old.node:
            self._says_start(at, region, at[0], new.plan, old, new.node)

    def _says_start(
        self,
        at: At,
        region: str,
        site: Site,
        new: plan.Graph[Any],
        old: Frame,
        goes: str | None,
        why: str = "",
    ) -> None:
        source = f"{plan.START}:{region}" if region else plan.START
        _, key = routed_text(old.plan, new, source, "ok", 0, old.node, goes)
        what = f"branch `{region.partition('/')[2]}`" if region else f"`{old.plan.name}`"
        then = f"would begin at {target_text(goes)}" if goes is not None else f"could not begin: {why}"
        text = f"{what} began at {target_text(old.node)}, and {then} in the new graph"
        element = f"edges/{region}/{plan.START}" if region else f"edges/{plan.START}"
        place = "" if site.new is None else place_of_edge(site.new, new, source, key)
        self._findings.add(
            "started-elsewhere", (site, at[1] if site is at[0] else "", at[2]), element, text, place
        )

    # --- steps --------------------------------------------------------------------------------------------

    def _both(self, root: Frame, visit: Visit) -> None:
        """Do a step on both sides, and compare."""
        record, site = visit.record, visit.site
        try:
            old = locate(root, record.frame)
        except (KeyError, LgcError):
            redo(root, record)  # which says what is wrong
            raise AssertionError("a record fits a position that has no frame for it") from None
        at: At = (site, record.node, record.step)
        looked = visit.counts and not self._findings.full
        new = self._new_side(at, visit, old) if looked else None
        done: Completion | None = None
        if new is not None:
            self._look_at_limit(at, new)
            self._look_at_join(at, old)
            done = self._do(visit, old, new)
        redo(root, record)
        if new is not None and done is not None and not self._same_state(at, visit, old, new):
            done = None
        self._count(visit, old, done)

    def _new_side(self, at: At, visit: Visit, old: Frame) -> Frame | None:
        """The frame of the new graph before a step; None, and a reason, where there is none."""
        site, node, step = at
        if old.node != node:
            return None
        if site.new is None:
            self._missing(at)
            return None
        before, after = site.old.node(node), site.new.node(node)
        if after is None:
            text = f"`{node}` is not there any more, and step {step} was done at it"
            self._findings.add("visited-node-gone", at, f"node/{node}", text, "")
            return None
        if before is not None and before.get("kind") != after.get("kind"):
            text = f"`{node}` is a {after.get('kind')} now, and was a {before.get('kind')} at step {step}"
            self._findings.add("visited-kind-changed", at, f"node/{node}", text)
            return None
        if after.get("region", "") != site.region:
            text = f"`{node}` is in {_region_text(after.get('region', ''))} now, and step {step} was done in"
            text += f" {_region_text(site.region)}"
            self._findings.add("visited-region-changed", at, f"node/{node}", text)
            return None
        try:
            new = self._carrier.frame(old, site)
            self._children(visit, old, new)
        except NoFrame:
            return None
        except NoState as error:
            text = f"before step {step}: {error.text}"
            self._findings.add("state-misfit", at, error.element, text)
            return None
        except LgcError as error:
            text = f"`{node}` could not have begun: {error.message}"
            self._findings.add("started-otherwise", at, f"node/{node}", text)
            return None
        return new

    def _children(self, visit: Visit, old: Frame, new: Frame) -> None:
        """The new frames below a node that is about to be joined. Raises NoState, LgcError."""
        node = new.plan.nodes[visit.record.node]
        if not isinstance(node, (plan.Parallel, plan.Subgraph, plan.Map)) or _scripted(visit):
            return
        won = detail_of(visit.record).get("won", ())
        for key in won:
            old.child(key)
        for key in won:
            path = self._sites.child(visit.site, node.name, key).path
            if path not in visit.inside:
                self._start(old, visit.site, key)
        for key, child in old.children.items():
            below = self._sites.child(visit.site, node.name, key)
            if below.new is None:
                continue
            try:
                made = self._carrier.child(new, child, below)
            except (NoState, NoFrame):
                if key in won:
                    raise
                continue
            if isinstance(node, plan.Map) and isinstance(key, int) and key < len(new.elements(node)):
                made.item = new.elements(node)[key]
            new.children[key] = made

    def _do(self, visit: Visit, old: Frame, new: Frame) -> Completion | None:
        node = new.plan.nodes[visit.record.node]
        if isinstance(node, (plan.Parallel, plan.Subgraph, plan.Map)) and not _scripted(visit):
            pair = self._pairs.of(visit.site)
            return self._joiner.join(visit, new, joined(visit, old), pair, old.plan)
        return self._stepper.step(visit, new, old.plan)

    def _missing(self, at: At) -> None:
        """A step was done in a frame that the new graph has not: say which node leads to it no more."""
        site, _, step = at
        while site.outer is not None and site.outer.new is None:
            site = site.outer
        outer = site.outer
        if outer is None or outer.new is None:
            return
        where: At = (outer, site.node, step)
        before, after = outer.old.node(site.node) or {}, outer.new.node(site.node)
        if after is None:
            text = f"`{site.node}` is not there any more, and step {step} was done inside it"
            self._findings.add("visited-node-gone", where, f"node/{site.node}", text, "")
        elif before.get("kind") != after.get("kind"):
            text = f"`{site.node}` is a {after.get('kind')} now, and step {step} was done inside it"
            self._findings.add("visited-kind-changed", where, f"node/{site.node}", text)
        elif before.get("region", "") != after.get("region", ""):
            text = f"`{site.node}` is in {_region_text(after.get('region', ''))} now, and was in"
            text += f" {_region_text(before.get('region', ''))} at step {step}"
            self._findings.add("visited-region-changed", where, f"node/{site.node}", text)
        else:
            text = f"`{site.node}` no longer has branch `{site.key}`, where step {step} was done"
            self._findings.add("join-differs", where, f"node/{site.node}", text)

    def _look_at_limit(self, at: At, new: Frame) -> None:
        site, node, step = at
        if new.steps() < new.limit:
            return
        own = site.own
        outer = own.outer
        by_node = outer is not None and "max_steps" in ((outer.new and outer.new.node(own.node)) or {})
        where: At = (outer, own.node, step) if outer is not None and by_node else (site, node, step)
        element = f"node/{own.node}" if by_node else "graph"
        text = (
            f"`{new.plan.name}` may make {new.limit} steps now, and had made {new.steps()} before step {step}"
        )
        self._findings.add("steps-exceeded", where, element, text)

    def _look_at_join(self, at: At, old: Frame) -> None:
        """A branch went on where the new graph would have joined already."""
        site, _, step = at
        around, outer = old.parent, site.outer
        if not site.region or around is None or outer is None or outer.new is None:
            return
        before, after = (version.node(site.node) or {} for version in (outer.old, outer.new))
        ended = sum(child.node == plan.END for child in around.children.values())
        if needed(after) < needed(before) and ended >= needed(after):
            text = f"`{site.node}` joins {needed(after)} of its branches now: it would have ended before"
            text += f" step {step}"
            self._findings.add("join-differs", (outer, site.node, step), f"node/{site.node}", text)

    def _same_state(self, at: At, visit: Visit, old: Frame, new: Frame) -> bool:
        """Whether a step has left the state that the new graph would have left."""
        site, _, step = at
        try:
            real = self._carrier.state(old.state, site, new.plan.state)
        except NoState as error:
            self._findings.add("state-misfit", at, error.element, f"after step {step}: {error.text}")
            return False
        unlike = differing(new.state, real)
        if unlike is None:
            return True
        field, now, was = unlike
        element, why = self._changed_by(visit, field)
        text = f"{why}after step {step} `{field}` would be {value_text(now)}, and is {value_text(was)}"
        self._findings.add("state-differs", at, element, text)
        return False

    def _changed_by(self, visit: Visit, field: str) -> tuple[str, str]:
        """What made another state of a step, and how to begin the sentence."""
        pair = self._pairs.of(visit.site)
        for name in mutations_of(visit):
            if not pair.mutation(name):
                return f"state/mutation/{name}", f"`{name}` does something else now: "
        if not pair.element(f"state/field/{field}"):
            return f"state/field/{field}", f"`{field}` has changed: "
        return f"node/{visit.record.node}", f"`{visit.record.node}` does something else now: "

    # --- counters -----------------------------------------------------------------------------------------

    def _count(self, visit: Visit, old: Frame, done: Completion | None) -> None:
        """Count the pass along an edge that the new graph counts in another way."""
        site, record = visit.site, visit.record
        if self.passes:
            self._carrier.leave(site, record.node, [trail.site for trail in visit.inside.values()])
        pair = self._pairs.of(site)
        if record.node not in pair.counted_names or site.new is None or _chosen(old, record):
            return
        key = done.edge if done is not None and done.next == record.next else self._passed(site, record, old)
        if key:
            self._carrier.count(site, key)

    def _passed(self, site: Site, record: MutationRecord, old: Frame) -> str:
        """The counted edge of the new graph that a run went along; "" for none."""
        try:
            new = self._carrier.frame(old, site)
        except (NoFrame, NoState):
            return ""
        with suppress(LgcError):
            edge = choose(new, record.node, record.outcome)
            if edge.target == record.next:
                return edge.key if edge.max_visits is not None else ""
        graph = new.plan
        route = graph.routes.get(record.node)
        edges = () if route is None else route.on.get(record.outcome, route.edges)
        fitting = (one.key for one in edges if one.target == record.next and one.max_visits is not None)
        return next(fitting, "")

    # --- where it stands ----------------------------------------------------------------------------------

    def _open(self, root: Frame, trail: Trail) -> None:
        """Look at the frames below an open frame that no step has been made in."""
        site = trail.site
        try:
            frame = locate(root, site.path)
        except KeyError:
            return
        node = frame.plan.nodes.get(frame.node)
        if not isinstance(node, (plan.Parallel, plan.Subgraph, plan.Map)) or site.new is None:
            return
        for key in list(frame.children):
            try:
                below = self._sites.child(site, frame.node, key)
            except KeyError:
                continue
            there = trail.below.get(below.path)
            if there is None or (there.known and not there.visits and there not in self._started):
                self._start(frame, site, key)
        if isinstance(node, plan.Map) and not self._pairs.of(site).element(f"node/{frame.node}"):
            self._elements(frame, site, node)

    def _elements(self, old: Frame, site: Site, node: plan.Map) -> None:
        at: At = (site, node.name, None)
        try:
            new = self._carrier.frame(old, site)
            there = new.plan.nodes.get(node.name)
            if not isinstance(there, plan.Map) or len(new.elements(there)) == len(old.elements(node)):
                return
            text = f"`{node.name}` would run over {len(new.elements(there))} elements,"
            text += f" not {len(old.elements(node))}"
        except (NoFrame, NoState):
            return
        except LgcError as error:
            text = f"what `{node.name}` runs over cannot be worked out: {error.message}"
        self._findings.add("elements-differ", at, f"node/{node.name}", text)


def _chosen(old: Frame, record: MutationRecord) -> bool:
    """Whether a step went where a node or a person said, not along an edge; `old` is just behind it."""
    if record.edge:
        return False
    try:
        edge = choose(old, record.node, record.outcome)
    except LgcError:
        return True
    return edge.target != record.next or edge.max_visits is not None


def needed(element: Mapping[str, Any]) -> int:
    """How many branches a join waits for."""
    match element.get("join"):
        case "any":
            return 1
        case "first":
            return int(element.get("count", 1))
        case _:
            return len(element.get("branches", ()))


def _scripted(visit: Visit) -> bool:
    return bool(detail_of(visit.record).get("scripted"))


def _region_text(region: str) -> str:
    parallel, slash, branch = region.partition("/")
    return f"branch `{branch}` of `{parallel}`" if slash else "no branch"
