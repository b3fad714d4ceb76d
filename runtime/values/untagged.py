"""Values of a state whose types pydantic does not know: `json`, and unions whose members carry no tag."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import isfinite
from typing import Annotated, Any, Literal, cast

from pydantic import (
    AfterValidator,
    BaseModel,
    GetCoreSchemaHandler,
    SerializationInfo,
    SerializerFunctionWrapHandler,
    create_model,
)
from pydantic_core import CoreSchema, core_schema

from .state import FrozenDict
from .views import ListView


def _json(value: Any) -> Any:
    # A json value, made immutable; the error names what JSON has not.
    match value:
        case None | bool() | int() | str():
            return value
        case float() if isfinite(value):
            return value
        case FrozenDict():
            return cast("FrozenDict[str, Any]", value)
        case Mapping():
            items = cast("Mapping[object, object]", value)
            if not all(isinstance(key, str) for key in items):
                raise ValueError("the keys of a json object are str")
            return FrozenDict({key: _json(inner) for key, inner in items.items()})
        case list() | tuple() | ListView():
            return tuple(_json(inner) for inner in cast("Sequence[object]", value))
        case _:
            raise ValueError(f"{type(value).__name__} is not a json value")


Json = Annotated[Any, AfterValidator(_json)]


class Tagged:
    """Tells the members of a union apart by a tag that they do not carry themselves: `{"kind": "Circle", …}`.

    Used as `Annotated[Circle | Square, Tagged("kind", Circle=Circle, Square=Square)]`.
    """

    def __init__(self, tag: str, /, **members: type[BaseModel]) -> None:
        self._tag = tag
        self._members = members
        self._stored: dict[str, type[BaseModel]] = {}

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        stored: dict[Any, CoreSchema] = {}
        made: dict[Any, CoreSchema] = {}
        for name, member in self._members.items():
            if name not in self._stored:
                tag: Any = (Literal[name], ...)  # pyright: ignore[reportGeneralTypeIssues]
                self._stored[name] = create_model(name, __base__=member, **{self._tag: tag})
            schema = handler.generate_schema(self._stored[name])
            stored[name] = core_schema.no_info_after_validator_function(self._untagged, schema)
            schema = handler.generate_schema(member)
            made[name] = core_schema.no_info_before_validator_function(self._bare, schema)
        return core_schema.json_or_python_schema(
            json_schema=core_schema.tagged_union_schema(stored, self._tag),
            python_schema=core_schema.tagged_union_schema(made, self._tag_of),
            serialization=core_schema.wrap_serializer_function_ser_schema(self._serialize, info_arg=True),
        )

    def _untagged(self, value: BaseModel) -> BaseModel:
        tag: str = getattr(value, self._tag)
        fields = {name: part for name, part in value.__dict__.items() if name != self._tag}
        return self._members[tag].model_construct(value.model_fields_set - {self._tag}, **fields)

    def _tag_of(self, value: Any) -> str | None:
        if isinstance(value, Mapping):
            return cast("Mapping[str, Any]", value).get(self._tag)
        return next((name for name, member in self._members.items() if type(value) is member), None)

    def _bare(self, value: Any) -> Any:
        if not isinstance(value, Mapping):
            return value
        return {k: v for k, v in cast("Mapping[str, Any]", value).items() if k != self._tag}

    def _serialize(
        self, value: BaseModel, handler: SerializerFunctionWrapHandler, info: SerializationInfo
    ) -> Any:
        return {self._tag: self._tag_of(value), **value.model_dump(mode=info.mode)}
