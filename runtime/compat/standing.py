"""From two versions of one graph to what can be said of a run that stands at a node of it.

What speaks against a run is a reason; sets of reasons are bits of an int. For each node there are

* *sure* reasons: no run can stand there in the new version;
* *place* reasons: what a run that stands there may have come past, or stand at besides in another branch;
* *inside* reasons: what a run may have done, or stand at, within the node.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cached_property

from .. import plan
from ..changes.change import Change
from ..changes.compare import between
from ..changes.uses import Uses
from ..forms.version import Version
from ..migrating.counters import Ambiguous, Counters, arrows
from ..migrating.naming import Names
from ..migrating.place import Place
from ..migrating.values import Carrier
from .behind import come_past, ever_past
from .fitting import Fitting
from .flow import Flow, Region, branches_of
from .kinds import condition_of
from .noticeable import Noticeable, Scope, counted
from .numbered import Reasons
from .reach import gathered
from .values_fit import flaws
from .verdict import Reason


class Standing:
    """What is said of the nodes of one graph.

    Args:
        chain: the declared migrations that runs of this graph go through; then their history is not asked.
        below: the same for a pair of graphs that a node runs, given what ids inside begin with.
    """

    def __init__(
        self,
        old: Version,
        new: Version,
        reasons: Reasons,
        prefix: str,
        chain: Sequence[plan.Migration],
        below: Callable[[Version, Version, str], Standing],
    ) -> None:
        self.old, self.new, self.prefix, self.chain = old, new, prefix, chain
        self._reasons, self._below = reasons, below
        self.names = Names(chain)
        self.flow = Flow(old)
        self._fitting = Fitting(old, new)
        self._uses = Uses(old)
        self._checks = Place(old, new, self.names, Carrier(old, new, _never))
        self.changes: tuple[Change, ...] = between(old, new)
        self.value_sure, self.value_maybe = self._values()
        self._step_bits: dict[str, int] = {}  # by element: noticed by a step
        self._entry_bits: dict[str, int] = {}  # by node: noticed by who is inside, too
        self._data_bits: dict[str, int] = {}  # by element of data, before uses are followed
        self.everywhere = self.joins = self.fresh = 0
        self._sort_changes()
        self.sure: dict[str, int] = {}
        self.place: dict[str, int] = {}
        self.inside: dict[str, int] = {}
        self.held: dict[str, int] = {}  # by region: why no run can stand in it
        self._step: dict[str, int] = {}
        self._loose: dict[str, int] = {}
        for region in reversed(self._regions):
            for node in region.nodes:
                self._look_at(node, region)
        for region in self._regions:
            self._look_behind(region)

    # --- what changed ---------------------------------------------------------------------------------------

    def _values(self) -> tuple[int, int]:
        sure = maybe = 0
        for flaw in flaws(self.old, self.new, self._fitting, self.chain):
            bit = self._bit(flaw.kind, flaw.element, flaw.text)
            sure, maybe = (sure | bit, maybe) if flaw.sure else (sure, maybe | bit)
        return sure, maybe

    def _sort_changes(self) -> None:
        noticeable = Noticeable(self.old, self.new, self._fitting)
        for change in self.changes:
            scope = noticeable.scope(change)
            if scope is Scope.NOBODY:
                continue
            node = change.element.partition("/")[2] if change.element.startswith("node/") else ""
            bit = self._bit("changed-behind", change.element, f"{change.text}, and it may have noticed", node)
            match scope:
                case Scope.DATA:
                    _put(self._data_bits, change.element, bit)
                case Scope.ENTRY:
                    _put(self._entry_bits, node, bit)
                case Scope.JOIN:
                    self.joins |= bit
                case Scope.FRESH:
                    self.fresh |= bit
                case Scope.ALL:
                    self.everywhere |= bit
                case _:
                    _put(self._step_bits, change.element, bit)

    @cached_property
    def _data(self) -> Mapping[str, int]:
        """By element: the changes of data that it mentions, directly or through what it mentions."""
        if not self._data_bits:
            return {}
        ids = [id_ for id_ in self.old.elements if id_.partition("/")[0] not in ("node", "edges", "graph")]
        number = {id_: at for at, id_ in enumerate(ids)}
        succ = [[number[one] for one in self._uses.of(id_) if one in number] for id_ in ids]
        held = gathered(succ, [self._data_bits.get(id_, 0) for id_ in ids])
        return {id_: bits for id_, bits in zip(ids, held, strict=True) if bits}

    def _mentioned(self, id: str) -> int:
        bits = 0
        if data := self._data:
            for one in self._uses.of(id):
                bits |= data.get(one, 0)
        return bits

    def _bit(self, kind: str, element: str, text: str, node: str = "") -> int:
        place = self.new.places.get(element, "")
        found = Reason(kind, condition_of(kind), self.prefix + element, text, node, None, place)
        return self._reasons.bit(found)

    # --- one node -------------------------------------------------------------------------------------------

    @cached_property
    def _regions(self) -> Sequence[Region]:
        """Outer regions first."""
        found = [self.flow.regions[""]]
        for region in found:
            found.extend(self.flow.regions[id_] for name in region.nodes for id_ in self._branches(name))
        return found

    def _branches(self, node: str) -> Iterable[str]:
        return (f"{node}/{branch}" for branch in branches_of(self.old.elements[f"node/{node}"]))

    def _look_at(self, node: str, region: Region) -> None:
        """A node and all that is inside, without what lies before it."""
        element = self.old.elements[f"node/{node}"]
        cursor = self.names.cursor(node)
        troubles = self._checks.troubles(node, cursor.node, cursor.moved, self.names.region(region.id), ())
        sure = 0
        for trouble in troubles:
            sure |= self._bit(trouble.kind, f"node/{node}", trouble.text, node)
        entry = self._entry_bits.get(node, 0)
        step = self._step_bits.get(f"node/{node}", 0) | self._step_bits.get(f"edges/{node}", 0)
        step |= self._mentioned(f"node/{node}") | self._mentioned(f"edges/{node}") | entry | self.everywhere
        loose = self._uncertain_counts(node) | (
            self._mentioned(f"node/{node}") if region.id or self.prefix else 0
        )
        inside = 0
        match element.get("kind"):
            case "parallel":
                step |= self.joins
                missing = self._missing(node, cursor.node)
                for id_ in self._branches(node):
                    step |= self._whole(id_)
                    loose |= self._ever(id_)
                    inside |= self._whole(id_) | self._within(id_) | missing.get(id_, 0)
            case "subgraph" | "map":
                entry |= self._mentioned(f"node/{node}")
                step |= self.joins if element.get("kind") == "map" else 0
                inner, now = self.old.run_by(node), self.new.run_by(cursor.node)
                if inner is not None and now is not None:
                    below = self.below(node, inner, now)
                    step |= below.noticed
                    if region.id or self.prefix:  # what it recorded is kept for the join
                        loose |= below.noticed
                    inside |= below.noticed | below.standing | below.value_sure | below.value_maybe
            case _:
                pass
        moved_away = cursor.moved
        self.sure[node] = sure
        self._step[node] = 0 if self.chain else step
        self._loose[node] = loose
        self._entry_bits[node] = 0 if self.chain else entry
        self.inside[node] = 0 if moved_away else inside | self._entry_bits[node]

    def below(self, node: str, old: Version, new: Version) -> Standing:
        """What is said of the graph that a node runs."""
        label = str(self.new.elements[f"node/{self.names.cursor(node).node}"].get("graph", ""))
        return self._below(old, new, f"{self.prefix}subgraph/{label}/")

    def inside_of(self, node: str) -> int:
        """What a run that stands within a node may have noticed of how it was entered."""
        return self._entry_bits[node]

    def _missing(self, node: str, now: str) -> dict[str, int]:
        """By branch: that it is not there any more, though nobody may stand at a node of it."""
        there = self.new.node(now)
        if there is None or there.get("kind") != "parallel":
            return {}
        gone = dict.fromkeys(branches_of(self.old.elements[f"node/{node}"]))
        for branch in branches_of(there):
            gone.pop(branch, None)
        return {
            f"{node}/{branch}": self._bit(
                "branch-gone", f"node/{node}", f"branch `{branch}` of `{now}` is not there", node
            )
            for branch in gone
        }

    def _uncertain_counts(self, node: str) -> int:
        """That counters of edges may have no place, however long ago they were counted."""
        edges = f"edges/{node}"
        if self.old.texts.get(edges) == self.new.texts.get(f"edges/{self.names.node(node)}"):
            return 0
        bits = 0
        now = self.new.elements.get(f"edges/{self.names.node(node)}", {})
        if not self.chain and counted(now) - counted(self.old.elements.get(edges, {})):
            bits |= self._step_bits.get(edges, 0)  # passes that nobody counted
        for key in self._counted.get(node, ()):
            try:
                self._counters.taken({key: 1})
            except Ambiguous as error:
                which = " or ".join(f"`{one}`" for one in error.candidates)
                text = f"how often `{key}` was taken could be the count of {which}"
                bits |= self._bit("counter-ambiguous", edges, text, node)
        return bits

    @cached_property
    def _counters(self) -> Counters:
        return Counters(self.old, self.new, self.names)

    @cached_property
    def _counted(self) -> Mapping[str, Sequence[str]]:
        found: dict[str, list[str]] = {}
        limited = {
            id_.removeprefix("edges/")
            for id_, group in self.old.elements.items()
            if id_.startswith("edges/") and counted(group)
        }
        if limited:
            for arrow in arrows(self.old):
                if arrow.source in limited:
                    found.setdefault(arrow.source, []).append(arrow.key)
        return found

    # --- regions --------------------------------------------------------------------------------------------

    def _begin(self, region: str) -> int:
        start = self.flow.regions[region].start
        return 0 if self.chain else self._step_bits.get(start, 0) | self._mentioned(start)

    def _whole(self, region: str) -> int:
        """What a run that came through a region may have noticed."""
        bits = self._begin(region)
        for node in self.flow.regions[region].nodes:
            bits |= self._step[node]
        return bits

    def _ever(self, region: str) -> int:
        bits = 0
        for node in self.flow.regions[region].nodes:
            bits |= self._loose[node]
        return bits

    def _within(self, region: str) -> int:
        """What a run may meet that stands anywhere in a region."""
        bits = self._ever(region)
        for node in self.flow.regions[region].nodes:
            bits |= self.sure[node] | self.inside[node]
        return bits

    def _region_of(self, node: str) -> str:
        return str(self.old.elements[f"node/{node}"].get("region", ""))

    def surely(self, node: str) -> int:
        """Why no run can stand at a node, or in what holds it."""
        return self.sure[node] | self.held[self._region_of(node)]

    @property
    def noticed(self) -> int:
        """What a run that came through the graph may have noticed."""
        return self._whole("") | (0 if self.chain else self.fresh)

    @property
    def standing(self) -> int:
        """What a run may meet that stands anywhere in the graph."""
        return self._within("")

    def _look_behind(self, region: Region) -> None:
        outer, _, branch = region.id.partition("/")
        base = self._begin(region.id)
        self.held[region.id] = self.held[self._region_of(outer)] | self.sure[outer] if region.id else 0
        if region.id:
            base |= self.place[outer] | self._entry_bits[outer] | self._beside(outer)[branch]
        past = come_past(region, [self._step[node] for node in region.nodes], base)
        ever = ever_past(region, [self._loose[node] for node in region.nodes], 0)
        for at, node in enumerate(region.nodes):
            self.place[node] = past[at] | ever[at]

    @cached_property
    def _all_besides(self) -> dict[str, Mapping[str, int]]:
        return {}

    def _beside(self, parallel: str) -> Mapping[str, int]:
        """For each branch what the others may have noticed, or stand at."""
        found = self._all_besides.get(parallel)
        if found is None:
            ids = [*self._branches(parallel)]
            missing = self._missing(parallel, self.names.node(parallel))
            each = [self._whole(id_) | self._within(id_) | missing.get(id_, 0) for id_ in ids]
            before, after = [0], [0]
            for bits in each:
                before.append(before[-1] | bits)
            for bits in reversed(each):
                after.append(after[-1] | bits)
            names = [id_.partition("/")[2] for id_ in ids]
            others = (before[at] | after[len(each) - at - 1] for at in range(len(each)))
            found = self._all_besides[parallel] = dict(zip(names, others, strict=True))
        return found


def _put(held: dict[str, int], key: str, bit: int) -> None:
    held[key] = held.get(key, 0) | bit


def _never(data: object, old: str, new: str) -> object:
    raise AssertionError("no value is carried to judge a graph")
