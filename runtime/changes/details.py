"""From the old and the new form of one element to what changed inside it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeAlias

from .change import Notes
from .unparse import (
    as_list,
    as_object,
    call_text,
    expression_text,
    json_text,
    params_text,
    same,
    statements_text,
    type_text,
)

Form: TypeAlias = Mapping[str, Any]


# --- data -------------------------------------------------------------------------------------------------


def graph(notes: Notes, old: Form, new: Form) -> None:
    """The graph's own settings."""
    for key in ("name", "state", "max_steps"):
        notes.value(key, key, old.get(key), new.get(key), _plain)


def field(notes: Notes, old: Form, new: Form, path: str = "") -> None:
    """A field of a state or record."""
    shows: tuple[tuple[str, Callable[[Any], str]], ...] = (
        ("type", type_text),
        ("default", expression_text),
        ("range", bounds_text),
        ("length", bounds_text),
        ("pattern", expression_text),
        ("merge", merge_text),
    )
    for key, show in shows:
        before, after = (_present(form, key) for form in (old, new))
        notes.value(f"{path}{key}", key, before, after, _of(show))


def mutation(notes: Notes, old: Form, new: Form) -> None:
    """A mutation: parameters, then what it does."""
    _params(notes, "params", old.get("params"), new.get("params"))
    notes.value("body", "body", old.get("body"), new.get("body"), statements_text)
    notes.value("external", "function", old.get("external"), new.get("external"), _plain)
    notes.names("writes", ("now writes", "no longer writes"), _names(old, "writes"), _names(new, "writes"))


def record(notes: Notes, old: Form, new: Form) -> None:
    """A record, field by field."""
    before, after = as_object(old.get("fields")) or {}, as_object(new.get("fields")) or {}
    notes.names("fields", ("now has the field", "no longer has the field"), before.keys(), after.keys())
    for name in sorted(before.keys() & after.keys()):
        inner = Notes(notes.element, f"field `{name}` of {notes.subject}", notes.changes)
        field(inner, as_object(before[name]) or {}, as_object(after[name]) or {}, f"fields/{name}/")


def members(notes: Notes, old: Form, new: Form) -> None:
    """An enum or a union."""
    verb = ("now has the member", "no longer has the member")
    notes.names("members", verb, _names(old, "members"), _names(new, "members"))


def subgraph(notes: Notes, old: Form, new: Form) -> None:
    """A graph that a node runs: only its hash is known here. The forms hold all of it, to look it up by."""
    before, after = str(old.get("hash")), str(new.get("hash"))
    if before != after:
        notes.add(
            "hash",
            (before, after),
            f"{notes.subject} changed its hash from `{before[:20]}` to `{after[:20]}`",
        )


def _params(notes: Notes, path: str, old: Any, new: Any) -> None:
    before, after = _pairs(old), _pairs(new)
    for name in [*before, *(name for name in after if name not in before)]:
        texts = _param(before, name), _param(after, name)
        if same(before.get(name), after.get(name)) and texts[0] == texts[1]:
            continue
        if name not in before:
            notes.add(f"{path}/{name}", texts, f"{notes.subject} now takes `{texts[1]}`")
        elif name not in after:
            notes.add(f"{path}/{name}", texts, f"{notes.subject} no longer takes `{texts[0]}`")
        else:
            types = [type_text(side[name]) for side in (before, after)]
            words = (
                f"parameter `{name}` of {notes.subject} changed its type from `{types[0]}` to `{types[1]}`"
            )
            notes.add(f"{path}/{name}", texts, words)
    notes.order(path, "parameters", list(before), list(after))


def _param(params: Form, name: str) -> str | None:
    return f"{name}: {type_text(params[name])}" if name in params else None


# --- nodes ------------------------------------------------------------------------------------------------


def node(notes: Notes, old: Form, new: Form) -> None:
    """A node of any kind."""
    kinds = str(old.get("kind")), str(new.get("kind"))
    if kinds[0] != kinds[1]:
        notes.add("kind", kinds, f"{notes.subject} changed from `{kinds[0]}` to `{kinds[1]}`")
        return
    if old.get("region") != new.get("region"):
        where = [f"branch `{form['region']}`" if form.get("region") else "the graph" for form in (old, new)]
        regions = str(old.get("region", "")), str(new.get("region", ""))
        notes.add("region", regions, f"{notes.subject} moved from {where[0]} to {where[1]}")
    _reads(notes, _names(old, "reads"), _names(new, "reads"))
    for key, verb in _SETS.items():
        notes.names(key, verb, _names(old, key), _names(new, key))
    for key, (words, show) in _VALUES.items():
        notes.value(key, words, _present(old, key), _present(new, key), _of(show))
    branches = (
        [str(name) for name in as_list(old.get("branches"))],
        [str(n) for n in as_list(new.get("branches"))],
    )
    notes.names("branches", ("now has the branch", "no longer has the branch"), *branches)
    notes.order("branches", "branches", *branches)
    _decisions(notes, as_object(old.get("decisions")) or {}, as_object(new.get("decisions")) or {})
    _inputs(notes, as_object(old.get("in")) or {}, as_object(new.get("in")) or {})


def _reads(notes: Notes, old: Iterable[str], new: Iterable[str]) -> None:
    before, after = ({name.removesuffix("!"): name for name in names} for names in (old, new))
    for name in sorted(before.keys() | after.keys()):
        texts = before.get(name), after.get(name)
        match texts:
            case None, _:
                words = "now reads"
            case _, None:
                words = "no longer reads"
            case _ if texts[0] == texts[1]:
                continue
            case _:
                words = "now requires a value of" if texts[0] == name else "no longer requires a value of"
        notes.add(f"reads/{name}", texts, f"{notes.subject} {words} `{name}`")


def _decisions(notes: Notes, old: Form, new: Form) -> None:
    for name in sorted(old.keys() | new.keys()):
        before, after = as_object(old.get(name)), as_object(new.get(name))
        if before is None or after is None:
            words = "now offers" if before is None else "no longer offers"
            texts = _decision(name, before), _decision(name, after)
            notes.add(f"decisions/{name}", texts, f"{notes.subject} {words} the decision `{name}`")
            continue
        inner = Notes(notes.element, f"decision `{name}` of {notes.subject}", notes.changes)
        _params(inner, f"decisions/{name}/params", before.get("params"), after.get("params"))
        lists = before.get("records"), after.get("records")
        inner.value(f"decisions/{name}/records", "records", lists[0], lists[1], _calls_text)


def _decision(name: str, form: Form | None) -> str | None:
    return None if form is None else decision_text(name, form)


def _inputs(notes: Notes, old: Form, new: Form) -> None:
    for name in sorted(old.keys() | new.keys()):
        before, after = (_present(side, name) for side in (old, new))
        notes.value(f"in/{name}", f"input of `{name}`", before, after, _of(expression_text))


# --- short texts ------------------------------------------------------------------------------------------


def bounds_text(form: Any) -> str:
    """`0..1`, `..5`."""
    match form:
        case [low, high]:
            return "..".join("" if end is None else expression_text(end) for end in (low, high))
        case _:
            return json_text(form)


def merge_text(form: Any) -> str:
    """`sum`, `custom "module:function"`."""
    match form:
        case [str() as rule, str() as target]:
            return f'{rule} "{target}"'
        case _:
            return _plain(form)


def decision_text(name: str, form: Form) -> str:
    """`reject(reason: str) records AddNote(…)`."""
    params = f"({params_text(form['params'])})" if as_list(form.get("params")) else ""
    records = f" records {_calls_text(form['records'])}" if form.get("records") else ""
    return f"{name}{params}{records}"


def field_text(form: Form) -> str:
    """`float = 0.0 range 0..1`."""
    text = type_text(form.get("type"))
    text += f" = {expression_text(form['default'])}" if "default" in form else ""
    text += "".join(f" {key} {bounds_text(form[key])}" for key in ("range", "length") if key in form)
    text += f" pattern {expression_text(form['pattern'])}" if "pattern" in form else ""
    return text + (f" merge {merge_text(form['merge'])}" if "merge" in form else "")


def mutation_text(form: Form) -> str:
    """`(score: float) { score = score }`."""
    head = f"({params_text(form.get('params'))})"
    if "external" in form:
        return f'{head} = "{form["external"]}" writes {", ".join(_names(form, "writes"))}'
    return f"{head} {{ {statements_text(form.get('body'))} }}"


def record_text(form: Form) -> str:
    """`{ author: str  text: str = "" }`."""
    fields = as_object(form.get("fields")) or {}
    parts = [f"{name}: {field_text(as_object(fields[name]) or {})}" for name in sorted(fields)]
    return f"{{ {'  '.join(parts)} }}"


def members_text(form: Form) -> str:
    """`accept, reject`."""
    return ", ".join(_names(form, "members"))


def _calls_text(form: Any) -> str:
    return ", ".join(call_text(call) for call in as_list(form))


def _plain(form: Any) -> str:
    return form if isinstance(form, str) else json_text(form)


def _names(form: Form, key: str) -> list[str]:
    return [str(name) for name in as_list(form.get(key))]


def _pairs(form: Any) -> dict[str, Any]:
    pairs: dict[str, Any] = {}
    for item in as_list(form):
        match item:
            case [str() as name, value]:
                pairs[name] = value
            case _:
                pairs[json_text(item)] = None
    return pairs


def _present(form: Form, key: str) -> tuple[Any] | None:
    """The value in a tuple, so that a `none` that is there differs from nothing."""
    return (form[key],) if key in form else None


def _of(show: Callable[[Any], str]) -> Callable[[tuple[Any]], str]:
    return lambda value: show(value[0])


_SETS = {
    "records": ("now may record", "no longer may record"),
    "ensures": ("now ensures", "no longer ensures"),
    "goto": ("now may go to", "no longer may go to"),
    "modify": ("now lets the decider record", "no longer lets the decider record"),
    "reroute": ("now lets the decider send the run to", "no longer lets the decider send the run to"),
}
_VALUES: dict[str, tuple[str, Callable[[Any], str]]] = {
    "effect": ("effect", _plain),
    "timeout": ("answer when the time is over", call_text),
    "join": ("join", _plain),
    "count": ("number of branches to wait for", _plain),
    "on_error": ("on_error", _plain),
    "graph": ("graph", _plain),
    "lens": ("way to reach its state", _plain),
    "on": ("field to work on", _plain),
    "over": ("elements", expression_text),
    "item": ("name of the element", _plain),
    "out": ("mutations at the end", _calls_text),
    "max_steps": ("max_steps", _plain),
}
