"""From the canonical JSON of a graph, which anybody may have written, to its shape.

Only what migrations ask for is looked at, and all of that is checked: a form that has another form than the
compiler writes is a ValueError that names the element.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from decimal import Decimal, InvalidOperation
from typing import TypeVar

from .. import model as m
from ..canonical import hash_of_elements, read_elements
from ..canonical.jcs import Json
from ..types import SCALARS
from .shape import KINDS, Held, Params, Shape, Spot, Update

T = TypeVar("T")
Form = Mapping[str, Json]

_LABEL = re.compile(r"([A-Za-z_]\w*)(?:#[0-9]{1,9})?", re.ASCII)
_DEEPEST = 250  # levels of a type


class _Unfit(ValueError):
    """A part of a form that is not as it must be."""


def read_form(text: str) -> Shape:
    """The shape of the graph of a stored form.

    Raises:
        ValueError: it is not a canonical form, or not one that this version can read.
    """
    elements = read_elements(text)
    return _Reader(hash_of_elements(elements).full, elements).shape()


class _Reader:
    """Reads one form; `hash` stands in the keys of its declarations."""

    def __init__(self, hash: str, elements: Mapping[str, Form]) -> None:
        self._hash = hash
        self._elements = elements

    def shape(self) -> Shape:
        """All of it."""
        enums: dict[m.Key, tuple[str, ...]] = {}
        records: dict[m.Key, Mapping[str, Held]] = {}
        unions: dict[m.Key, tuple[m.Key, ...]] = {}
        states: dict[m.Key, dict[str, Held]] = {}
        graphs: dict[str, str] = {}
        for family, label, id in self._of("enum", "record", "union", "subgraph"):
            key = self._key(label)
            if family == "enum":
                enums[key] = self._read(id, self._members)
            elif family == "record":
                records[key] = self._read(id, self._record)
            elif family == "union":
                unions[key] = tuple(map(self._key, self._read(id, self._members)))
            else:
                graphs[label] = self._read(id, lambda form: _text(form.get("hash")))
        name, state = self._read("graph", lambda form: (_name(form.get("name")), self._label(form, "state")))
        fields = dict(self._fields("state/field/"))
        states[self._key(state)] = fields
        for id in self._elements:
            family, _, rest = id.partition("/")
            if family == "substate":
                label, _, field = rest.partition("/field/")
                states.setdefault(self._key(label), {})[field] = self._read(id, self._field)
        shape = Shape(
            name, self._hash, fields, dict(self._mutations()), dict(self._nodes()),
            enums, records, unions, states, graphs,
        )  # fmt: skip
        _demand_declared(shape)
        return shape

    # --- elements -------------------------------------------------------------------------------------------

    def _of(self, *families: str) -> Iterator[tuple[str, str, str]]:
        for id in self._elements:
            family, _, label = id.partition("/")
            if family in families:
                yield family, label, id

    def _read(self, id: str, read: Callable[[Form], T]) -> T:
        try:
            return read(self._elements[id])
        except _Unfit as problem:
            raise ValueError(f"not a canonical form: the element `{id}`: {problem}") from None
        except RecursionError:
            raise ValueError(f"not a canonical form: the element `{id}` is nested too deep") from None

    def _key(self, label: str) -> m.Key:
        return m.Key(self._hash, label)

    def _label(self, form: Form, name: str) -> str:
        return _label(form.get(name))

    def _fields(self, prefix: str) -> Iterator[tuple[str, Held]]:
        for id in self._elements:
            if id.startswith(prefix):
                yield id.removeprefix(prefix), self._read(id, self._field)

    def _mutations(self) -> Iterator[tuple[str, Update]]:
        prefix = "state/mutation/"
        for id in self._elements:
            if id.startswith(prefix):
                yield id.removeprefix(prefix), self._read(id, self._mutation)

    def _nodes(self) -> Iterator[tuple[str, Spot]]:
        for _, name, id in self._of("node"):
            yield name, self._read(id, self._node)

    # --- data -----------------------------------------------------------------------------------------------

    def _members(self, form: Form) -> tuple[str, ...]:
        return tuple(_label(member) for member in _list(form.get("members")))

    def _record(self, form: Form) -> Mapping[str, Held]:
        return {
            _name(name): self._field(_object(field)) for name, field in _object(form.get("fields")).items()
        }

    def _field(self, form: Form) -> Held:
        pattern = form.get("pattern")
        return Held(
            self._type(form.get("type")),
            "default" in form,
            None,
            _bounds(form.get("range")),
            _bounds(form.get("length")),
            None if pattern is None else _text(pattern),
        )

    def _mutation(self, form: Form) -> Update:
        if "body" in form:
            paths = [_list(_object(one).get("path")) for one in _list(form["body"])]
            writes = frozenset(_text(path[0]) for path in paths if path)
        else:
            writes = _texts(form, "writes")
        return Update(self._params(form.get("params")), writes, "external" in form)

    def _params(self, written: Json) -> Params:
        found: list[tuple[str, m.Type]] = []
        for param in _list(written):
            match param:
                case [str() as name, type]:
                    found.append((_name(name), self._type(type)))
                case _:
                    raise _Unfit(f"{_shown(param)} is no parameter")
        return tuple(found)

    def _type(self, written: Json, depth: int = 0) -> m.Type:
        if depth > _DEEPEST:
            raise _Unfit("a type is nested too deep")
        match written:
            case str() if written in SCALARS:
                return SCALARS[written]
            case ["optional", item]:
                inner = self._type(item, depth + 1)
                return inner if isinstance(inner, m.OptionalOf) else m.OptionalOf(inner)
            case ["list", item]:
                return m.ListOf(self._type(item, depth + 1))
            case ["set", item]:
                return m.SetOf(self._type(item, depth + 1))
            case ["dict", key, value]:
                return m.DictOf(self._type(key, depth + 1), self._type(value, depth + 1))
            case ["enum", label]:
                return m.EnumType(self._key(_label(label)))
            case ["record", label]:
                return m.RecordType(self._key(_label(label)))
            case ["union", label]:
                return m.UnionType(self._key(_label(label)))
            case ["state", label]:
                return m.StateType(self._key(_label(label)))
            case _:
                raise _Unfit(f"{_shown(written)} is no type")

    # --- nodes ----------------------------------------------------------------------------------------------

    def _node(self, form: Form) -> Spot:
        kind = _text(form.get("kind"))
        if kind not in KINDS.values():
            raise _Unfit(f"{_shown(kind)} is no kind of node")
        region = _text(form.get("region", ""))
        if kind == "barrier":
            return self._barrier(form, region)
        if kind not in ("subgraph", "map"):
            return Spot(kind, region, records=_texts(form, "records"))
        lens = _text(form.get("lens"))
        return Spot(
            kind,
            region,
            records=_called(form.get("out", [])),
            graph=_label(form.get("graph")),
            lens=lens,
            field=_text(form.get("on")) if lens == "field" else "",
        )

    def _barrier(self, form: Form, region: str) -> Spot:
        decisions: dict[str, Params] = {}
        records: set[str] = set()
        for name, offered in _object(form.get("decisions")).items():
            answer = _object(offered)
            decisions[_name(name)] = self._params(answer.get("params"))
            records |= _called(answer.get("records", []))
        modify, reroute = _texts(form, "modify"), _texts(form, "reroute")
        return Spot("barrier", region, decisions, modify, reroute, frozenset(records))


# --- parts of JSON ------------------------------------------------------------------------------------------


def _called(written: Json) -> frozenset[str]:
    """The mutations of `records` and `out`: each a name and arguments."""
    found: set[str] = set()
    for call in _list(written):
        match call:
            case [str() as name, _]:
                found.add(_name(name))
            case _:
                raise _Unfit(f"{_shown(call)} is no mutation with arguments")
    return frozenset(found)


def _bounds(written: Json) -> m.Bounds | None:
    match written:
        case None:
            return None
        case [low, high]:
            return m.Bounds(_number(low), _number(high))
        case _:
            raise _Unfit(f"{_shown(written)} are no bounds")


def _number(written: Json) -> m.Number | None:
    match written:
        case None:
            return None
        case bool():
            pass
        case int():
            return written
        case ["int" | "float" | "decimal", str() as digits] if len(digits) < 10_000:
            try:
                return int(digits, 16) if "x" in digits else Decimal(digits)
            except (ValueError, InvalidOperation):
                pass
        case _:
            pass
    raise _Unfit(f"{_shown(written)} is no number")


def _texts(form: Form, name: str) -> frozenset[str]:
    return frozenset(_text(item) for item in _list(form.get(name, [])))


def _text(written: Json) -> str:
    if not isinstance(written, str):
        raise _Unfit(f"{_shown(written)} is no text")
    return written


def _name(written: Json) -> str:
    if not isinstance(written, str) or not written.isidentifier():
        raise _Unfit(f"{_shown(written)} is no name")
    return written


def _label(written: Json) -> str:
    if not isinstance(written, str) or not _LABEL.fullmatch(written):
        raise _Unfit(f"{_shown(written)} is no name")
    return written


def _list(written: Json) -> list[Json]:
    if not isinstance(written, list):
        raise _Unfit(f"{_shown(written)} is no array")
    return written


def _object(written: Json) -> Form:
    if not isinstance(written, dict):
        raise _Unfit(f"{_shown(written)} is no object")
    return written


def _shown(written: Json) -> str:
    text = repr(written)
    return text if len(text) <= 60 else f"{text[:57]}..."


# --- the whole ----------------------------------------------------------------------------------------------


def _demand_declared(shape: Shape) -> None:
    """Raise where a type is named that the form does not hold."""
    held = [*shape.fields.values(), *(one for fields in shape.records.values() for one in fields.values())]
    held += (one for fields in shape.states.values() for one in fields.values())
    types = [one.type for one in held]
    types += (type for update in shape.mutations.values() for _, type in update.params)
    for spot in shape.nodes.values():
        types += (type for params in spot.decisions.values() for _, type in params)
    types += (m.RecordType(key) for members in shape.unions.values() for key in members)
    while types:
        match types.pop():
            case m.OptionalOf(item) | m.ListOf(item) | m.SetOf(item):
                types.append(item)
            case m.DictOf(key, value):
                types += (key, value)
            case m.EnumType(key) if key not in shape.enums:
                raise _undeclared("enum", key)
            case m.RecordType(key) if key not in shape.records:
                raise _undeclared("record", key)
            case m.UnionType(key) if key not in shape.unions:
                raise _undeclared("union", key)
            case _:  # a sub-state without durable fields has no element
                pass


def _undeclared(family: str, key: m.Key) -> ValueError:
    return ValueError(f"not a canonical form: it names {family} `{key.name}`, but does not hold it")
