"""Migrations that the checker passes take every run along, those that it refuses do not: on drawn graphs."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from typing import Any

from tests.runtime.positions import version
from tests.runtime.test_migrating_random import VALUES

from lgc.compiler import check
from lgc.compiler.migrations.forms import Forms
from lgc.dsl.source import Source
from lgc.runtime.migrating.moved import moved

TYPES = """
enum E { x, y }
record R { n: int  m: str? }
record Q { e: E  r: list[R] = [] }
union U = R | Q
state T { k: int = 0  u: U? }
"""
KINDS = {
    "task": "task NAME {}",
    "decision": "decision NAME",
    "barrier": "barrier NAME { timeout 1d  decision yes  decision no(why: str) }",
    "less": "barrier NAME { timeout 1d  decision yes }",
}


def graph(fields: dict[str, str], nodes: dict[str, str]) -> str:
    """A state with these fields, and a line of nodes of these kinds."""
    declared = "\n".join(f"  {name}: {type}" for name, type in fields.items())
    text = [KINDS[kind].replace("NAME", name) for name, kind in nodes.items()]
    before = "start"
    for name in nodes:
        text.append(f"{before} -> {name}" + (" on yes" if nodes.get(before) in BARRIERS else ""))
        before = name
    for name, kind in nodes.items():
        outcomes = ["timeout", "no"] if kind == "barrier" else ["timeout"] if kind == "less" else []
        text += [f"{name} -> end on {outcome}" for outcome in outcomes]
    text.append(f"{before} -> end" + (" on yes" if nodes[before] in BARRIERS else ""))
    return f"{TYPES}state S {{\n{declared}\n}}\ngraph g(S) {{\n" + "\n".join(text) + "\n}\n"


BARRIERS = ("barrier", "less")
SEED, RUNS = 5, 40  # more of them by hand


def edited(pick: random.Random, fields: dict[str, str], nodes: dict[str, str]) -> tuple[str, list[str]]:
    """A newer graph, and steps that lead to it: sometimes one of them is wrong, or left out."""
    steps: list[str] = []
    there: dict[str, str] = {}
    for name, type in fields.items():
        chance = pick.random()
        if chance < 0.2:
            there[f"{name}_new"] = type
            steps.append(f"rename field {name} to {name}_new")
        elif chance < 0.35:
            steps.append(f"drop field {name}")
        elif chance < 0.5:
            there[name] = pick.choice(list(VALUES))
        else:
            there[name] = type
    if pick.random() < 0.4:
        there["more"], step = pick.choice(
            [("int", "set more = 1"), ("str", 'set more = "a"'), ("int = 1", "")]
        )
        steps += [step] if step else []
    after: dict[str, str] = {}
    for name, kind in nodes.items():
        chance = pick.random()
        if chance < 0.2:
            after[f"{name}_new"] = kind
            steps.append(f"rename node {name} to {name}_new")
        elif chance < 0.3 and len(after) > 0:
            steps.append(f"move {name} to {pick.choice(list(after))}")
        else:
            after[name] = pick.choice(list(KINDS)) if chance < 0.4 else kind
    if steps and pick.random() < 0.35:
        steps.remove(pick.choice(steps))
    pick.shuffle(steps)
    return graph(there, after), steps


def positions(pick: random.Random, fields: dict[str, str], nodes: dict[str, str]) -> Iterator[str]:
    """Runs that are parked at each node, with some values."""
    for at, node in enumerate(nodes):
        for _ in range(6):
            state: dict[str, Any] = {name: pick.choice(VALUES[type]) for name, type in fields.items()}
            root = {"node": node, "since": 1.5, "counts": {}, "taken": {}, "done": at, "state": state}
            yield json.dumps({"version": 1, "root": root})


def test_what_is_said_of_migrations_is_what_happens_to_runs() -> None:
    pick = random.Random(SEED)
    outcomes = {True: 0, False: 0}
    for _ in range(RUNS):
        fields = {f"f{at}": type for at, type in enumerate(pick.choices(list(VALUES), k=pick.randint(1, 4)))}
        nodes = {f"n{at}": kind for at, kind in enumerate(pick.choices(list(KINDS), k=pick.randint(2, 4)))}
        old = version(graph(fields, nodes))
        text, steps = edited(pick, fields, nodes)
        text += f'migrate g from "{old.hash}" {{ {" ".join(steps)} }}\n'
        found = check([Source("a.lgraph", text)], load=lambda _: None, forms=Forms([old.canonical]))
        errors = [one for one in found.diagnostics if one.severity == "error"]
        wrong = [one.message for one in errors if one.code.startswith("LG7")]
        if len(wrong) < len(errors) or any("hash now" in message for message in wrong):
            continue  # no graph, or the same one
        new = version(text)
        outcomes[not wrong] += 1
        reasons = [
            reason.text
            for position in positions(pick, fields, nodes)
            for reason in moved(position, old, new, new.migrations).reasons
        ]
        assert bool(wrong) == bool(reasons), (steps, wrong, reasons[:3], text)
    assert min(outcomes.values()) > RUNS / 10, outcomes
