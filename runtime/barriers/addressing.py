"""From the address of an answer to the barrier that it is for, or why it is refused.

An answer that is given while its barrier waits is for that barrier, as it was shown, however it was
addressed. One that comes early is for the node, whenever the run gets there; so it is refused where the
run cannot.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from .. import plan
from ..errors import DecisionRefused
from ..machine.frame import Frame
from ..store.records import DecisionRecord, RunStatus
from .barrier import BarrierInfo, find_barrier, fitting, place_of
from .standing import waiting_barriers


class Standing(NamedTuple):
    """What is known of a run to which an answer is given.

    `records` are all answers that it ever had; `now` is in seconds since the epoch.
    """

    run: str
    root: Frame
    status: RunStatus
    records: Sequence[DecisionRecord]
    now: float


def addressed(standing: Standing, address: str) -> str:
    """The id of the barrier that an address means now; "" for a node that the run has yet to get to.

    Raises DecisionRefused: nothing waits there, it was answered, its time is over, something else is shown.
    """
    if standing.status in (RunStatus.DONE, RunStatus.CANCELLED):
        raise DecisionRefused(f"the run is {standing.status}, nothing waits for an answer", run=standing.run)
    waiting = waiting_barriers(standing.run, standing.root)
    meant = [info for info in waiting if address in (info.id, place_of(info), info.node)]
    if not meant and "#" in address:
        raise _stale(standing, waiting, address)
    if not meant:
        _refuse_late(standing, address)
        return ""
    undecided = [one for one in standing.records if not one.step]
    given: dict[int, DecisionRecord] = {}
    for info in meant:
        first = fitting([one for one in undecided if one.id not in given], info)[0]
        if first is None and standing.now <= info.deadline:
            return info.id
        if first is not None:
            given[first.id] = first
    if given:
        first = next(iter(given.values()))
        raise DecisionRefused(
            f"`{meant[0].node}` has been answered{_by(first)}: `{first.answer}`",
            run=standing.run,
            hint="the answer is applied as soon as the run goes on",
        )
    raise DecisionRefused(
        f"the time of `{meant[0].node}` is over",
        run=standing.run,
        hint="`lgc resume RUN` goes on as its `timeout` says",
    )


def overtaken(records: Sequence[DecisionRecord], mine: DecisionRecord) -> DecisionRefused | None:
    """Why an answer that has been recorded does not count, because of one just before it; None: it does."""
    for one in records:
        if one.id < mine.id and one.step != -1 and mine.barrier and one.barrier == mine.barrier:
            node = mine.barrier.partition("#")[0].rpartition("/")[2]
            return DecisionRefused(f"`{node}` has just been answered{_by(one)}: `{one.answer}`", run=mine.run)
    return None


def doubles(
    graph: plan.Graph[Any], records: Sequence[DecisionRecord], info: BarrierInfo
) -> list[DecisionRecord]:
    """Answers that are left over once a barrier has been answered: to it, or early ones after the first."""
    place = place_of(info)
    lone = _instances(graph, info.node) == 1
    return [
        one
        for one in records
        if one.barrier == info.id or (lone and not one.barrier and one.node in (place, info.node))
    ]


def _stale(standing: Standing, waiting: Sequence[BarrierInfo], address: str) -> DecisionRefused:
    same = next((i for i in waiting if i.id.partition("@")[0] == address.partition("@")[0]), None)
    if same is not None:
        return DecisionRefused(
            f"what `{same.node}` shows has changed since `{address}`; it now is `{same.id}`",
            run=standing.run,
            hint="look at it again, and answer the new id",
        )
    told = next((one for one in standing.records if one.step > 0 and one.barrier == address), None)
    answered = f"; it has been answered{_by(told)}: `{told.answer}`" if told is not None else ""
    return DecisionRefused(f"the run does not wait at `{address}`{answered}", run=standing.run)


def _refuse_late(standing: Standing, address: str) -> None:
    """Refuse an answer to a node that the run does not get to any more, or that has an early one already."""
    graph = standing.root.plan
    owner, node = find_barrier(graph, address)
    given = [one for one in standing.records if _name(one) == node.name]
    if not _may_come(standing.root, owner, node.name):
        told = next((one for one in reversed(given) if one.step > 0), None)
        if told is not None:
            raise DecisionRefused(
                f"`{node.name}` has been answered{_by(told)}: `{told.answer}`",
                run=standing.run,
                hint="the run does not get there again",
            )
        raise DecisionRefused(f"the run does not get to `{node.name}` any more", run=standing.run)
    early = next((one for one in given if not one.step and not one.barrier), None)
    if early is not None and _instances(graph, node.name) == 1:
        raise DecisionRefused(
            f"`{node.name}` has an early answer already{_by(early)}: `{early.answer}`",
            run=standing.run,
            hint="the run takes it when it gets there",
        )


def _name(record: DecisionRecord) -> str:
    return record.node.rpartition("/")[2]


def _by(record: DecisionRecord) -> str:
    return f" by {record.actor}" if record.actor else ""


def _instances(graph: plan.Graph[Any], name: str) -> int:
    """At how many places a barrier of that name can wait at a time: two stands for any number."""
    count = int(isinstance(graph.nodes.get(name), plan.Barrier))
    for node in graph.nodes.values():
        match node:
            case plan.Subgraph():
                count += _instances(node.graph, name)
            case plan.Map():
                count += 2 * _instances(node.graph, name)
            case _:
                pass
    return count


def _may_come(root: Frame, owner: plan.Graph[Any], name: str) -> bool:
    """Whether a run that stands there may still arrive at a node, by any edge."""
    todo = [step for frame in root.active() for step in _ahead(frame)]
    seen: set[tuple[str, str]] = set()
    while todo:
        graph, at = todo.pop()
        if (graph.hash, at) in seen:
            continue
        seen.add((graph.hash, at))
        if at == name and graph.hash == owner.hash:
            return True
        todo.extend(_targets(graph, at))
        todo.extend(_inside(graph, at))
    return False


def _ahead(frame: Frame) -> Iterator[tuple[plan.Graph[Any], str]]:
    """Where a frame may go next; into its node's children only where they cannot be asked themselves."""
    yield from _targets(frame.plan, frame.node)
    match frame.plan.nodes.get(frame.node):
        case plan.Parallel() as node:
            missing = len(frame.children) < len(node.branches)
        case plan.Subgraph() | plan.Map():
            missing = not frame.children or len(frame.children) < len(frame.items or ())
        case _:
            missing = False
    if missing:
        yield from _inside(frame.plan, frame.node)


def _targets(graph: plan.Graph[Any], source: str) -> Iterator[tuple[plan.Graph[Any], str]]:
    route = graph.routes.get(source)
    if route is not None:
        for edges in (route.edges, *route.on.values()):
            for edge in edges:
                yield graph, edge.target
    match graph.nodes.get(source):
        case plan.Task(goto=goto):
            yield from ((graph, target) for target in goto)
        case plan.Barrier(reroute=reroute):
            yield from ((graph, target) for target in reroute)
        case _:
            pass


def _inside(graph: plan.Graph[Any], name: str) -> Iterator[tuple[plan.Graph[Any], str]]:
    match graph.nodes.get(name):
        case plan.Parallel(branches=branches):
            for region in branches.values():
                yield from _targets(graph, f"{plan.START}:{region}")
        case plan.Subgraph(graph=inner) | plan.Map(graph=inner):
            yield from _targets(inner, plan.START)
        case _:
            pass
