"""From the mutations of a form to classes that change a state as generated ones do.

The function of an external mutation is not called, and not even imported: what it gave is in the log.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, NoReturn

from pydantic import create_model

from ..errors import EvaluationError
from ..values.state import Mutation, State
from ..values.undo import Undo
from .data import MODEL_RESERVED
from .late import LateCheckpoint, LateExternalMutation, LateMutation
from .params import Params, StateScope, params_of
from .reading import Unfit, attributes, name_of, names_of, object_of, reading
from .statements import Body
from .states import States
from .types import kind_of

_PREFIX = "state/mutation/"


def mutations_of(states: States) -> dict[str, type[Mutation]]:
    """The mutations of the graph's own state, by name. Raises ValueError."""
    found: dict[str, type[Mutation]] = {}
    for id_, element in states.data.elements.items():
        if id_.startswith(_PREFIX):
            with reading(id_):
                name = name_of(id_.removeprefix(_PREFIX))
                found[name] = _mutation(name, object_of(element), states)
    return found


def _mutation(name: str, element: Mapping[str, Any], states: States) -> type[Mutation]:
    data = states.data
    params = params_of(element["params"], data)
    if "external" in element:
        return _external(name, element, params, states)
    body = Body(states, StateScope(data, data.own, params), element["body"])
    made = create_model(name, __base__=LateMutation, **params.fields(data))
    _tell(made, name, body.writes)
    apply = body.apply
    made.__lg_apply__ = lambda self, state, undo, /: apply(self, state, undo)  # type: ignore[method-assign]
    return made


def _tell(made: Any, name: str, writes: Mapping[str, Any]) -> None:
    made.__lg_name__ = name
    made.__lg_writes__ = MappingProxyType(dict(writes))


def _external(name: str, element: Mapping[str, Any], params: Params, states: States) -> type[Mutation]:
    data = states.data
    fields = data.states[data.own]
    written = names_of(element["writes"])
    if any(field not in fields for field in written):
        raise Unfit("it writes a field that there is not")
    stored = attributes(list(written), MODEL_RESERVED)
    result = create_model(
        f"{name}Result",
        __base__=LateCheckpoint,
        **{a: data.required_field(field, a, fields[field]) for field, a in stored.items()},
    )
    made: Any = create_model(name, __base__=LateExternalMutation, **params.fields(data))
    _tell(made, name, dict.fromkeys(written, "set"))
    target = str(element["external"])

    def refuse(self: Any, state: Any, undo: Undo, /) -> NoReturn:
        raise EvaluationError(f"mutation `{name}`: `{target}` is not called when a log is replayed")

    made.__lg_target__ = target
    made.__lg_result__ = result
    made.__lg_external__ = False  # or the machine would import the function, to call it
    made.__lg_apply__ = refuse
    assign = [_assignment(states, field, stored[field]) for field in written]

    def assigned(self: Any, state: Any, undo: Undo, given: Any, /) -> None:
        for one in assign:
            one(state, undo, given)

    made.__lg_assign__ = assigned
    kind: type[Mutation] = made
    return kind


def _assignment(states: States, field: str, stored: str) -> Callable[[Any, Undo, Any], None]:
    """Give a field a stored value."""
    data = states.data
    type_, attribute = data.states[data.own][field], data.state_attributes(data.own)[field]
    match kind_of(type_[1] if kind_of(type_) == "optional" else type_):
        case "list":
            copy: Callable[[Any], Any] = list
        case "set":
            copy = set
        case "dict":
            copy = dict
        case "state":
            inner: type[State] = states.state(type_[1])

            def restore(state: Any, undo: Undo, given: Any) -> None:
                undo.keep(state, attribute)
                setattr(state, attribute, inner.restore(getattr(given, stored), {}))

            return restore
        case _:

            def assign(state: Any, undo: Undo, given: Any) -> None:
                undo.keep(state, attribute)
                setattr(state, attribute, getattr(given, stored))

            return assign

    def replace(state: Any, undo: Undo, given: Any) -> None:
        value = getattr(given, stored)
        undo.replace(state, attribute, None if value is None else copy(value))

    return replace
