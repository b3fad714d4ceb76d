"""The position of a run as a whole: the frame tree, between snapshots, log records and memory.

Rebuilding a position is: the newest snapshot (or the run's input), then each log record after it, done
again. A record that does not fit the position is CheckpointCorrupted: the log is not of this graph, or not
whole.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from .. import plan
from ..errors import CheckpointCorrupted, LgcError
from ..graph import Graph
from ..store.records import MutationRecord
from ..values.state import State, class_of, transients_of
from ..values.typed_json import (
    decode_checkpoint,
    decode_field,
    decode_mutations,
    encode_field,
    encode_mutations,
    encode_state,
)
from .completion import Completion, again, complete_joined
from .frame import Effect, Frame
from .merging import inside

SNAPSHOT_VERSION = 1


def begin(graph: Graph[Any], state: Any, since: float) -> Frame:
    """The position of a run that has done nothing yet. Raises Unrouted, EvaluationError."""
    root = Frame(graph, state, since=since)
    root.start()
    return root


def unfold(frame: Frame) -> None:
    """Make the frames that a position implies but no step has touched yet, so that they can be looked at."""
    node = frame.plan.nodes.get(frame.node)
    try:
        match node:
            case plan.Parallel():
                keys: list[str | int] = list(node.branches)
            case plan.Subgraph() if node.name not in frame.graph.implementations:
                keys = [""]
            case plan.Map() if node.name not in frame.graph.implementations:
                keys = list(range(len(frame.elements(node))))
            case _:
                keys = []
        for key in keys:
            unfold(frame.child(key))
    except LgcError:
        # The node itself will fail for this reason when it is run, and say so.
        return


def locate(root: Frame, path: str) -> Frame:
    """The frame of a path, made on the way where it was not entered yet. Raises KeyError."""
    frame = root
    while frame.path != path:
        rest = path[len(frame.path) :].removeprefix("/") if frame.path else path
        head, _, tail = rest.partition("/")
        name, bracket, index = head.partition("[")
        if frame.node != name:
            raise KeyError(path)
        match frame.plan.nodes.get(name):
            case plan.Parallel():
                frame = frame.child(tail.partition("/")[0])
            case plan.Subgraph():
                frame = frame.child("")
            case plan.Map() if bracket:
                frame = frame.child(int(index.removesuffix("]")))
            case _:
                raise KeyError(path)
    return frame


def redo(root: Frame, record: MutationRecord) -> None:
    """Do one log record again. Raises CheckpointCorrupted where it does not fit."""
    try:
        frame = locate(root, record.frame)
        if frame.node != record.node:
            raise KeyError(record.node)
        kind = class_of(frame.state)
        applied = decode_mutations(kind, record.mutations)
        node = frame.plan.nodes[record.node]
        detail: dict[str, Any] = json.loads(record.detail) if record.detail else {}
        if isinstance(node, (plan.Parallel, plan.Subgraph, plan.Map)) and not detail.get("scripted"):
            stored = {p: decode_field(*_declared(frame, p), v) for p, v in detail.get("merged", {}).items()}
            for key in detail.get("won", ()):
                frame.child(key)
            complete_joined(
                frame, detail.get("won", ()), record.outcome,
                stored=stored, recorded=applied, goto=record.next,
            )  # fmt: skip
            if record.edge:
                frame.taken[record.edge] = frame.edge_count(record.edge) + 1
        else:
            again(
                frame, applied,
                Completion(record.node, record.visit, record.outcome, record.next, record.edge),
            )  # fmt: skip
            frame.children = {}
        frame.since = record.time
    except (KeyError, IndexError, ValueError, TypeError, AttributeError, RecursionError) as error:
        raise CheckpointCorrupted(
            f"log record {record.step} (`{record.node}` in frame `{record.frame}`) does not fit the position"
            f" of the run: {error}",
            run=record.run,
            step=record.step,
        ) from error
    except LgcError as error:
        raise error.at(run=record.run, step=record.step) from None


def detail_of(frame: Frame, completion: Completion, joined: bool) -> dict[str, Any]:
    """What a log record needs besides the mutations so that it can be done again."""
    detail: dict[str, Any] = {}
    if joined:
        detail["won"] = list(completion.won)
    if completion.merged:
        detail["merged"] = {p: encode_field(*_declared(frame, p), v) for p, v in completion.merged.items()}
    return detail


def _declared(frame: Frame, path: str) -> tuple[type[State], str]:
    """The state that declares a merged field, and the field's name there."""
    *lens, field = path.split(".")
    return class_of(inside(frame.state, lens)), field


# --- snapshots --------------------------------------------------------------------------------------------


def to_snapshot(root: Frame) -> str:
    """The whole position as JSON: durable fields, frame tree, counters."""
    return f'{{"version":{SNAPSHOT_VERSION},"root":{_write(root)}}}'


def _write(frame: Frame) -> str:
    head = json.dumps(
        {
            "node": frame.node,
            "since": frame.since,
            "counts": frame.counts,
            "taken": frame.taken,
            "done": frame.done,
        },
        separators=(",", ":"),
    )
    parts = [head[:-1], f',"state":{encode_state(frame.state)}']
    if frame.effects is not None:
        parts.append(f',"effects":[{",".join(_write_effect(frame, e) for e in frame.effects)}]')
    if frame.children:
        kind = "i" if any(isinstance(key, int) for key in frame.children) else "s"
        inner = ",".join(f"{json.dumps(str(key))}:{_write(child)}" for key, child in frame.children.items())
        parts.append(f',"keys":"{kind}","children":{{{inner}}}')
    return "".join(parts) + "}"


def _effect_state(frame: Frame, lens: Sequence[str]) -> type[State]:
    return class_of(inside(frame.state, lens))


def _write_effect(frame: Frame, effect: Effect) -> str:
    lens = json.dumps(list(effect.lens))
    if effect.applied is not None:
        return f'{{"lens":{lens},"apply":{encode_mutations([effect.applied])}}}'
    value = encode_field(_effect_state(frame, effect.lens), effect.field, effect.value)
    return f'{{"lens":{lens},"field":{json.dumps(effect.field)},"value":{json.dumps(value)}}}'


def from_snapshot(graph: Graph[Any], text: str, transients: Mapping[str, object]) -> Frame:
    """A position from a snapshot. Raises CheckpointCorrupted, SerializationError, TransientMissing."""
    try:
        data = json.loads(text)
        if data["version"] != SNAPSHOT_VERSION:
            raise CheckpointCorrupted(
                f"the snapshot has version {data['version']}, this lgc reads {SNAPSHOT_VERSION}"
            )
        root = Frame(graph, _read_state(graph.plan.state, data["root"], transients))
        _read(root, data["root"])
    except (KeyError, TypeError, ValueError, AttributeError, RecursionError) as error:
        raise CheckpointCorrupted(f"the snapshot cannot be read: {type(error).__name__}: {error}") from error
    return root


def _read_state(kind: type[State], data: Mapping[str, Any], transients: Mapping[str, object]) -> Any:
    return kind.restore(decode_checkpoint(kind, json.dumps(data["state"])), transients)


def _read(frame: Frame, data: Mapping[str, Any]) -> None:
    frame.node = data["node"]
    frame.since = data["since"]
    frame.counts = dict(data["counts"])
    frame.taken = dict(data["taken"])
    frame.done = data["done"]
    if frame.effects is not None:
        frame.effects = [_read_effect(frame, item) for item in data.get("effects", ())]
    for text, inner in data.get("children", {}).items():
        key: str | int = int(text) if data["keys"] == "i" else text
        child = frame.child(key)
        child.state = _read_state(type(child.state), inner, transients_of(child.state))
        _read(child, inner)


def _read_effect(frame: Frame, data: Mapping[str, Any]) -> Effect:
    lens = tuple(data["lens"])
    kind = _effect_state(frame, lens)
    if "apply" in data:
        return Effect(lens, decode_mutations(kind, json.dumps(data["apply"]))[0])
    return Effect(lens, None, data["field"], decode_field(kind, data["field"], data["value"]))
