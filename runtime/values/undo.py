"""What a step changes of a state, so that a step which is refused leaves no trace."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Set
from typing import TYPE_CHECKING, Any

from ..errors import EvaluationError

if TYPE_CHECKING:
    from .state import State


class Undo:
    """What a step changed, newest last; `roll_back` takes it all back.

    Generated `__lg_apply__` functions change a state only through this or after `keep`.
    """

    __slots__ = ("_entries",)

    def __init__(self) -> None:
        self._entries: list[tuple[Any, ...]] = []

    def keep(self, state: State, *attributes: str) -> None:
        """Remember attributes that are about to be assigned."""
        entries = self._entries
        for attribute in attributes:
            entries.append((0, state, attribute, getattr(state, attribute)))

    def child(self, state: State, attribute: str) -> Any:
        """The sub-state held by an attribute, which may be changed (with this undo)."""
        return getattr(state, attribute)

    def _own(self, state: State, attribute: str) -> Any:
        held = getattr(state, attribute)
        shared = state.__lg_shared__
        if shared is not None and attribute in shared:
            held = held.copy()
            setattr(state, attribute, held)
            shared.discard(attribute)
        return held

    def replace(self, state: State, attribute: str, value: Collection[Any] | None) -> None:
        """Assign a collection that no one else holds."""
        self._entries.append((4, state, attribute, getattr(state, attribute), state.__lg_shared__))
        setattr(state, attribute, value)
        if state.__lg_shared__ is not None and attribute in state.__lg_shared__:
            state.__lg_shared__ = state.__lg_shared__ - {attribute}

    def extend(self, state: State, attribute: str, items: Iterable[Any]) -> None:
        """`f += [..]` of a list."""
        held = self._own(state, attribute)
        self._entries.append((1, held, len(held)))
        held.extend(items)

    def unite(self, state: State, attribute: str, items: Set[Any]) -> None:
        """`f += s` of a set."""
        held = self._own(state, attribute)
        new = [item for item in items if item not in held]
        self._entries.append((2, held, new, ()))
        held.update(new)

    def subtract(self, state: State, attribute: str, items: Set[Any]) -> None:
        """`f -= s` of a set."""
        held = self._own(state, attribute)
        gone = [item for item in items if item in held]
        self._entries.append((2, held, (), gone))
        held.difference_update(gone)

    def put(self, state: State, attribute: str, key: Any, value: Any) -> None:
        """`d[k] = e`."""
        held = self._own(state, attribute)
        self._entries.append((3, held, key, held.get(key, _ABSENT), None))
        held[key] = value

    def put_all(self, state: State, attribute: str, items: Mapping[Any, Any]) -> None:
        """`d += {..}`."""
        for key, value in items.items():
            self.put(state, attribute, key, value)

    def drop(self, state: State, attribute: str, key: Any, text: str, place: str) -> None:
        """`del d[k]`. Raises EvaluationError where the key is missing."""
        held = self._own(state, attribute)
        if key not in held:
            raise EvaluationError("no such key", expression=text, place=place, values=(key,))
        # A dict keeps its order: taking back a deletion has to restore the whole of it.
        self._entries.append((3, held, key, held[key], dict(held)))
        del held[key]

    def clear(self) -> None:
        """Forget what was changed: the step is over."""
        self._entries.clear()

    def roll_back(self) -> None:
        """Take everything back."""
        for entry in reversed(self._entries):
            match entry:
                case (0, state, attribute, value):
                    setattr(state, attribute, value)
                case (1, held, length):
                    del held[length:]
                case (2, held, new, gone):
                    held.difference_update(new)
                    held.update(gone)
                case (3, held, key, old, whole):
                    if whole is not None:
                        held.clear()
                        held.update(whole)
                    elif old is _ABSENT:
                        del held[key]
                    else:
                        held[key] = old
                case (4, state, attribute, value, shared):
                    setattr(state, attribute, value)
                    state.__lg_shared__ = shared
                case _:
                    raise AssertionError(entry)
        self._entries.clear()


_ABSENT: Any = object()
