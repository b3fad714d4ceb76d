"""From the enums, records and unions of a form to Python classes that read and write the same JSON.

A class is made when it is first needed. Two forms with the same declaration share its class, whatever its
label: a value can go from a graph to one that it runs, and from one version to the next.

A form does not tell in which file a union stands, and so neither whether the JSON of a record carries a tag
where no union is wanted: it is read with and without one, and written without, which generated code reads
in either case. Inside a union there is always one.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from datetime import date, datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Any, Literal
from uuid import UUID
from weakref import WeakValueDictionary

from pydantic import (
    AliasChoices,
    BaseModel,
    Field,
    create_model,
)

from ..values.state import (
    Checkpoint,
    FrozenList,
    FrozenMap,
    FrozenSet,
    Record,
)
from ..values.untagged import Json
from .late import Later, LateRecord, UnionOf
from .reading import Unfit, attributes, bare, list_of, name_of, names_of, object_of, reading
from .types import Type, kind_of, may_be, read_type

STATE_RESERVED = frozenset({"restore", "self", "snapshot"})
MODEL_RESERVED = frozenset(name for name in dir(BaseModel) if not name.startswith("_")) | {"self"}
_ENUM_RESERVED = frozenset({*dir(str), "mro", "name", "value", "self"})
_SCALARS: Mapping[str, Any] = {
    "str": str, "int": int, "float": float, "bool": bool, "bytes": bytes, "decimal": Decimal,
    "datetime": datetime, "date": date, "duration": timedelta, "uuid": UUID, "json": Json,
}  # fmt: skip
_TAGS = ("kind", "kind_", "kind__", "kind___")
_LABEL_NUMBER = re.compile(r"#[0-9]+")

# By what was declared. Weak: classes live as long as the graphs that use them.
_CLASSES: WeakValueDictionary[str, Any] = WeakValueDictionary()


class Data:
    """The declared types of one form."""

    def __init__(self, elements: Mapping[str, Any]) -> None:
        """Raises ValueError where an enum, record or union is not as it must be."""
        self.enums: dict[str, tuple[str, ...]] = {}
        self.records: dict[str, dict[str, Type]] = {}
        self.unions: dict[str, tuple[str, ...]] = {}
        self.states: dict[str, dict[str, Type]] = {}
        with reading("graph"):
            self.own = _text(object_of(elements["graph"])["state"])
            bare(self.own)
        self.states[self.own] = {}
        self.elements = elements
        self.defaults: dict[str, dict[str, Callable[[], Any]]] = {}
        # Sub-states are known by their checkpoints; states.py says how these are made.
        self.checkpoint: Callable[[str], type[Checkpoint]] = _no_checkpoints
        self._fields: dict[str, dict[str, Any]] = {}  # of states: label -> field -> element
        self._found: dict[tuple[str, str], Any] = {}
        self._closures: dict[tuple[str, str], str] = {}
        self._attributes: dict[str, dict[str, str]] = {}
        self._declared()

    def _declared(self) -> None:
        for id_ in self.elements:
            family, _, rest = id_.partition("/")
            with reading(id_):
                if family in ("enum", "record", "union"):
                    bare(rest)
                    kept: dict[str, Any] = getattr(self, f"{family}s")
                    kept[rest] = {} if family == "record" else ()
                elif family in ("state", "substate"):
                    self._field(family, rest, object_of(self.elements[id_]))
        for id_, element in self.elements.items():
            family, _, label = id_.partition("/")
            with reading(id_):
                if family == "enum":
                    self.enums[label] = tuple(dict.fromkeys(names_of(element["members"])))
                elif family == "union":
                    self.unions[label] = tuple(self._member(part) for part in list_of(element["members"]))
                elif family == "record":
                    fields = object_of(element["fields"])
                    self.records[label] = {
                        name_of(name): self.type_of(object_of(field)["type"])
                        for name, field in fields.items()
                    }

        for label, found in self._fields.items():
            for name, element in found.items():
                with reading(self.field_id(label, name)):
                    self.states[label][name] = self.type_of(element["type"])

    def _field(self, family: str, rest: str, element: Mapping[str, Any]) -> None:
        if family == "state":
            what, _, field = rest.partition("/")
            if what == "mutation":
                return
            label = self.own
        else:
            label, _, field = rest.partition("/field/")
            bare(label)
        self.states.setdefault(label, {})
        self._fields.setdefault(label, {})[name_of(field)] = element

    def fields(self, label: str) -> Mapping[str, Any]:
        """The elements of the durable fields of a state, by name."""
        return self._fields.get(label, {})

    def field_id(self, label: str, name: str) -> str:
        """The id of the element of a field of a state."""
        return f"state/field/{name}" if label == self.own else f"substate/{label}/field/{name}"

    def state_attributes(self, label: str) -> dict[str, str]:
        """The Python attribute of each field of a state."""
        found = self._attributes.get(label)
        if found is None:
            declared = {bare(name) for name in (*self.enums, *self.records, *self.unions, *self.states)}
            found = attributes(list(self.states[label]), STATE_RESERVED | declared)
            self._attributes[label] = found
        return found

    def _member(self, label: Any) -> str:
        if not isinstance(label, str) or label not in self.records:
            raise Unfit(f"there is no record `{label}` in the form")
        return label

    def known(self, family: str, label: str) -> bool:
        """Whether there is a declaration of a family."""
        return label in getattr(self, f"{family}s")

    def type_of(self, form: Any) -> Type:
        """A type from its JSON. Raises Unfit."""
        return read_type(form, self.known)

    def in_union(self, union: str, record: str) -> bool:
        """Whether a record is a member of a union."""
        return record in self.unions[union]

    def may_be(self, given: Type, wanted: Type) -> bool:
        """Whether a value of one type can be one of another."""
        return may_be(given, wanted, self.in_union)

    # --- what a declaration is ------------------------------------------------------------------------------

    def signature(self, family: str, label: str) -> str:
        """A text that two declarations share that are the same, those that they mention included."""
        found = self._closures.get((family, label))
        if found is None:
            seen: dict[tuple[str, str], None] = {}
            todo = [(family, label)]
            while todo:
                at = todo.pop()
                if at not in seen:
                    seen[at] = None
                    todo.extend(self._mentions(*at))
            texts = sorted(
                _LABEL_NUMBER.sub("", json.dumps(self._element(*at), sort_keys=True)) for at in seen
            )
            found = json.dumps([family, bare(label), *texts])
            self._closures[family, label] = found
        return found

    def _element(self, family: str, label: str) -> Any:
        if family == "state":
            return [family, label, self.fields(label)]
        return [family, label, self.elements[f"{family}/{label}"]]

    def _mentions(self, family: str, label: str) -> list[tuple[str, str]]:
        """The declarations that a declaration names, wherever it does."""
        found: list[tuple[str, str]] = []
        todo: list[Any] = [self._element(family, label)[2]]
        while todo:
            part = todo.pop()
            if isinstance(part, dict):
                todo.extend(object_of(part).values())
            elif isinstance(part, list):
                match list_of(part):
                    case ["enum" | "record" | "union" | "state" as kind, str() as name, *_]:
                        if self.known(kind, name):
                            found.append((kind, name))
                    case _:
                        pass
                todo.extend(list_of(part))
        if family == "union":
            found.extend(("record", member) for member in self.unions[label])
        return found

    # --- classes --------------------------------------------------------------------------------------------

    def enum(self, label: str) -> Any:
        """The class of an enum."""
        return self._class("enum", label, self._make_enum)

    def _make_enum(self, label: str) -> Any:
        members = attributes(list(self.enums[label]), _ENUM_RESERVED)
        return StrEnum(bare(label), [(attribute, name) for name, attribute in members.items()])

    def member(self, label: str, name: Any) -> Any:
        """A member of an enum. Raises Unfit."""
        if label not in self.enums or name not in self.enums[label]:
            raise Unfit(f"there is no `{label}.{name}` in the form")
        return self.enum(label)(name)

    def record(self, label: str) -> type[Record]:
        """The class of a record."""
        found: type[Record] = self._class("record", label, self._make_record)
        return found

    def _tags(self, label: str) -> list[str]:
        """The keys under which the tag of a union's value may stand: those that no member has as a field."""
        fields = {name for member in self.unions[label] for name in self.records[member]}
        return [tag for tag in _TAGS if tag not in fields] or [f"{_TAGS[-1]}_"]

    def record_attributes(self, label: str) -> dict[str, str]:
        """The Python attribute of each field of a record."""
        return attributes(self.records[label], MODEL_RESERVED)

    def _make_record(self, label: str) -> Any:
        fields = self.records[label]
        defaults = self.defaults.get(label, {})
        tags = [tag for tag in _TAGS if tag not in fields]
        named = self.record_attributes(label)
        made: dict[str, Any] = {
            attribute: self.model_field(name, attribute, fields[name], defaults.get(name))
            for name, attribute in named.items()
        }
        hidden = "lg_tag"
        while hidden in made:
            hidden += "_"
        name = bare(label)
        tag: Any = Literal[name]  # pyright: ignore[reportGeneralTypeIssues]
        made[hidden] = (
            tag,
            Field(default=name, validation_alias=AliasChoices(*tags), exclude=True, repr=False),
        )
        return create_model(name, __base__=LateRecord, **made)

    def model_field(self, name: str, attribute: str, type_: Type, default: Callable[[], Any] | None) -> Any:
        """One field of a pydantic class."""
        more: dict[str, Any] = {}
        if default is not None:
            more["default_factory"] = default
        elif kind_of(type_) == "optional":
            more["default"] = None
        if attribute != name:
            more["alias"] = name
        return (self.annotation(type_), Field(**more))

    def required_field(self, name: str, attribute: str, type_: Type) -> Any:
        """One field of a pydantic class that must be given."""
        return (self.annotation(type_), Field(alias=name) if attribute != name else Field())

    def annotation(self, type_: Type) -> Any:
        """The annotation of a type, as it stands in generated models."""
        match type_:
            case str():
                return _SCALARS[type_]
            case ("optional", item):
                return self.annotation(item) | None
            case ("list", item):
                return FrozenList[self.annotation(item)]  # type: ignore[misc]
            case ("set", item):
                return FrozenSet[self.annotation(item)]  # type: ignore[misc]
            case ("dict", key, value):
                return FrozenMap[self.annotation(key), self.annotation(value)]  # type: ignore[misc]
            case ("enum", label):
                return self.enum(label)
            case ("union", label):
                if len(self.unions[label]) == 1:
                    return self.annotation(("record", self.unions[label][0]))
                return Annotated[Any, UnionOf(self.record, self.unions[label], self._tags(label))]
            case (kind, label):
                return Annotated[Any, Later(self.record if kind == "record" else self.checkpoint, label)]
            case _:
                raise Unfit(f"{type_!r} is no type")

    def _class(self, family: str, label: str, make: Callable[[str], Any]) -> Any:
        found = self._found.get((family, label))
        if found is None:
            found = self._found[family, label] = self.shared(self.signature(family, label), make, label)
        return found

    def shared(self, signature: str, make: Callable[[str], Any], label: str) -> Any:
        """The class of that signature, made where there is none."""
        found = _CLASSES.get(signature)
        if found is None:
            found = make(label)
            _CLASSES[signature] = found
        return found


def _no_checkpoints(label: str) -> type[Checkpoint]:
    raise Unfit(f"the state `{label}` is not known")


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise Unfit(f"{value!r} is no name")
    return value
