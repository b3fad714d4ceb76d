"""From recorded mutations to commands that the new graph can apply without calling a function of the user."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, cast

from pydantic import ValidationError

from ..errors import LgcError, SerializationError
from ..machine.join import perform_mutation
from ..values.state import ExternalMutation, Mutation, State
from ..values.typed_json import Applied, misfit
from ..values.undo import Undo


class UserCode(LgcError):
    """Only a function of the user could say what the new graph would have computed."""


class Known:
    """Stands for a mutation whose result was recorded: applying it assigns that, and calls nothing."""

    __lg_external__ = False

    def __init__(self, applied: Applied) -> None:
        self.applied = applied
        self.__lg_name__ = applied.mutation.__lg_name__
        self.__lg_writes__ = applied.mutation.__lg_writes__

    def __lg_apply__(self, state: Any, undo: Undo, /) -> None:
        perform_mutation(state, self.applied, undo)


def command(applied: Applied) -> Mutation:
    """What to hand to the machine for a recorded mutation."""
    if applied.result is not None:
        return cast("Mutation", Known(applied))  # all of a mutation that the machine asks for
    return applied.mutation


def read_mutations(kind: type[State], items: Sequence[Mapping[str, Any]]) -> list[Applied]:
    """Recorded mutations by the classes of another version than recorded them.

    Raises:
        SerializationError: one of them is not there, or takes other parameters; `path` is its name.
        UserCode: a function would have to be called.
    """
    return [_read(kind, item) for item in items]


def _read(kind: type[State], item: Mapping[str, Any]) -> Applied:
    name = str(item["m"])
    found = kind.__lg_mutations__.get(name)
    if found is None:
        raise SerializationError(f"there is no mutation `{name}`", path=name)
    try:
        mutation = found.model_validate_json(json.dumps(item["p"]))
        if not is_external(found):
            return Applied(mutation)
        if "w" not in item:
            raise UserCode(f"`{name}` is computed by a function now")
        result_of = cast("Any", found).__lg_result__
        return Applied(mutation, result_of.model_validate_json(json.dumps(item["w"])))
    except ValidationError as error:
        problem = misfit(f"`{name}` does not take what was recorded", error)
        raise SerializationError(problem.message, path=name) from error


def is_external(kind: type[Mutation]) -> bool:
    """Whether a function of the user computes a mutation; graphs made of forms do not tell the machine."""
    return issubclass(kind, ExternalMutation)


def parts(applied: Applied) -> tuple[str, Any]:
    """A mutation as its name and parameters, to compare."""
    return applied.mutation.__lg_name__, json.loads(applied.mutation.model_dump_json())


class Merged(Mapping[str, Any]):
    """The recorded values of custom-merged fields, for a join that must not call their functions.

    `custom` names the fields that the new graph merges with a function; asking for one that was not recorded
    under the same function raises UserCode.
    """

    def __init__(self, recorded: Mapping[str, Any], custom: Mapping[str, bool]) -> None:
        self._recorded = recorded
        self._custom = custom

    def __contains__(self, key: object) -> bool:
        return key in self._custom

    def __getitem__(self, key: str) -> Any:
        if not self._custom[key] or key not in self._recorded:
            raise UserCode(f"`{key}` is merged by another function now")
        return self._recorded[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self._custom)

    def __len__(self) -> int:
        return len(self._custom)
