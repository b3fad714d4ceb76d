"""The bases of generated classes: states, views, mutations and records, and the undo of a step.

A state is a plain object with slots, owned by one frame of a run. Its list, set and dict fields are changed
in place (a step must not cost what the collection costs), so three things keep that safe:

* values inside (records, nested collections) are immutable, hence never copied;
* a state that shares a collection with another one (a branch with its fork) copies it before the first
  change: `__lg_shared__` names the fields that are still shared;
* `Undo` remembers what a step changed, so that a step which is refused leaves no trace.

Names of the form `__lg_…__` cannot be declared in the language, so nothing here meets a user's name.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import (
    Mapping,
    Sequence,
    Set,
)
from types import MappingProxyType
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal, TypeAlias, TypeVar

from pydantic import AfterValidator, BaseModel, ConfigDict, GetCoreSchemaHandler, PlainSerializer, Strict
from pydantic_core import CoreSchema, core_schema

from .views import ListView

if TYPE_CHECKING:
    from .undo import Undo

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)
K = TypeVar("K")
V = TypeVar("V")

WriteKind: TypeAlias = Literal["set", "add", "append", "union", "max", "min", "sub", "put", "delete"]

# --- values -----------------------------------------------------------------------------------------------


class FrozenDict(dict[K, V]):
    """A dict that refuses changes, so that a value holding it can be shared."""

    def _refuse(self, *_: object, **__: object) -> Any:
        raise TypeError("values of a state are read-only; record a mutation instead")

    __setitem__ = __delitem__ = __ior__ = _refuse
    clear = pop = popitem = setdefault = update = _refuse  # pyright: ignore[reportAssignmentType]

    def __hash__(self) -> int:  # type: ignore[override]
        return hash(frozenset(self.items()))

    def __copy__(self) -> FrozenDict[K, V]:
        return self

    def __deepcopy__(self, _: object) -> FrozenDict[K, V]:
        return self


def _sorted_set(value: Set[Any]) -> list[Any]:
    # Sets have no order; stored text must not depend on the hash seed.
    return sorted(value, key=lambda item: str(item) if not isinstance(item, int) else f"{item:+020d}")


def _plain(value: Any) -> Any:
    # What a task saw in its view may be recorded again: pydantic takes only the plain collection.
    held: Any = value
    if isinstance(held, ListView):
        return held.__lg_items__  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType]
    if isinstance(held, MappingProxyType):
        return dict(held)  # pyright: ignore[reportUnknownArgumentType, reportUnknownVariableType]
    return held


class _Plain:
    """Lets views in, from Python only: behind a Python function pydantic would read JSON's dates as text."""

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        schema = handler(source)
        made = core_schema.no_info_before_validator_function(_plain, schema)
        return core_schema.json_or_python_schema(json_schema=schema, python_schema=made)


FrozenList = Annotated[Sequence[T], _Plain(), AfterValidator(tuple)]
# Strict pydantic takes no plain set for an abstract one; only the collection is lax, its items are not.
FrozenSet = Annotated[Set[T], Strict(False), AfterValidator(frozenset), PlainSerializer(_sorted_set)]
FrozenMap = Annotated[Mapping[K, V], _Plain(), AfterValidator(FrozenDict)]

STORED = ConfigDict(
    frozen=True,
    extra="forbid",
    strict=True,
    ser_json_bytes="base64",
    val_json_bytes="base64",
    ser_json_inf_nan="constants",
    ser_json_timedelta="iso8601",
    validate_by_name=False,
    validate_by_alias=True,
    serialize_by_alias=True,
    protected_namespaces=(),
)


# What comes from outside holds no infinities: JSON has no word for them.
GIVEN = STORED.copy()
GIVEN["allow_inf_nan"] = False


class Record(BaseModel):
    """Base of generated records: immutable, compared by content."""

    model_config = GIVEN


class Checkpoint(BaseModel):
    """Base of `SCheckpoint`: the durable fields of a state, as a value."""

    model_config = STORED


class Answer(BaseModel):
    """Base of the arguments of a barrier's decision."""

    model_config = GIVEN


class Mutation(BaseModel):
    """Base of generated mutations: a command with typed parameters.

    `__lg_writes__` maps each field that it may change (`f`, or `sub.f` below a sub-state or record) to how.
    """

    model_config = GIVEN

    if TYPE_CHECKING:  # pydantic would evaluate them again for each class
        __lg_name__: ClassVar[str]
        __lg_writes__: ClassVar[Mapping[str, WriteKind]]
        __lg_external__: ClassVar[bool] = False
    else:
        __lg_external__ = False

    def __lg_apply__(self, state: Any, undo: Undo, /) -> None:
        """Change `state`, telling `undo` first. Raises EvaluationError."""
        raise NotImplementedError


class ExternalMutation(Mutation):
    """Base of mutations that a Python function computes (the escape hatch).

    The function is called once, before the commit; its result is stored with the mutation, so that replaying
    calls no user code.
    """

    if TYPE_CHECKING:
        __lg_target__: ClassVar[str]
        __lg_result__: ClassVar[type[Checkpoint]]
    __lg_external__ = True

    def __lg_assign__(self, state: Any, undo: Undo, result: Any, /) -> None:
        """Give the written fields the values of `result`, an instance of `__lg_result__`."""
        raise NotImplementedError


# --- states -----------------------------------------------------------------------------------------------


class State:
    """Base of generated states.

    `__lg_fields__` maps a field's name to its Python attribute, in the order declared; `__lg_transients__`
    holds the names of transient fields; `__lg_collections__` the attributes that hold a list, set or dict;
    `__lg_checks__` maps a constrained field to a function that says what a state breaks, or None;
    `__lg_merges__` maps a field to its merge rule, with a function for `custom`.
    """

    __slots__ = ("__lg_shared__",)

    __lg_name__: ClassVar[str]
    __lg_fields__: ClassVar[Mapping[str, str]]
    __lg_transients__: ClassVar[tuple[str, ...]]
    __lg_collections__: ClassVar[frozenset[str]]
    __lg_substates__: ClassVar[frozenset[str]]
    __lg_checks__: ClassVar[Mapping[str, Any]]
    __lg_merges__: ClassVar[Mapping[str, tuple[str, Any]]]
    __lg_mutations__: ClassVar[Mapping[str, type[Mutation]]]
    __lg_checkpoint__: ClassVar[type[Checkpoint]]

    __lg_shared__: set[str] | None

    @abstractmethod
    def snapshot(self) -> Any:
        """The durable fields as an immutable `SCheckpoint`."""

    @classmethod
    @abstractmethod
    def restore(cls, checkpoint: Any, transients: Mapping[str, object]) -> Any:
        """A state from a checkpoint and the values of the transient fields."""

    def __lg_fork__(self) -> Any:
        """A state with the same values; neither sees the other's later changes. Costs one pass of fields."""
        new = object.__new__(type(self))
        for attribute in self.__lg_fields__.values():
            setattr(new, attribute, getattr(self, attribute))
        collections = self.__lg_collections__
        new.__lg_shared__ = set(collections) if collections else None
        shared = self.__lg_shared__
        if collections and (
            shared is None or len(shared) < len(collections)
        ):  # not for each of many branches
            self.__lg_shared__ = set(collections)
        for attribute in self.__lg_substates__:
            inner = getattr(self, attribute)
            if inner is not None:
                setattr(new, attribute, inner.__lg_fork__())
        return new

    def __lg_copy__(self) -> Any:
        """A state with the same values for someone outside: whatever they do to it, nothing shares it."""
        new = object.__new__(type(self))
        for attribute in self.__lg_fields__.values():
            value = getattr(self, attribute)
            if attribute in self.__lg_substates__:
                value = value.__lg_copy__()
            elif attribute in self.__lg_collections__ and value is not None:
                value = value.copy()
            setattr(new, attribute, value)
        new.__lg_shared__ = None
        return new

    def __eq__(self, other: object) -> bool:
        if type(other) is not type(self):
            return NotImplemented
        return all(getattr(self, a) == getattr(other, a) for a in self.__lg_fields__.values())

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        shown = ", ".join(
            f"{name}={getattr(self, attribute, ...)!r}" for name, attribute in self.__lg_fields__.items()
        )
        return f"{type(self).__name__}({shown})"


class Transients(dict[str, object]):
    """Values of transient fields by name, those of sub-states by dotted name.

    `prefix`: the dotted name of the sub-state that these belong to. `blank`: what is not given is none, for
    looking at a run without running it.
    """

    __slots__ = ("blank", "prefix")

    def __init__(
        self, values: Mapping[str, object] | None = None, *, prefix: str = "", blank: bool = False
    ) -> None:
        super().__init__(values or {})
        self.prefix = prefix
        self.blank = blank


def transients_of(state: Any) -> dict[str, object]:
    """The transient values that a state holds, those of sub-states by dotted name."""
    found: dict[str, object] = {f: getattr(state, state.__lg_fields__[f]) for f in state.__lg_transients__}
    for field, attribute in state.__lg_fields__.items():
        if attribute in state.__lg_substates__:
            inner = transients_of(getattr(state, attribute))
            found.update({f"{field}.{name}": value for name, value in inner.items()})
    return found


def broken_constraint(state: Any) -> str | None:
    """What a state breaks of its fields' constraints, sub-states included; None: nothing."""
    for check in state.__lg_checks__.values():
        if (broken := check(state)) is not None:
            return str(broken)
    for attribute in state.__lg_substates__:
        if (broken := broken_constraint(getattr(state, attribute))) is not None:
            return f"in `{attribute}`: {broken}"
    return None


def class_of(state: State) -> type[State]:
    """The generated class of a state."""
    return type(state)
