"""What in a form would never end: states in states, defaults that need themselves.

A checked source has nothing of the kind; a form that somebody wrote may.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, TypeAlias

from .data import Data
from .evaluate import children_of
from .reading import Unfit, object_of, reading
from .types import kind_of

DEEPEST_STATE = 100  # states inside states
MOST_STATES = 10_000  # of all the states that one holds

Default: TypeAlias = "tuple[str, str]"  # the label of a record, and its field


def refuse_endless(data: Data) -> None:
    """Raises ValueError, with the element named."""
    _refuse_deep_states(data)
    _refuse_endless_defaults(data)


def _refuse_deep_states(data: Data) -> None:
    inner = {
        label: [type_[1] for type_ in fields.values() if kind_of(type_) == "state"]
        for label, fields in data.states.items()
    }
    held = dict.fromkeys(inner, 1)  # how many states there are in one, down to the level looked at
    level = {label for label, below in inner.items() if below}
    for _ in range(DEEPEST_STATE):
        if not level:
            return
        held = {label: 1 + sum(held[one] for one in below) for label, below in inner.items()}
        if max(held.values()) > MOST_STATES:
            break
        level = {label for label in level if any(one in level for one in inner[label])}
    if not level:
        return
    label = data.own if data.own in level else min(level)
    states = {name: type_[1] for name, type_ in data.states[label].items() if kind_of(type_) == "state"}
    name = max(states, key=lambda name: (states[name] in level, held[states[name]]))
    with reading(data.field_id(label, name)):
        raise Unfit(f"the state `{label}` holds too many states inside each other")


def _refuse_endless_defaults(data: Data) -> None:
    """A record is made with the defaults of the fields that are not given: these may make records again."""
    needs: dict[Default, list[Default]] = {}
    for label in data.records:
        fields = data.elements[f"record/{label}"]["fields"]
        for name, field in fields.items():
            if "default" in field:
                needs[label, name] = [
                    (made, other)
                    for made, given in _made(field["default"])
                    if made in data.records
                    for other in data.records[made]
                    if other not in given
                ]
    done: set[Default] = set()
    for start in needs:
        way: dict[Default, Iterator[Default]] = {}
        at: Default | None = start
        while at is not None:
            if at not in way:
                way[at] = iter(needs.get(at, ()))
            following = next((one for one in way[at] if one not in done), None)
            if following is None:
                done.add(at)
                del way[at]
                at = next(reversed(way), None)
            elif following in way:
                with reading(f"record/{following[0]}"):
                    raise Unfit(f"the default of `{following[1]}` needs itself")
            else:
                at = following


def _made(form: Any) -> Iterator[tuple[str, set[str]]]:
    """The records that an expression makes, and the fields that it gives."""
    todo: list[Any] = [form]
    while todo:
        at = todo.pop()
        match at:
            case ["record", str() as label, fields]:
                yield label, set(object_of(fields))
            case _:
                pass
        todo.extend(children_of(at))
