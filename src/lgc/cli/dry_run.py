"""`lgc resume --dry-run`: from a run and a graph to what would become of it there."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from . import FINDINGS, FINE
from .guard import without_python
from .launch import compile_source, prepare, stored_launch
from .runs import dumps
from .stores import get_run, with_store
from .terminal import out, output_style, printable
from .wording import fields, short_hash

if TYPE_CHECKING:
    from ..runtime.sessions.previewing import Preview
    from ..runtime.store.protocols import Store
    from .terminal import Style


def dry_run_of(
    given_store: str, run: str, *, source: str, mode: str, reason: str, actor: str, as_json: bool
) -> int:
    """Tell it; the exit status: 1 where the run would be refused."""

    async def read(store: Store) -> Preview:
        from ..runtime.sessions.modes import RestoreMode
        from ..runtime.sessions.previewing import preview

        found = await get_run(store, run)
        prepared = prepare(compile_source(stored_launch(found, source)), bind_nodes=False)
        return await preview(
            store, prepared.unbound(), found.run, RestoreMode(mode), reason=reason, actor=actor
        )

    seen = with_store(given_store, read, reading=True)
    if as_json:
        out(dumps(_json(seen)))
    else:
        _show(seen, output_style())
    return FINDINGS if seen.refused else FINE


def _json(seen: Preview) -> dict[str, Any]:
    return {
        "version": 1,
        "run": seen.run,
        "mode": str(seen.mode),
        "expected": seen.expected,
        "actual": seen.actual,
        "verdict": None if seen.verdict is None else seen.verdict.to_json(),
        "refused": seen.refused or None,
        "step": seen.step,
        "before": seen.before,
        "after": seen.after,
        "parked": list(seen.parked),
        "renamed": [{"old": old, "new": new} for old, new in seen.renamed],
        "cleared": [f"{one.frame}/{one.node}" if one.frame else one.node for one in seen.cleared],
        "aside": [{"node": one.node, "answer": one.answer, "actor": one.actor} for one in seen.aside],
    }


def _show(seen: Preview, style: Style) -> None:
    from ..runtime.sessions.mismatch import verdict_lines

    out(f"{style.bold('run')} {printable(seen.run)} after step {seen.step}")
    if seen.expected == seen.actual:
        out(f"  under {short_hash(seen.expected)}, which is the graph of the source")
        return
    out(f"  {short_hash(seen.expected)} -> {short_hash(seen.actual)}, mode {seen.mode}")
    if seen.verdict is not None:
        out(f"{style.bold('verdict')} {seen.verdict.verdict}")
        for line in verdict_lines(seen.verdict):
            out(f"  {printable(line)}")
    if seen.after is not None:
        out(style.bold("state it would have"))
        for line in _difference(seen.before, seen.after, style):
            out(line)
        out(f"{style.bold('would stand at')} {', '.join(seen.parked)}")
    for old, new in seen.renamed:
        out(f"  `{old}`, which was begun, would be `{new}`")
    for one in seen.cleared:
        out(f"  `{one.node}` was begun; whether it happened would no longer be asked")
    for answer in seen.aside:
        by = printable(answer.actor)
        out(f"  the answer `{answer.answer}` to `{answer.node}` by {by} would be set aside")
    if seen.refused:
        why = f": {printable(seen.why)}" if seen.why else ""
        out(f"{style.red('it would be refused', bold=True)} in mode {seen.mode}{why}")
        if seen.hint:
            out(f"  {style.bold('help:')} {printable(without_python(seen.hint))}")
    else:
        out(f"{style.green('it would go on')}; nothing was changed")


def _difference(before: dict[str, Any], after: dict[str, Any], style: Style) -> list[str]:
    """The fields then, with a mark at those that are new or other; and those that would be gone."""
    lines: list[str] = []
    for (name, value), line in zip(after.items(), fields(after, style), strict=True):
        mark = " " if before.get(name, _NONE) == value and name in before else style.green("+")
        lines.append(f"{mark}{line[1:]}")
    gone = {name: value for name, value in before.items() if name not in after or after[name] != value}
    lines += [f"{style.red('-')}{line[1:]}" for line in fields(gone, style)]
    return lines


_NONE = object()
