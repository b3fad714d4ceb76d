"""Bases of classes whose readers are made late, and annotations that find a class when its reader is made.

What a class reads and writes is worked out when it is first used: that takes far longer than all else, most
classes are not needed for themselves, and records may name each other.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, cast

from pydantic import (
    BaseModel,
    ConfigDict,
    GetCoreSchemaHandler,
    SerializationInfo,
    SerializerFunctionWrapHandler,
)
from pydantic_core import CoreSchema, core_schema

from ..values.state import Checkpoint, ExternalMutation, Mutation, Record

_LATER = ConfigDict(defer_build=True)


class LateRecord(Record):
    """Base of records."""

    model_config = _LATER


class LateCheckpoint(Checkpoint):
    """Base of checkpoints, and of what a function gives."""

    model_config = _LATER


class LateMutation(Mutation):
    """Base of mutations."""

    model_config = _LATER


class LateExternalMutation(ExternalMutation):
    """Base of mutations that a function computed."""

    model_config = _LATER


class Later:
    """A class that is looked up when its reader is made."""

    def __init__(self, find: Callable[[str], Any], label: str) -> None:
        self._find = find
        self._label = label

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return handler.generate_schema(self._find(self._label))


class UnionOf:
    """The records of a union, told apart by their tags in JSON and by their classes in Python."""

    def __init__(
        self, find: Callable[[str], type[Record]], members: Sequence[str], tags: Sequence[str]
    ) -> None:
        """`tags` are the keys under which a tag is read; it is written under the first."""
        self._find = find
        self._members = members
        self._tags = tags

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        classes = [self._find(member) for member in self._members]
        choices: dict[Any, CoreSchema] = {cls.__name__: handler.generate_schema(cls) for cls in classes}

        def name(value: Any) -> str | None:
            if isinstance(value, dict):
                tags = (cast("dict[str, Any]", value).get(tag) for tag in self._tags)
                return next((tag for tag in tags if tag is not None), None)
            return type(value).__name__ if type(value) in classes else None

        def write(value: BaseModel, _: SerializerFunctionWrapHandler, info: SerializationInfo) -> Any:
            return {self._tags[0]: type(value).__name__, **value.model_dump(mode=info.mode)}

        tags: Any = [[tag] for tag in self._tags]
        return core_schema.json_or_python_schema(
            json_schema=core_schema.tagged_union_schema(choices, tags),
            python_schema=core_schema.tagged_union_schema(choices, name),
            serialization=core_schema.wrap_serializer_function_ser_schema(write, info_arg=True),
        )
