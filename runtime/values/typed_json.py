"""Between mutations, states and their stored JSON text.

Closed types only: no class named in data is looked up.

A stored mutation is `{"m": name, "p": parameters}`; one that a Python function computed also carries the
fields that it wrote (`"w"`), so that replaying calls no user code. The names that can occur are those of
the state's own generated mutations.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Annotated, Any, Literal, NamedTuple, NotRequired, TypeVar, Union

from pydantic import Field, TypeAdapter, ValidationError, create_model, with_config
from typing_extensions import TypedDict

from ..errors import SerializationError
from .state import STORED, Checkpoint, ExternalMutation, Mutation, State

T = TypeVar("T")

# The functional form, with names that are known only here.
_typed_dict: Any = TypedDict


class Applied(NamedTuple):
    """A mutation, with the new values where a Python function computed them."""

    mutation: Mutation
    result: Any = None


# By class, what every step asks of it; a pydantic class is slow to ask. Bounded, as it keeps classes alive.
_writers: dict[type[Mutation], tuple[str, Callable[[Any], bytes]]] = {}
_MOST_WRITERS = 10_000


def encode_mutations(applied: Sequence[Applied]) -> str:
    """The JSON array of a log record. Raises SerializationError."""
    if not applied:
        return "[]"
    parts = [
        _written(mutation, "" if result is None else f',"w":{_json_of(mutation, result)}')
        for mutation, result in applied
    ]
    return f"[{','.join(parts)}]"


def encode_recorded(mutations: Sequence[Mutation]) -> str:
    """The same of mutations that no Python function has computed."""
    if len(mutations) == 1:
        return f"[{_written(mutations[0])}]"
    return f"[{','.join(map(_written, mutations))}]"


def _written(mutation: Mutation, tail: str = "") -> str:
    head, to_json = _writers.get(type(mutation)) or _writer(type(mutation))
    try:
        return f"{head}{to_json(mutation).decode()}{tail}}}"
    except (ValueError, UnicodeError) as error:
        raise _unwritten(mutation, error) from error


def _writer(kind: type[Mutation]) -> tuple[str, Callable[[Any], bytes]]:
    if len(_writers) >= _MOST_WRITERS:
        _writers.clear()
    found = f'{{"m":"{kind.__lg_name__}","p":', kind.__pydantic_serializer__.to_json
    _writers[kind] = found
    return found


def _json_of(mutation: Mutation, result: Any) -> str:
    try:
        return str(result.__pydantic_serializer__.to_json(result).decode())
    except (ValueError, UnicodeError) as error:
        raise _unwritten(mutation, error) from error


def _unwritten(mutation: Mutation, error: Exception) -> SerializationError:
    name = mutation.__lg_name__
    return SerializationError(f"`{name}` cannot be stored: {error}", path=name)


def decode_mutations(state: type[State], text: str) -> list[Applied]:
    """The mutations of a log record of that state. Raises SerializationError."""
    if text == "[]":
        return []
    try:
        items = _read(_reader(_key(state)), text)
    except ValidationError as error:
        raise misfit(f"stored mutations of `{state.__lg_name__}` do not fit", error) from error
    return [Applied(item["p"], item.get("w")) for item in items]


def _key(state: type[State]) -> Any:
    # States are not hashable, but their classes are: mypy confuses the two.
    return state


@lru_cache(maxsize=256)
def _reader(state: Any) -> Callable[[str], Any]:
    # The adapter's own method asks about six options first, which takes as long as the reading.
    return _adapter(state).validator.validate_json


@lru_cache(maxsize=256)
def _adapter(state: Any) -> TypeAdapter[Any]:
    shapes: list[Any] = []
    for name, kind in state.__lg_mutations__.items():
        fields: dict[str, Any] = {"m": Literal[name], "p": kind}
        if issubclass(kind, ExternalMutation):
            fields["w"] = NotRequired[kind.__lg_result__]
        # A dict type made at run time: one for each mutation, told apart by "m".
        shapes.append(with_config(STORED)(_typed_dict(f"Stored{name}", fields)))
    if not shapes:
        return TypeAdapter(list[Any])
    # Types made at run time: the checkers cannot follow, and `|` does not take a tuple.
    make: Any = list
    if len(shapes) == 1:
        return TypeAdapter(make[shapes[0]])
    union: Any = Union
    annotated: Any = Annotated
    return TypeAdapter(make[annotated[union[tuple(shapes)], Field(discriminator="m")]])


def encode_state(state: Any) -> str:
    """The durable fields of a state as JSON. Raises SerializationError naming the field."""
    try:
        checkpoint = state.snapshot()
        return str(checkpoint.model_dump_json())
    except ValidationError as error:
        raise misfit(f"the state `{type(state).__name__}` does not fit its types", error) from error
    except (ValueError, UnicodeError, TypeError) as error:
        raise SerializationError(f"the state `{type(state).__name__}` cannot be stored: {error}") from error


def decode_checkpoint(state: type[State], text: str) -> Checkpoint:
    """The durable fields of a state from JSON. Raises SerializationError naming the field."""
    try:
        return _read(state.__lg_checkpoint__.model_validate_json, text)
    except ValidationError as error:
        raise misfit(f"not a `{state.__lg_name__}`", error) from error


@lru_cache(maxsize=4096)
def field_adapter(state: Any, field: str) -> TypeAdapter[Any]:
    """Reads and writes one field's value of a state class as JSON."""
    # Not by its attribute: that of a checkpoint may be another one than that of the state.
    stored = state.__lg_checkpoint__.model_fields.items()
    info = {info.alias or attribute: info for attribute, info in stored}[field]
    annotation: Any = info.annotation
    for extra in info.metadata:
        annotation = Annotated[annotation, extra]

    return TypeAdapter(create_model("Holder", __base__=Checkpoint, value=(annotation, ...)))


def encode_field(state: type[State], field: str, value: Any) -> Any:
    """A field's value as plain JSON data; a sub-state's durable fields."""
    adapter = field_adapter(_key(state), field)
    held = value.snapshot() if isinstance(value, State) else value
    return json.loads(adapter.dump_json(adapter.validate_python({"value": held})))["value"]


def decode_field(state: type[State], field: str, data: Any) -> Any:
    """A field's value from plain JSON data. Raises SerializationError."""
    try:
        return _read(field_adapter(_key(state), field).validate_json, json.dumps({"value": data})).value
    except ValidationError as error:
        raise misfit(f"`{field}` does not fit", error) from error


def validated_field(state: type[State], field: str, value: Any) -> Any:
    """A value that a user's function gave for a field, checked. Raises SerializationError."""
    try:
        return field_adapter(_key(state), field).validate_python({"value": value}).value
    except ValidationError as error:
        raise misfit(f"`{field}` does not fit", error) from error


def _read(reader: Callable[[str], T], text: str) -> T:
    """Read stored JSON; the tag of a record that carries none any more is passed over.

    Whether a record carries a tag depends on which unions its file declares, also such as the graph does not
    use: its hash does not tell.
    """
    try:
        return reader(text)
    except ValidationError as error:
        wrong = error.errors(include_url=False, include_context=False)
        if not all(map(_is_tag, wrong)):
            raise
        data: Any = json.loads(text)
        for one in wrong:
            _parent(data, one["loc"]).pop("kind")
        read = reader(json.dumps(data, ensure_ascii=False))
        if any(type(_parent(read, one["loc"])).__name__ != one["input"] for one in wrong):
            raise
        return read


def _is_tag(error: Any) -> bool:
    return bool(
        error["type"] == "extra_forbidden" and error["loc"][-1] == "kind" and isinstance(error["input"], str)
    )


def _parent(value: Any, place: Sequence[str | int]) -> Any:
    """What holds the last part of an error's place; unions add members to it, which lead nowhere."""
    for part in place[:-1]:
        if isinstance(part, int):
            value = value[part]
        elif hasattr(value, "get"):  # a JSON object
            value = value.get(part, value)
        else:
            value = getattr(value, part, value)
    return value


def misfit(what: str, error: ValidationError) -> SerializationError:
    """The error that names the first place where a value does not fit its type."""
    first = error.errors(include_url=False)[0]
    path = ".".join(str(part) for part in first["loc"])
    more = f" (and {error.error_count() - 1} more)" if error.error_count() > 1 else ""
    told = first["msg"]
    if first["type"] == "union_tag_invalid":  # pydantic names all the tags that it has looked for
        context = first.get("ctx", {})
        told = f"'{context.get('tag')}' is none of {context.get('expected_tags')}"
    return SerializationError(f"{what}: {path or 'value'}: {told}{more}", path=path)
