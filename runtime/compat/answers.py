"""From answers that wait for a run to those that the new graph would refuse."""

from __future__ import annotations

import json
from collections.abc import Sequence

from pydantic import ValidationError

from .. import plan
from ..barriers.barrier import REROUTE, find_barrier
from ..errors import DecisionRefused, LgcError
from ..migrating.naming import Names
from ..store.records import DecisionRecord
from .findings import Findings
from .recorded import read_mutations
from .sites import Site


def refused_answers(waiting: Sequence[DecisionRecord], site: Site, names: Names, findings: Findings) -> None:
    """Note the answers that nobody has applied yet and that the new graph would refuse."""
    for record in waiting:
        if site.new is None:
            return
        path, slash, node = record.node.rpartition("/")
        address = f"{path}{slash}{names.node(node)}"
        why = _refusal(site.new.graph.plan, address, record)
        if why is not None:
            what = f"the answer `{record.answer}` that {record.actor} gave to `{record.node}`"
            text = f"{what} would be refused: {why}"
            findings.add("answer-refused", (site, record.node, None), f"node/{names.node(node)}", text)


def _refusal(graph: plan.Graph[object], address: str, record: DecisionRecord) -> str | None:
    try:
        inner, node = find_barrier(graph, address)
    except DecisionRefused as error:
        return error.message
    given = json.loads(record.mutations)
    allowed = {one.__lg_name__ for one in node.modify}
    for item in given:
        if item["m"] not in allowed:
            return f"`{node.name}` does not let a decider record `{item['m']}`"
    try:
        read_mutations(inner.state, given)
    except LgcError as error:
        return error.message
    if record.answer == REROUTE and REROUTE not in node.answers:
        target = json.loads(record.arguments).get("node")
        return None if target in node.reroute else f"`{node.name}` cannot be rerouted to `{target}`"
    declared = node.answers.get(record.answer)
    if declared is None:
        return f"`{node.name}` has no decision `{record.answer}`"
    try:
        declared.arguments.model_validate_json(record.arguments)
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False)[0]
        return f"{'.'.join(str(part) for part in first['loc'])}: {first['msg']}"
    return None
