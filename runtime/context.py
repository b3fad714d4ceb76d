"""What a task's function is handed: a view of the state, and the few things it may ask of the engine."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Generic, TypeVar

from .errors import MutationRejected, NodeFailed
from .events import StreamChunk

V = TypeVar("V")
P = TypeVar("P")


class TaskContext(Generic[V, P]):
    """One attempt of one visit of a task.

    Generated subclasses narrow `record` and `goto` to what the node declares; the same is checked again here.

    Attributes:
        state: the fields that the node reads, read-only.
        params: the node's `params`.
        attempt: 1 for the first attempt of this visit.
        visit: 1 for the first visit of this node in this run of its graph.
        step: number of the last committed step of the run.
    """

    __slots__ = (
        "_allowed", "_cancelled", "_checkpoint", "_cost", "_emit", "_goto", "_key", "_recorded", "_targets",
        "attempt", "node", "params", "state", "step", "visit",
    )  # fmt: skip

    state: V
    params: P

    def __init__(
        self,
        state: V,
        params: P,
        *,
        node: str,
        allowed: tuple[type[Any], ...],
        targets: tuple[str, ...],
        attempt: int,
        visit: int,
        step: int,
        key: str,
        emit: Callable[[StreamChunk], None],
        cancelled: Callable[[], bool],
    ) -> None:
        self.state = state
        self.params = params
        self.node = node
        self.attempt = attempt
        self.visit = visit
        self.step = step
        self._allowed = allowed
        self._targets = targets
        self._key = key
        self._emit = emit
        self._cancelled = cancelled
        self._recorded: list[Any] = []
        self._goto: str | None = None
        self._cost = 0.0
        self._checkpoint = False

    def _record(self, mutation: Any) -> None:
        if type(mutation) not in self._allowed:
            kind: type[Any] = type(mutation)
            name = getattr(kind, "__lg_name__", kind.__name__)
            allowed = ", ".join(cls.__lg_name__ for cls in self._allowed) or "none"
            raise MutationRejected(
                f"`{self.node}` recorded `{name}`, which it does not declare (it records: {allowed})",
                node=self.node,
            )
        self._recorded.append(mutation)

    def _go(self, target: str) -> None:
        if target not in self._targets:
            allowed = ", ".join(self._targets) or "none"
            raise NodeFailed(
                f"`{self.node}` may not go to `{target}` (its `goto` names: {allowed})", node=self.node
            )
        self._goto = target

    def end(self) -> None:
        """Go to `end` after this node. Raises NodeFailed where the node's `goto` does not name `end`."""
        self._go("end")

    def emit(self, chunk: StreamChunk | str, /) -> None:
        """Send something to display: text, or any chunk. Never part of the state."""
        self._emit(StreamChunk.of_text(chunk) if isinstance(chunk, str) else chunk)

    @property
    def cancelled(self) -> bool:
        """Whether the run was cancelled or this attempt's time is over; long loops should look at it."""
        return self._cancelled()

    @property
    def idempotency_key(self) -> str:
        """The same for every attempt of this visit, also after a crash; different for any other visit."""
        return self._key

    def set_token_cost(self, tokens: float, /) -> None:
        """How many tokens this visit has cost, for the log and the adaptive checkpoint trigger."""
        self._cost = float(tokens)

    def request_checkpoint(self) -> None:
        """Make a checkpoint after this step, whatever the trigger says."""
        self._checkpoint = True
