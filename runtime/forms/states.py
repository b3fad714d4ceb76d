"""From the fields of a state in a form to a class that the machine can work with, and its checkpoint.

Transient fields are no part of a form: such a state has none.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, ClassVar, NamedTuple

from pydantic import create_model

from ..values.state import Checkpoint, State
from .constraints import check_of, merge_of
from .data import MODEL_RESERVED, Data
from .defaults import Constants
from .late import LateCheckpoint
from .limits import refuse_endless
from .reading import attributes, bare, reading
from .types import Type, base, is_collection, kind_of


class Part(NamedTuple):
    """One field of a state: its name, its attributes in the state and in the checkpoint, how a value of it
    is taken over, and what it is where nothing is given."""

    name: str
    attribute: str
    stored: str
    take: Callable[[Any], Any]
    default: Callable[[], Any] | None
    is_state: bool


class FormState(State):
    """Base of states that are made of forms."""

    __slots__ = ()

    __lg_parts__: ClassVar[tuple[Part, ...]]
    __lg_signature__: ClassVar[str]
    __lg_data__: ClassVar[Data]
    __lg_label__: ClassVar[str]

    def __init__(self, /, **values: Any) -> None:
        """Raises TypeError where a field has no value and no default."""
        self.__lg_shared__ = None
        for part in self.__lg_parts__:
            if part.name in values:
                value = part.take(values[part.name])
            elif part.default is not None:
                value = part.take(part.default())
            else:
                raise TypeError(f"`{self.__lg_name__}` needs a value for `{part.name}`")
            setattr(self, part.attribute, value)

    def snapshot(self) -> Any:
        """The durable fields, as a value."""
        values = {
            part.name: getattr(self, part.attribute).snapshot()
            if part.is_state
            else getattr(self, part.attribute)
            for part in self.__lg_parts__
        }
        return self.__lg_checkpoint__(**values)

    @classmethod
    def restore(cls, checkpoint: Any, transients: Mapping[str, object]) -> Any:
        """A state from its durable fields."""
        return cls(**{part.name: getattr(checkpoint, part.stored) for part in cls.__lg_parts__})


class States:
    """The classes of the states of one form."""

    def __init__(self, data: Data, inner: Mapping[str, type[State]]) -> None:
        """`inner` holds, by signature, the states of the graphs that are run: they have mutations."""
        self.data = data
        self._inner = inner
        self._classes: dict[str, type[State]] = {}
        self._checkpoints: dict[str, type[Checkpoint]] = {}
        self._defaults: dict[str, dict[str, Callable[[], Any]]] = {}
        self._bare: dict[str, bool] = {}
        data.checkpoint = self.checkpoint
        refuse_endless(data)
        constants = Constants(data)
        for label, fields in data.records.items():
            with reading(f"record/{label}"):
                elements = data.elements[f"record/{label}"]["fields"]
                data.defaults[label] = constants.defaults(elements, fields)
        for label, fields in data.states.items():
            self._defaults[label] = {}
            for name, element in data.fields(label).items():
                with reading(data.field_id(label, name)):
                    self._defaults[label] |= constants.defaults({name: element}, {name: fields[name]})

    def stored_attributes(self, label: str) -> dict[str, str]:
        """The attribute of each field in the checkpoint of a state."""
        return attributes(list(self.data.states[label]), MODEL_RESERVED)

    def checkpoint(self, label: str) -> type[Checkpoint]:
        """The class of a state's durable fields."""
        found = self._checkpoints.get(label)
        if found is None:
            signature = f"checkpoint {self.data.signature('state', label)}"
            found = self._checkpoints[label] = self.data.shared(signature, self._make_checkpoint, label)
        return found

    def _make_checkpoint(self, label: str) -> Any:
        fields, made = self.data.states[label], dict[str, Any]()
        for name, attribute in self.stored_attributes(label).items():
            default = self._defaults[label].get(name)
            type_ = fields[name]
            if kind_of(type_) == "state" and self._from_nothing(type_[1]):
                default = self.checkpoint(type_[1])
            made[attribute] = self.data.model_field(name, attribute, type_, default)
        return create_model(f"{bare(label)}Checkpoint", __base__=LateCheckpoint, **made)

    def _from_nothing(self, label: str) -> bool:
        """Whether a state can be made without any value."""
        found = self._bare.get(label)
        if found is None:
            found = self._bare[label] = all(
                name in self._defaults[label]
                or kind_of(type_) == "optional"
                or (kind_of(type_) == "state" and self._from_nothing(type_[1]))
                for name, type_ in self.data.states[label].items()
            )
        return found

    def state(self, label: str) -> type[State]:
        """The class of a state; that of the graph itself is still without mutations."""
        found = self._classes.get(label)
        if found is None:
            if label != self.data.own:
                found = self._inner.get(self.data.signature("state", label))
            found = self._classes[label] = found or self._make(label)
        return found

    def _make(self, label: str) -> type[State]:
        data = self.data
        fields, named = data.states[label], data.state_attributes(label)
        name = bare(label)
        checks: dict[str, Callable[[Any], str | None]] = {}
        merges: dict[str, tuple[str, Any]] = {}
        for field, element in data.fields(label).items():
            with reading(data.field_id(label, field)):
                check = check_of(field, named[field], fields[field], element, data)
                if check is not None:
                    checks[field] = check
                if "merge" in element:
                    merges[field] = merge_of(field, element["merge"])
        return type(
            name,
            (FormState,),
            {
                "__slots__": tuple(named.values()),
                "__lg_name__": name,
                "__lg_fields__": dict(named),
                "__lg_transients__": (),
                "__lg_collections__": frozenset(named[f] for f, t in fields.items() if is_collection(t)),
                "__lg_substates__": frozenset(named[f] for f, t in fields.items() if kind_of(t) == "state"),
                "__lg_checks__": checks,
                "__lg_merges__": merges,
                "__lg_mutations__": {},
                "__lg_checkpoint__": self.checkpoint(label),
                "__lg_parts__": tuple(self._parts(label)),
                "__lg_signature__": data.signature("state", label),
                "__lg_data__": data,
                "__lg_label__": label,
            },
        )

    def _parts(self, label: str) -> list[Part]:
        named, stored = self.data.state_attributes(label), self.stored_attributes(label)
        found: list[Part] = []
        for field, type_ in self.data.states[label].items():
            default = self._defaults[label].get(field)
            take = _taking(type_)
            if kind_of(type_) == "state":
                inner = self.state(type_[1])
                take = _taking_state(inner)
                default = inner if self._from_nothing(type_[1]) else None
            elif default is None and kind_of(type_) == "optional":
                default = _none
            found.append(Part(field, named[field], stored[field], take, default, kind_of(type_) == "state"))
        return found


def _none() -> None:
    return None


def _taking(type_: Type) -> Callable[[Any], Any]:
    """How a state takes a value over: a collection as one that it may change."""
    match kind_of(base(type_)):
        case "list":
            copy: Callable[[Any], Any] = list
        case "set":
            copy = set
        case "dict":
            copy = dict
        case _:
            return _same
    return lambda value: None if value is None else copy(value)


def _same(value: Any) -> Any:
    return value


def _taking_state(inner: type[State]) -> Callable[[Any], Any]:
    def take(value: Any) -> Any:
        if isinstance(value, inner):
            return value
        return inner.restore(value.snapshot() if isinstance(value, State) else value, {})

    return take
