"""Runs any graph with what chance records, and replays its log with generated code and with its form.

Values come from the types that the form tells, so that a graph of any source can be driven. What is compared
is what a user of the runtime would notice: positions as JSON, routes, and all that expressions give.
"""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from importlib import import_module
from itertools import count
from pathlib import Path
from random import Random
from types import ModuleType
from typing import Any

from lgc.compiler import Checked, check
from lgc.compiler.codegen import build
from lgc.dsl.source import Source
from lgc.runtime import BarrierDecision, LgcError, MemoryStore, Session, plan
from lgc.runtime.forms.version import Version, version_of_plan
from lgc.runtime.graph import Graph, bind
from lgc.runtime.machine.frame import Frame, choose, evaluated
from lgc.runtime.machine.position import begin, from_snapshot, locate, redo, to_snapshot, unfold
from lgc.runtime.sessions.restore import blanks
from lgc.runtime.store.records import MutationRecord
from lgc.runtime.values.state import Transients, broken_constraint, class_of
from lgc.runtime.values.typed_json import Applied, decode_checkpoint, decode_mutations, encode_mutations
from lgc.runtime.values.undo import Undo

_numbers = count(1)
MOST_STEPS = 40

# --- sources ----------------------------------------------------------------------------------------------


def checked_of(root: Path, *names: str) -> Checked:
    """Files of a folder, checked."""

    def load(path: str) -> bytes | None:
        return (root / path).read_bytes() if (root / path).exists() else None

    return check([Source(name, (root / name).read_text(encoding="utf-8")) for name in names], load=load)


def plans_of(checked: Checked, folder: Path) -> list[plan.Graph[Any]]:
    """The plans of all graphs, from generated modules that lie in a package of their own."""
    name = f"driven_{next(_numbers)}"
    for target, text in dict(build(checked.program, version="0", package_relative=True)).items():
        (folder / name / target).parent.mkdir(parents=True, exist_ok=True)
        (folder / name / target).write_text(text, encoding="utf-8")
    for inside in [folder / name, *(folder / name).rglob("*/")]:
        (inside / "__init__.py").touch()
    sys.path.insert(0, str(folder))
    try:
        found: dict[str, plan.Graph[Any]] = {}
        for path in sorted((folder / name).rglob("*_lg.py")):
            parts = path.relative_to(folder).with_suffix("").parts
            module = import_module(".".join(parts))
            held: list[Any] = [getattr(module, name) for name in dir(module) if name.endswith("_PLAN")]
            compiled: list[Any] = [value for value in held if isinstance(value, plan.Graph)]
            found.update({graph.hash: graph for graph in compiled})
        return list(found.values())
    finally:
        sys.path.remove(str(folder))


# --- values of chance -------------------------------------------------------------------------------------

_WORDS = ("", "a", "b", "zeno", "12", "-7", 'é \n"', "x" * 20)
_SCALARS: Mapping[str, Callable[[Random], Any]] = {
    "str": lambda r: r.choice(_WORDS),
    "int": lambda r: r.choice((0, 1, 2, 3, -1, 7, 100, 10**20)),
    "float": lambda r: r.choice((0.0, 0.5, 1.0, 0.95, -1.5, 3, 1e20)),
    "bool": lambda r: r.random() < 0.5,
    "bytes": lambda r: r.choice(("", "YQ==", "AAEC/w==")),
    "decimal": lambda r: r.choice(("0", "1.50", "-2.345", "1E+3")),
    "datetime": lambda r: r.choice(("2024-01-02T03:04:05Z", "2024-01-02T03:04:05+02:00")),
    "date": lambda r: r.choice(("2024-02-29", "1999-12-31")),
    "duration": lambda r: r.choice(("PT1S", "P1DT2H", "-PT0.5S", "PT0S")),
    "uuid": lambda r: f"00000000-0000-4000-8000-00000000000{r.randint(0, 9)}",
    "json": lambda r: r.choice((None, 1, 1.5, "x", [1, [None]], {"a": {"b": [True]}}, {})),
}


class Chance:
    """JSON values of the types of one form."""

    def __init__(self, version: Version, random: Random) -> None:
        self.elements = version.elements
        self.random = random

    def value(self, type_: Any, depth: int = 3) -> Any:
        """A value of a type."""
        r = self.random
        match type_:
            case str():
                return _SCALARS[type_](r)
            case ["optional", item]:
                return None if r.random() < 0.4 or depth == 0 else self.value(item, depth)
            case ["list", item]:
                return [self.value(item, depth - 1) for _ in range(r.randint(0, 3) if depth else 0)]
            case ["set", item]:
                made = {json.dumps(v): v for v in (self.value(item) for _ in range(r.randint(0, 3)))}
                return list(made.values())
            case ["dict", key, item]:
                size = r.randint(0, 3) if depth else 0
                return {str(self.value(key)): self.value(item, depth - 1) for _ in range(size)}
            case ["enum", label]:
                return r.choice(self.elements[f"enum/{label}"]["members"])
            case ["record", label]:
                return self.object(self.elements[f"record/{label}"]["fields"], depth - 1)
            case ["union", label]:
                members = self.elements[f"union/{label}"]["members"]
                chosen = r.choice(members)
                fields = {f for member in members for f in self.elements[f"record/{member}"]["fields"]}
                tag = next(t for t in ("kind", "kind_", "kind__") if t not in fields)
                return {tag: chosen.partition("#")[0], **self.value(["record", chosen], depth)}
            case ["state", label]:
                head = "state" if self.elements["graph"]["state"] == label else f"substate/{label}"
                return self.object(self.fields(head), depth)
            case _:
                raise AssertionError(type_)

    def fields(self, head: str) -> dict[str, Any]:
        """The durable fields below `state` or `substate/S`."""
        start = f"{head}/field/"
        return {id_.removeprefix(start): e for id_, e in self.elements.items() if id_.startswith(start)}

    def object(self, fields: Mapping[str, Any], depth: int) -> dict[str, Any]:
        """Fields by name; what has a default is sometimes left out."""
        made: dict[str, Any] = {}
        for name, field in fields.items():
            optional = "default" in field or field["type"][0] == "optional"
            if not (optional and (depth <= 0 or self.random.random() < 0.4)):
                made[name] = self.value(field["type"], depth)
        return made

    def arguments(self, params: list[Any]) -> str:
        """The JSON of parameters."""
        return json.dumps({name: self.value(type_) for name, type_ in params})

    def mutation(self, kind: Any) -> Any:
        """A mutation of a generated class."""
        params = self.elements[f"state/mutation/{kind.__lg_name__}"]["params"]
        return kind.model_validate_json(self.arguments(params))


# --- runs -------------------------------------------------------------------------------------------------


def hurried(graph: plan.Graph[Any]) -> plan.Graph[Any]:
    """The plan without pauses, and with few steps."""
    nodes: dict[str, plan.Node] = {}
    for name, node in graph.nodes.items():
        match node:
            case plan.Task():
                nodes[name] = replace(node, retry=None, timeout=None, impl=None)
            case plan.Subgraph() | plan.Map():
                nodes[name] = replace(node, graph=hurried(node.graph))
            case _:
                nodes[name] = node
    return replace(graph, nodes=nodes, max_steps=min(graph.max_steps, MOST_STEPS))


class Driver:
    """The functions of all nodes and the answers to all barriers, by chance."""

    def __init__(self, graph: plan.Graph[Any], seed: int) -> None:
        self.random = Random(f"{graph.name} {seed}")
        self.chances: dict[str, Chance] = {}
        self.graph = graph

    def chance(self, graph: plan.Graph[Any]) -> Chance:
        """Values for one graph."""
        if graph.hash not in self.chances:
            self.chances[graph.hash] = Chance(version_of_plan(graph), self.random)
        return self.chances[graph.hash]

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)

        async def node(ctx: Any) -> None:
            r, task = self.random, ctx.__lg_node__
            chance = self.chance(ctx.__lg_frame__.plan)
            state = ctx.__lg_frame__.state
            for kind in task.records:
                for _ in range(r.choice((0, 1, 1, 2))):
                    made, after = self.fitting(chance, kind, state)
                    if made is not None:
                        ctx.record(made)
                        state = after
            for _ in range(8):
                if all(getattr(state, state.__lg_fields__[field]) is not None for field in task.ensures):
                    break
                made, after = self.fitting(chance, r.choice(task.records), state)
                if made is not None:
                    ctx.record(made)
                    state = after
            if task.goto and r.random() < 0.3:
                ctx.goto(r.choice(task.goto))
            if r.random() < 0.08:
                raise RuntimeError("as chance wants it")

        return node

    def fitting(self, chance: Chance, kind: Any, state: Any) -> tuple[Any, Any]:
        """A mutation that the state takes, and the state then; now and then one that it may refuse."""
        made = None
        for _ in range(6):
            made, after = chance.mutation(kind), state.__lg_copy__()
            try:
                if kind.__lg_external__:
                    return made, after
                made.__lg_apply__(after, Undo())
                if broken_constraint(after) is None:
                    return made, after
            except Exception:
                continue
        return (made, state) if self.random.random() < 0.2 else (None, state)

    async def wait(self, barrier: Any) -> BarrierDecision:
        """An answer to any barrier."""
        r = self.random
        if barrier.reroute and r.random() < 0.3:
            return BarrierDecision.reroute(r.choice(barrier.reroute))
        name = r.choice(sorted(barrier.answers))
        graph = next(found for found in _all(self.graph) if barrier.node in found.nodes)
        chance = self.chance(graph)
        params = chance.elements[f"node/{barrier.node}"]["decisions"][name]["params"]
        given = barrier.answers[name].model_validate_json(chance.arguments(params))
        arguments = {n: getattr(given, a) for n, a in _by_name(type(given)).items()}
        modified = [m for m in barrier.modify if r.random() < 0.5]
        made = [chance.mutation(graph.state.__lg_mutations__[m]) for m in modified]
        return BarrierDecision.answer(name, **arguments).with_mutations(*made)


def _all(graph: plan.Graph[Any]) -> Iterator[plan.Graph[Any]]:
    """A graph and those that it runs."""
    yield graph
    for node in graph.nodes.values():
        if isinstance(node, (plan.Subgraph, plan.Map)):
            yield from _all(node.graph)


def _by_name(model: Any) -> dict[str, str]:
    return {field.alias or attribute: attribute for attribute, field in model.model_fields.items()}


async def driven(graph: plan.Graph[Any], seed: int) -> tuple[Graph[Any], MemoryStore]:
    """A run of a graph, to its end or to the step where something refuses to go on."""
    graph = hurried(graph)
    driver = Driver(graph, seed)
    bound = bind(graph, driver)
    chance = driver.chance(graph)
    store = MemoryStore()
    kind: Any = graph.state
    for _ in range(30):
        text = json.dumps(chance.value(["state", chance.elements["graph"]["state"]]))
        try:
            state = kind.restore(decode_checkpoint(kind, text), Transients(blank=True))
            session = await Session.start(bound, state, store=store, run_id="r", barrier_sink=driver)
        except LgcError:
            continue  # a constraint, an edge out of `start`
        with suppress(LgcError):
            await asyncio.wait_for(session.run(), 20)
        break
    return bound, store


# --- comparing --------------------------------------------------------------------------------------------


def outcome(function: Callable[..., Any], *values: Any) -> Any:
    """What something gives, or the kind of error."""
    try:
        return function(*values)
    except LgcError as error:
        return type(error).__name__


def decoded(graph: Graph[Any], snapshot: str) -> Any:
    """A position as generated code writes it, whoever wrote it first."""
    return json.loads(to_snapshot(from_snapshot(graph, snapshot, blanks(graph))))


async def agrees(bound: Graph[Any], store: MemoryStore, form: Graph[Any], seed: int) -> int:
    """Replay a log with both; the number of steps."""
    try:
        run = await store.get_run("r")
    except LgcError:
        return 0
    roots: list[Frame] = []
    for graph in (bound, form):
        kind: Any = graph.plan.state
        state = kind.restore(decode_checkpoint(kind, run.input), blanks(graph))
        roots.append(begin(graph, state, run.created))
    steps = 0
    chance = Random(seed)
    async for record in store.replay("r"):
        where = f"{bound.name} seed {seed} step {record.step} `{record.node}` in `{record.frame}`"
        _same_offers([locate(root, record.frame) for root in roots], chance, where)
        for root in roots:
            redo(root, record)
        _same_route([locate(root, record.frame) for root in roots], record, where)
        text, other = map(to_snapshot, roots)
        assert decoded(bound, other) == json.loads(text), f"{where}\n{text}\n{other}"
        assert json.loads(to_snapshot(from_snapshot(form, text, {}))) == json.loads(other), where
        steps += 1
    for root in roots:
        unfold(root)
    assert decoded(bound, to_snapshot(roots[1])) == decoded(bound, to_snapshot(roots[0]))
    return steps


def _same_route(frames: Sequence[Frame], record: MutationRecord, where: str) -> None:
    def chosen(frame: Frame) -> str:
        return choose(frame, record.node, record.outcome).key

    assert outcome(chosen, frames[0]) == outcome(chosen, frames[1]), where


def _same_offers(frames: Sequence[Frame], random: Random, where: str) -> None:
    """What functions of a plan give for the present node: answers of barriers, results of other graphs."""
    left, right = frames
    nodes = left.plan.nodes[left.node], right.plan.nodes[right.node]
    assert type(nodes[0]) is type(nodes[1]), where
    state = class_of(left.state)
    match nodes:
        case plan.Barrier() as one, plan.Barrier() as other:
            form = Chance(version_of_plan(left.plan), random)
            assert set(one.answers) == set(other.answers)
            for answer, declared in form.elements[f"node/{one.name}"]["decisions"].items():
                text = form.arguments(declared["params"])
                found = [
                    outcome(_taken, node.answers[answer], frame, text)
                    for node, frame in zip((one, other), frames, strict=True)
                ]
                assert _same_mutations(found, state), f"{where}: {answer}{text}\n{found}"
            late = [
                outcome(_late, node, frame, one) for node, frame in zip((one, other), frames, strict=True)
            ]
            assert late[0] == late[1], where
        case plan.Map() as one, plan.Map() as other:
            sizes = [outcome(_size, node, frame) for node, frame in zip((one, other), frames, strict=True)]
            assert sizes[0] == sizes[1], where
            for key in left.children:
                children = [frame.child(key) for frame in frames]
                found = [
                    outcome(_written, node.leave, child.state, child.item)
                    for node, child in zip((one, other), children, strict=True)
                ]
                assert _same_mutations(found, state), f"{where}: {found}"
        case plan.Subgraph(lens=plan.InOut() as one), plan.Subgraph(lens=plan.InOut() as other):
            for key in left.children:
                states = [frame.child(key).state for frame in frames]
                found = [
                    outcome(_written, lens.leave, inner)
                    for lens, inner in zip((one, other), states, strict=True)
                ]
                assert _same_mutations(found, state), f"{where}: {found}"
        case _:
            pass


def _written(function: Callable[..., Any], *values: Any) -> Any:
    """The mutations that a function of a plan gives, as data."""
    return json.loads(encode_mutations([Applied(one) for one in evaluated(function, *values)]))


def _taken(answer: plan.Answer, frame: Frame, text: str) -> Any:
    return _written(answer.records, frame.state, answer.arguments.model_validate_json(text))


def _late(node: plan.Barrier, frame: Frame, compiled: plan.Barrier) -> Any:
    """What is taken when the time is over, as generated code reads and writes it."""
    if node.timeout_answer is None:
        return None
    name, compute = node.timeout_answer
    text = evaluated(compute, frame.state).model_dump_json()
    return name, compiled.answers[name].arguments.model_validate_json(text).model_dump_json()


def _size(node: plan.Map, frame: Frame) -> int:
    return len(frame.elements(node))


def _same_mutations(found: list[Any], state: Any) -> bool:
    """Whether mutations are the same to generated code: a record may stand there with or without its tag."""
    if not all(isinstance(text, list) for text in found):
        return bool(found[0] == found[1])
    return len({encode_mutations(decode_mutations(state, json.dumps(text))) for text in found}) == 1


def forms_agree(graph: plan.Graph[Any], seed: int) -> int:
    """Drive a graph once and compare; the number of steps that were compared."""

    async def main() -> int:
        bound, store = await driven(graph, seed)
        return await agrees(bound, store, version_of_plan(bound.plan).graph, seed)

    return asyncio.run(main())


def fake_module(name: str, **attributes: Any) -> None:
    """A module that a graph names in Python."""
    module = ModuleType(name)
    vars(module).update(attributes)
    sys.modules[name] = module
