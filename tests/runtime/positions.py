"""Positions of graphs, driven by hand, and moved from one version of a graph to another.

Graphs are made of their canonical forms: nothing is generated. What generated code makes of a position is
asked in a few tests of their own.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from lgc.cli.version_sources import version_of
from lgc.compiler import check
from lgc.dsl.source import Source
from lgc.runtime.forms.version import Version
from lgc.runtime.machine.completion import complete
from lgc.runtime.machine.frame import Frame
from lgc.runtime.machine.position import begin, from_snapshot, to_snapshot, unfold
from lgc.runtime.migrating.moved import Moved, moved
from lgc.runtime.values.state import Transients


@lru_cache(maxsize=64)
def version(text: str, name: str = "g", despite: str = "") -> Version:
    """A graph of a source; `despite` is an error to look over."""
    checked = check([Source("g.lgraph", text)], load=lambda path: None)
    errors = [d for d in checked.diagnostics if d.severity == "error" and d.code != despite]
    assert not errors, "\n".join(f"{d.place}: {d.code} {d.message}" for d in errors)
    key = next(key for key in checked.program.graphs if key.name == name)
    return version_of(checked.program, key)


def start(of: Version, **values: Any) -> Frame:
    """A run that has just begun, with these values in its state."""
    return begin(of.graph, of.graph.plan.state(**values), 1.0)


def named(of: Version, mutation: str, **values: Any) -> Any:
    """A mutation of a version's state."""
    return of.graph.plan.state.__lg_mutations__[mutation](**values)


def step(frame: Frame, *mutations: Any, outcome: str = "ok", goto: str | None = None) -> None:
    """Complete the frame's node."""
    complete(frame, outcome, mutations, goto)


def stored(root: Frame) -> str:
    """The snapshot, with every frame that the position implies."""
    unfold(root)
    return to_snapshot(root)


def move(
    root: Frame, old: Version, new: Version, *,
    now: float | None = None, between: Sequence[Version] = (), declared: bool = True,
) -> Moved:  # fmt: skip
    """Move a position, through the migrations that the new version declares."""
    chain = new.migrations if declared else ()
    return moved(stored(root), old, new, chain, between=between, now=now)


def landed(done: Moved, new: Version) -> Any:
    """The position (a `Frame`) that a move ended in."""
    assert not done.reasons, done.reasons
    return from_snapshot(new.graph, done.snapshot, Transients(blank=True))


def kinds(done: Moved) -> list[str]:
    """The kinds of the reasons, in order."""
    assert bool(done.reasons) != bool(done.snapshot)
    return [reason.kind for reason in done.reasons]


def state_of(done: Moved) -> dict[str, Any]:
    """The stored values of the outermost frame."""
    assert not done.reasons, done.reasons
    return json.loads(done.snapshot)["root"]["state"]  # type: ignore[no-any-return]
