"""From two operational forms of a graph to what changed in how it is run: nothing that a run would notice."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from ..runtime.changes.change import Change, Notes
from ..runtime.changes.unparse import expression_text, json_text

KIND = "operational"
"""The kind of these changes: they have no row in the table of kinds, because the hash leaves them out."""

_MILLISECONDS = ((86_400_000, "d"), (3_600_000, "h"), (60_000, "m"), (1_000, "s"), (1, "ms"))


def operational_changes(old: str, new: str) -> tuple[Change, ...]:
    """What changed from one operational form (canonical JSON) to another; nothing where one is missing."""
    if not old or not new or old == new:
        return ()
    before, after = _elements(old), _elements(new)
    found: list[Change] = []
    for id_ in sorted(before.keys() | after.keys()):
        family, _, name = id_.partition("/")
        if family == "subgraph":
            continue  # a graph of its own
        notes = Notes(id_, f"node `{name}`" if name else "the graph")
        forms = [_settings(one.get(id_)) for one in (before, after)]
        for setting in sorted(forms[0].keys() | forms[1].keys()):
            words, show = _WORDS.get(setting, (setting, expression_text))
            notes.value(setting, words, forms[0].get(setting), forms[1].get(setting), show)
        found += [Change(c.element, c.kind, c.path, c.old, c.new, c.text, KIND) for c in notes.changes]
    return tuple(found)


def _elements(form: str) -> Mapping[str, Mapping[str, Any]]:
    elements: Mapping[str, Mapping[str, Any]] = json.loads(form)["elements"]
    return elements


def _settings(element: Mapping[str, Any] | None) -> dict[str, Any]:
    """Settings by name; those of checkpoints and parameters one by one."""
    found: dict[str, Any] = {}
    for name, value in (element or {}).items():
        if name == "checkpoint":
            found.update({f"checkpoint {inner}": one for inner, one in value.items()})
        elif name == "params":
            found.update({f"parameter {inner}": one for inner, one in value.items()})
        else:
            found[name] = value
    return found


def _length(form: Any) -> str:
    """Milliseconds with the largest unit that takes them whole."""
    whole = form if isinstance(form, int) else int(form[1], 0)
    fitting = (one for one in _MILLISECONDS if whole and whole % one[0] == 0)
    size, unit = next(fitting, (1, "ms"))
    return f"{whole // size}{unit}"


def _retry(form: Any) -> str:
    low, high = (_length(one) for one in form["backoff"])
    errors = f" on {', '.join(form['on'])}" if form["on"] else ""
    return f"{_number(form['attempts'])} backoff {low}..{high}{errors}"


def _number(form: Any) -> str:
    return expression_text(form)


def _names(form: Any) -> str:
    return ", ".join(str(one) for one in form)


_WORDS: dict[str, tuple[str, Callable[[Any], str]]] = {
    "retry": ("retry", _retry),
    "timeout": ("timeout", _length),
    "concurrency": ("concurrency", _number),
    "shows": ("shown fields", _names),
    "impl": ("implementation", str),
    "checkpoint every_ms": ("checkpoint interval", _length),
    "checkpoint keep_ms": ("time that checkpoints are kept", _length),
    "checkpoint every_steps": ("steps between checkpoints", _number),
    "checkpoint keep_count": ("number of checkpoints kept", _number),
    "checkpoint compact_steps": ("steps between snapshots", _number),
    "checkpoint on": ("events that make a checkpoint", _names),
    "checkpoint manual": ("manual checkpoints", json_text),
    "checkpoint adaptive": ("adaptive checkpoints", json_text),
}
