"""From the parameters of mutations and decisions in a form to models, and to names that expressions use."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from .data import MODEL_RESERVED, Data
from .made import Made, reference
from .reading import Unfit, attributes, list_of, name_of
from .types import Type


class Params(NamedTuple):
    """Parameters, in order."""

    types: Mapping[str, Type]
    attributes: Mapping[str, str]

    def fields(self, data: Data) -> dict[str, Any]:
        """The fields of a model of them. Those of a mutation have no defaults."""
        return {
            attribute: data.required_field(name, attribute, self.types[name])
            for name, attribute in self.attributes.items()
        }

    def optional_fields(self, data: Data) -> dict[str, Any]:
        """The same, where an optional one need not be given: in an answer."""
        return {
            attribute: data.model_field(name, attribute, self.types[name], None)
            for name, attribute in self.attributes.items()
        }


def params_of(form: Any, data: Data) -> Params:
    """Parameters from `[[NAME, TYPE], …]`. Raises Unfit."""
    types: dict[str, Type] = {}
    for pair in list_of(form):
        name, type_ = list_of(pair)
        if name_of(name) in types:
            raise Unfit(f"there are two parameters `{name}`")
        types[name] = data.type_of(type_)
    return Params(types, attributes(list(types), MODEL_RESERVED))


class StateScope:
    """Fields of a state, with parameters, an item, or the counters of a frame where there are some."""

    def __init__(
        self,
        data: Data,
        label: str,
        params: Params | None = None,
        item: tuple[str, Type] | None = None,
        counters: bool = False,
    ) -> None:
        self.data = data
        self._fields = data.states[label]
        self._attributes = data.state_attributes(label)
        self._params = params
        self._item = item
        self._counters = counters

    def reference(self, head: str, name: str) -> Made:
        """What a name stands for. Raises Unfit."""
        match head:
            case "field" if name in self._fields:
                attribute = self._attributes[name]
                return reference(lambda s, p, r: getattr(s, attribute), self._fields[name], live=True)
            case "param" if self._params is not None and name in self._params.types:
                attribute = self._params.attributes[name]
                return reference(lambda s, p, r: getattr(p, attribute), self._params.types[name], live=False)
            case "item" if self._item is not None and name == self._item[0]:
                return reference(lambda s, p, r: p, self._item[1], live=False)
            case "visits" if self._counters:
                return Made(lambda s, p, r: r.visits(name), "int")
            case "steps" if self._counters:
                return Made(lambda s, p, r: r.steps(), "int")
            case _:
                raise Unfit(f"there is no {head} `{name}` here")


def named_parts(form: Mapping[str, Any]) -> Sequence[str]:
    """The names of arguments, in order."""
    return [name_of(name) for name in form]
