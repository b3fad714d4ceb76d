"""From a resolved graph to the elements of its operational form: how it is run, not what a run does.

    graph        checkpoint: when checkpoints are made, how many stay, when a state is written whole
    node/N       retry, timeout (milliseconds), params, impl, shows, concurrency
    subgraph/G   the operational hash of a graph that a node runs

What says the default is left out; a node without any of these has no element. `shows` keeps its order: it is
what a person sees.
"""

from __future__ import annotations

from collections.abc import Mapping

from .. import model as m
from .expressions import expression_form
from .jcs import Json
from .values import Labels, float_form, integer_form


def operational_elements(graph: m.Graph, hashes: Mapping[m.Key, str]) -> dict[str, dict[str, Json]]:
    """Every operational element by its id; `hashes` are the operational ones of the graphs that it runs."""
    found: dict[str, dict[str, Json]] = {"graph": {"checkpoint": _checkpoint(graph.checkpointing)}}
    labels = Labels()
    for node in sorted(graph.nodes, key=lambda node: node.name):
        if form := _node(node):
            found[f"node/{node.name}"] = form
        if isinstance(node, m.Subgraph | m.MapNode):
            found[f"subgraph/{labels(node.graph)}"] = {"hash": hashes[node.graph]}
    return found


def _node(node: m.Node) -> dict[str, Json]:
    form: dict[str, Json] = {}
    match node:
        case m.Task():
            if node.retry is not None:
                form["retry"] = _retry(node.retry)
            if node.timeout_ms is not None:
                form["timeout"] = integer_form(node.timeout_ms)
            if node.params:
                labels = Labels()
                params = sorted(node.params, key=lambda param: param[0])
                form["params"] = {name: expression_form(value, labels) for name, value in params}
            if node.impl is not None:
                form["impl"] = str(node.impl)
        case m.Barrier():
            if node.timeout_ms is not None:
                form["timeout"] = integer_form(node.timeout_ms)
            if node.shows:
                form["shows"] = [name for name, _ in node.shows]
        case m.MapNode():
            if node.concurrency is not None:
                form["concurrency"] = integer_form(node.concurrency)
        case _:
            pass
    return form


def _retry(retry: m.Retry) -> dict[str, Json]:
    return {
        "attempts": integer_form(retry.attempts),
        "backoff": [integer_form(retry.backoff_low_ms), integer_form(retry.backoff_high_ms)],
        "on": sorted(str(error) for error in retry.errors),
    }


def _checkpoint(setting: m.Checkpointing) -> dict[str, Json]:
    form: dict[str, Json] = {}
    counts = {
        "every_steps": setting.every_steps,
        "every_ms": setting.every_ms,
        "keep_count": setting.keep_count,
        "keep_ms": setting.keep_ms,
        "compact_steps": setting.compact_steps,
    }
    for name, count in counts.items():
        if count is not None:
            form[name] = integer_form(count)
    if setting.events:
        form["on"] = sorted(set(setting.events))
    if setting.manual:
        form["manual"] = True
    if (weights := setting.adaptive) is not None:
        form["adaptive"] = {
            "duration": float_form(float(weights.duration)),
            "tokens": float_form(float(weights.tokens)),
            "effects": float_form(float(weights.effects)),
            "threshold": float_form(float(weights.threshold)),
        }
    return form
