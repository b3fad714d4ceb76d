"""From the defaults of fields to their values, each made once, when it is first needed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from ..values.operations import frozen
from .data import Data
from .evaluate import made_of
from .made import Made
from .reading import Unfit
from .types import Type, kind_of


class Constants:
    """The scope of defaults: no names at all."""

    def __init__(self, data: Data) -> None:
        self.data = data

    def reference(self, head: str, name: str) -> Made:
        raise Unfit(f"a default names `{name or head}`")

    def defaults(
        self, elements: Mapping[str, Any], types: Mapping[str, Type]
    ) -> dict[str, Callable[[], Any]]:
        """The defaults of fields, each made once, when it is first needed."""
        found: dict[str, Callable[[], Any]] = {}
        for name, element in elements.items():
            if "default" in element:
                made = made_of(element["default"], self)
                if not self.data.may_be(made.type, types[name]):
                    raise Unfit(f"the default of `{name}` is no {kind_of(types[name])}")
                found[name] = _once(made)
        return found


def _once(made: Made) -> Callable[[], Any]:
    if made.constant:
        value = made.value
        return lambda: value
    kept: list[Any] = []

    def default() -> Any:
        if not kept:
            kept.append(frozen(made.call(None, None, None)))
        return kept[0]

    return default
