"""From a resolved graph to its canonical form and its hash.

The canonical form is a JSON value of everything that can change what a run does, and of nothing else:

    {"elements": {ID: ELEMENT, …}, "form": "lg1"}

`canonical_elements` says which elements there are, `canonical_values` and `canonical_expressions` how types,
constants and expressions are written. An element's hash is the SHA-256 of its id, a line end and its RFC 8785
text. The graph's hash is the SHA-256 of the RFC 8785 text of the object that maps every id to its element's
hash (64 hex digits). It is written `lg1:` and 64 hex digits; `lg1` names this form, and any change of what is
covered or how needs another name.

The operational form (`canonical_operational`) is built and hashed in the same way and written `lg1o:`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from hashlib import sha256

from .. import model as m
from . import jcs
from .elements import Elements
from .jcs import Json
from .operational import operational_elements

FORM = "lg1"
OPERATIONAL_FORM = "lg1o"
SHORT_DIGITS = 16

_ELEMENT_ID = re.compile(
    r"graph|edges/\w+(?:/\w+/start)?|(?:state|substate/[\w#]+)/(?:field|mutation)/\w+"
    r"|(?:enum|record|union|node|subgraph)/[\w#]+",
    re.ASCII,
)
_encode = json.JSONEncoder(
    ensure_ascii=False, check_circular=False, allow_nan=False, sort_keys=True, separators=(",", ":")
).encode


@dataclass(frozen=True, slots=True)
class GraphHash:
    """A graph's hash, `lg1:` (or `lg1o:`) and 64 hex digits."""

    full: str

    @property
    def short(self) -> str:
        """The prefix and the first 16 digits."""
        prefix, _, digits = self.full.partition(":")
        return f"{prefix}:{digits[:SHORT_DIGITS]}"

    def matches(self, written: str) -> bool:
        """Whether a person meant this hash: in full or short (at least 16 digits), with or without prefix."""
        prefix, _, digits = self.full.partition(":")
        given = written.removeprefix(f"{prefix}:")
        return len(given) >= SHORT_DIGITS and digits.startswith(given)

    def __str__(self) -> str:
        return self.full


def graph_hash(program: m.Program, key: m.Key) -> GraphHash:
    """The hash of a graph.

    Raises:
        ValueError: the graph contains itself.
    """
    return _forms(program).of(key).hash


def elements(program: m.Program, key: m.Key) -> Mapping[str, str]:
    """The hash (64 hex digits) of each element by its id, sorted by id."""
    return dict(_forms(program).of(key).hashes)


def element_labels(program: m.Program, key: m.Key) -> Mapping[m.Key, str]:
    """What the canonical form calls the declarations that it mentions: `Note`, a second one `Note#2`."""
    return _forms(program).of(key).labels


def canonical_text(program: m.Program, key: m.Key) -> str:
    """The canonical form as RFC 8785 text; the hash can be made from it alone (`hash_of_text`)."""
    return _joined(_forms(program).of(key).texts, FORM)


def canonical_form(program: m.Program, key: m.Key) -> dict[str, Json]:
    """The canonical form as a JSON value."""
    found = dict(Elements(program, program.graphs[key], _forms(program).inner(key)))
    return {"form": FORM, "elements": dict(sorted(found.items()))}


def operational_hash(program: m.Program, key: m.Key) -> GraphHash:
    """The hash of what only changes how a graph is run."""
    return _operational_forms(program).of(key).hash


def operational_element_hashes(program: m.Program, key: m.Key) -> Mapping[str, str]:
    """The hash (64 hex digits) of each element of the operational form by its id, sorted by id."""
    return dict(_operational_forms(program).of(key).hashes)


def operational_text(program: m.Program, key: m.Key) -> str:
    """The operational form as RFC 8785 text."""
    return _joined(_operational_forms(program).of(key).texts, OPERATIONAL_FORM)


def operational_form(program: m.Program, key: m.Key) -> dict[str, Json]:
    """The operational form as a JSON value."""
    inner = _operational_forms(program).inner(key)
    return {"form": OPERATIONAL_FORM, "elements": operational_elements(program.graphs[key], inner)}


def hash_of_text(text: str) -> GraphHash:
    """The hash of the graph whose canonical JSON this is; its layout (spaces, order of keys) is free.

    Raises:
        ValueError: it is not a canonical form.
    """
    return hash_of_elements(read_elements(text))


def hash_of_elements(found: Mapping[str, Mapping[str, Json]]) -> GraphHash:
    """The same from the elements of a form that is read already (`read_elements`)."""
    return _Hashed.of(found.items(), FORM).hash


# --- one graph --------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Hashed:
    """One form of one graph: its elements as texts and as hashes, and the hash over these."""

    texts: Mapping[str, str]
    hashes: Mapping[str, str]
    hash: GraphHash
    labels: Mapping[m.Key, str] = field(default_factory=dict[m.Key, str])  # what declarations are called

    @classmethod
    def of(cls, found: Iterable[tuple[str, Mapping[str, Json]]], form: str) -> _Hashed:
        texts = dict(sorted((id_, _text(element)) for id_, element in found))
        hashes = {id_: sha256(f"{id_}\n{text}".encode()).hexdigest() for id_, text in texts.items()}
        return cls(texts, hashes, GraphHash(f"{form}:{sha256(_text(hashes).encode()).hexdigest()}"))


def _text(value: Mapping[str, Json]) -> str:
    """RFC 8785 text, by the standard library where it writes the same.

    The forms hold no floats and no large integers, and their keys are ASCII: that leaves only strings to
    differ in, and these are escaped alike. The library's writer is recursive; ours is not.
    """
    try:
        return _encode(value)
    except RecursionError:
        return jcs.write(value)


def _joined(texts: Mapping[str, str], form: str) -> str:
    inside = ",".join([f'"{id_}":{text}' for id_, text in texts.items()])
    return f'{{"elements":{{{inside}}},"form":"{form}"}}'


# --- all graphs of a program --------------------------------------------------------------------------------


class _Forms:
    """The forms of a program's graphs, each made once: a graph's form holds the hashes of those it runs."""

    def __init__(self, program: m.Program, operational: bool) -> None:
        self.program = program
        self._operational = operational
        self._made: dict[m.Key, _Hashed] = {}

    def of(self, key: m.Key) -> _Hashed:
        """The form of one graph, after those of the graphs that it runs, without recursion."""
        stack, open_ = [key], dict.fromkeys((key,))
        while stack:
            at = stack[-1]
            graph = self.program.graphs[at]
            missing = [inner for inner in _graphs_run(graph) if inner not in self._made]
            if missing:
                if missing[0] in open_:
                    raise ValueError(f"graph `{missing[0].name}` contains itself")
                open_[missing[0]] = None
                stack.append(missing[0])
            else:
                stack.pop()
                del open_[at]
                if at not in self._made:
                    self._made[at] = self._make(graph)
        return self._made[key]

    def inner(self, key: m.Key) -> dict[m.Key, str]:
        """The hashes of the graphs that a graph runs."""
        return {inner: self.of(inner).hash.full for inner in _graphs_run(self.program.graphs[key])}

    def _make(self, graph: m.Graph) -> _Hashed:
        hashes = {inner: self._made[inner].hash.full for inner in _graphs_run(graph)}
        if self._operational:
            return _Hashed.of(operational_elements(graph, hashes).items(), OPERATIONAL_FORM)
        elements = Elements(self.program, graph, hashes)
        return replace(_Hashed.of(elements, FORM), labels=elements.labels)


def _graphs_run(graph: m.Graph) -> Iterable[m.Key]:
    return dict.fromkeys(node.graph for node in graph.nodes if isinstance(node, m.Subgraph | m.MapNode))


_latest: dict[bool, _Forms] = {}  # of the program asked for last: callers ask for one graph after the other


def _forms(program: m.Program, operational: bool = False) -> _Forms:
    forms = _latest.get(operational)
    if forms is None or forms.program is not program:
        forms = _latest[operational] = _Forms(program, operational)
    return forms


def _operational_forms(program: m.Program) -> _Forms:
    return _forms(program, operational=True)


# --- stored text --------------------------------------------------------------------------------------------


def read_elements(text: str) -> dict[str, dict[str, Json]]:
    """The elements of a stored form by their ids, as far as hashing needs them checked.

    Raises:
        ValueError: it is not a canonical form.
    """
    try:
        value: Json = json.loads(
            text, object_pairs_hook=_no_twins, parse_float=_refuse, parse_constant=_refuse
        )
        jcs.write(value)  # refuses what has no canonical form
    except RecursionError as error:
        raise ValueError("not a canonical form: nested too deep") from error
    except ValueError as error:
        raise ValueError(f"not a canonical form: {error}") from error
    if not isinstance(value, dict) or set(value) != {"elements", "form"}:
        raise ValueError('not a canonical form: it must be an object with "elements" and "form"')
    if value["form"] != FORM:
        raise ValueError(f"not a canonical form that this version reads: {value['form']!r}, not {FORM!r}")
    found = value["elements"]
    if not isinstance(found, dict) or "graph" not in found:
        raise ValueError("not a canonical form: no graph among its elements")
    result: dict[str, dict[str, Json]] = {}
    for id_, element in found.items():
        if not _ELEMENT_ID.fullmatch(id_):
            raise ValueError(f"not a canonical form: {id_!r} is no element")
        if not isinstance(element, dict):
            raise ValueError(f"not a canonical form: the element {id_!r} is not an object")
        result[id_] = element
    return result


def _no_twins(pairs: list[tuple[str, Json]]) -> dict[str, Json]:
    value = dict(pairs)
    if len(value) != len(pairs):
        raise ValueError("a key stands twice in one object")
    return value


def _refuse(text: str) -> Json:
    raise ValueError(f"the number {text} is not written as this form writes numbers")
