"""What a task's function is handed: a view of the state, and the few things it may ask of the engine."""

from __future__ import annotations

from math import isfinite
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from . import plan
from .errors import MutationRejected, NodeFailed
from .observation.events import StreamChunk

if TYPE_CHECKING:
    from .engine.lane import Lane
    from .machine.frame import Frame
    from .observation.observed import Room

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
    """

    __slots__ = (
        "__lg_checkpoint__", "__lg_cost__", "__lg_frame__", "__lg_goto__", "__lg_lane__", "__lg_node__",
        "__lg_over__", "__lg_recorded__", "attempt", "state", "visit",
    )  # fmt: skip

    def __init__(self, state: V, node: plan.Task, lane: Lane, frame: Frame, attempt: int, visit: int) -> None:
        self.state = state
        self.attempt = attempt
        self.visit = visit
        self.__lg_node__ = node
        self.__lg_lane__ = lane
        self.__lg_frame__ = frame
        self.__lg_recorded__: list[Any] = []
        self.__lg_goto__: str | None = None
        self.__lg_cost__ = 0.0
        self.__lg_checkpoint__ = False
        self.__lg_over__ = False

    @property
    def params(self) -> P:
        """The constants of the node's `params`, read-only."""
        return self.__lg_node__.params  # type: ignore[return-value]  # pyright: ignore[reportReturnType]

    @property
    def node(self) -> str:
        """The node's name."""
        return self.__lg_node__.name

    @property
    def step(self) -> int:
        """Number of the last committed step of the run."""
        return self.__lg_lane__.engine.step

    @property
    def cancelled(self) -> bool:
        """Whether the run was cancelled or this attempt's time is over; long loops should look at it."""
        return self.__lg_over__ or self.__lg_lane__.stopping

    @property
    def idempotency_key(self) -> str:
        """The same for every attempt of this visit, also after a crash; different for any other visit."""
        return f"{self.__lg_lane__.engine.run}{self.__lg_frame__.instance}/{self.node}#{self.visit}"

    def _open(self) -> None:
        if self.__lg_over__:
            raise NodeFailed(
                f"`{self.node}` used its context after this attempt of it was over",
                node=self.__lg_frame__.where(self.node),
                hint="record mutations before the function returns; await what it starts",
            )  # fmt: skip

    def _record(self, mutation: Any) -> None:
        if self.__lg_over__:
            self._open()
        if type(mutation) not in self.__lg_node__.records:
            kind: Any = mutation.__class__
            name: str = getattr(kind, "__lg_name__", kind.__name__)
            allowed = ", ".join(f"`{cls.__lg_name__}`" for cls in self.__lg_node__.records) or "none"
            raise MutationRejected(
                f"`{self.node}` recorded `{name}`, which it does not declare (it records: {allowed})",
                node=self.__lg_frame__.where(self.node),
                hint=f"add `{name}` to the node's `records`",
            )
        self.__lg_recorded__.append(mutation)

    def _go(self, target: str) -> None:
        self._open()
        if target not in self.__lg_node__.goto:
            allowed = ", ".join(f"`{name}`" for name in self.__lg_node__.goto) or "none"
            raise NodeFailed(
                f"`{self.node}` may not go to `{target}` (its `goto` names: {allowed})",
                node=self.__lg_frame__.where(self.node),
                hint=f"add `{target}` to the node's `goto`",
            )
        self.__lg_goto__ = target

    def end(self) -> None:
        """Go to `end` after this node. Raises NodeFailed where the node's `goto` does not name `end`."""
        self._go(plan.END)

    def emit(self, chunk: StreamChunk | str, /) -> Room:
        """Send something to display: text, or any chunk. Never part of the state.

        What is returned may be awaited: then the function is no faster than the reader of the stream. A
        plain function waits in here, unless its task has a `timeout`, whose time would be running.
        """
        engine = self.__lg_lane__.engine
        if not self.__lg_over__:  # what an abandoned attempt still says is dropped
            engine.emit(
                self.__lg_frame__, self.node, StreamChunk.of_text(chunk) if isinstance(chunk, str) else chunk,
                self._gone, self.__lg_node__.timeout is None,
            )  # fmt: skip
        return engine.room

    def _gone(self) -> bool:
        return self.cancelled

    def set_token_cost(self, tokens: float, /) -> None:
        """How many tokens this visit has cost, for the log and the adaptive checkpoint trigger."""
        cost = float(tokens)
        if not isfinite(cost):
            raise ValueError(f"a cost in tokens is a number, not {cost}")
        self.__lg_cost__ = cost

    def request_checkpoint(self) -> None:
        """Make a checkpoint after this step, whatever the trigger says."""
        self.__lg_checkpoint__ = True
