"""From how frames have begun to whether the new graph would have begun them so."""

from __future__ import annotations

from typing import Any

from .. import plan
from ..errors import LgcError
from ..forms.version import Version
from ..machine.frame import Frame
from ..machine.position import locate
from ..store.records import RunRecord
from ..values.state import broken_constraint
from .absent import frame_missing
from .carrying import Carrier, NoFrame, NoState, Pairs, differing
from .findings import At, Findings
from .history import Trail
from .sites import Site, Sites
from .wording import place_of_edge, routed_text, target_text, value_text


class Starter:
    """Looks at starts: of the run, and of the frames below its nodes, each once."""

    def __init__(
        self, sites: Sites, pairs: Pairs, findings: Findings, carrier: Carrier, new: Version
    ) -> None:
        self._sites = sites
        self._pairs = pairs
        self._findings = findings
        self._carrier = carrier
        self._new = new
        self._started: set[Trail] = set()

    def run(self, run: RunRecord, site: Site, root: Frame) -> None:
        """Whether the new graph would have begun where the run did."""
        pair = self._pairs.of(site)
        if pair.start("") and pair.fits:
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
        self._started_at(at, new, root, "")

    def before(self, root: Frame, trail: Trail, step: int) -> None:
        """Look at how the frames that a step is in have begun, where this is the first step in them."""
        chain: list[Trail] = []
        at = trail
        while at.outer is not None and at not in self._started:
            chain.append(at)
            at = at.outer
        for one in reversed(chain):
            self._started.add(one)
            if one.site.new is None:
                frame_missing(self._findings, (one.site, "", step))
            if one.known and one.site.outer is not None:
                around = locate(root, one.site.outer.path)
                if around.node == one.site.node:
                    self.frame(around, one.site.outer, one.site.key)

    def frame(self, around: Frame, site: Site, key: str | int) -> None:
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

    def open(self, root: Frame, trail: Trail) -> None:
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
                self.frame(frame, site, key)
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
