"""The lockstep: a run's log is done again under its own version, and looked at with the new one step by step.

The old side is the real one: it does every record again (`machine.position.redo`). Before a step that counts
and that the change may concern, the frame is carried over to the new version, with its state and counters as
they are, and does the step there. So where all steps before agreed, the new side is what the new graph would
have made by itself; where one did not, it is set to the real state again, and the rest is still looked at.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress

from .. import plan
from ..errors import LgcError
from ..machine.completion import Completion
from ..machine.frame import Frame, choose
from ..machine.position import begin, from_snapshot, locate, redo, to_snapshot, unfold
from ..store.records import DecisionRecord, MutationRecord, RunRecord
from ..values.state import Transients
from ..values.typed_json import decode_checkpoint
from .absent import look_at_join, look_at_limit, node_there
from .carrying import Carrier, NoFrame, NoState, Pairs, differing
from .findings import At, Findings
from .history import History, Visit
from .joining import Joiner, joined
from .quick import mutations_of, settled
from .sites import Site, Sites
from .starting import Starter
from .stepping import Stepper, detail_of
from .wording import value_text


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
        self._starter = Starter(sites, pairs, findings, self._carrier, new)
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
        self._starter.run(run, self._sites.root, self.root)
        return self.root

    def follow(self, history: History) -> Frame:
        """Do all steps again, and look at those that count. Returns the position of the old side.

        Raises CheckpointCorrupted.
        """
        root = self.root
        assert root is not None
        for visit in history.visits:
            if visit.trail.counts and not self._findings.full:
                self._starter.before(root, visit.trail, visit.record.step)
            if not self._concerned(visit):
                redo(root, visit.record)
                continue
            self._both(root, visit)
        unfold(root)
        self.position = to_snapshot(root)
        for trail in history.open():
            if trail.counts and not self._findings.full:
                self._starter.open(root, trail)
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
            look_at_limit(self._findings, at, new)
            look_at_join(self._findings, at, old)
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
        if not node_there(self._findings, at):
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
                self._starter.frame(old, visit.site, key)
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


def _chosen(old: Frame, record: MutationRecord) -> bool:
    """Whether a step went where a node or a person said, not along an edge; `old` is just behind it."""
    if record.edge:
        return False
    try:
        edge = choose(old, record.node, record.outcome)
    except LgcError:
        return True
    return edge.target != record.next or edge.max_visits is not None


def _scripted(visit: Visit) -> bool:
    return bool(detail_of(visit.record).get("scripted"))
