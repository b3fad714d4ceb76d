"""What a task's function is handed: a view of the state, and the few things it may ask of the engine."""

from __future__ import annotations

from typing import Any, Generic, Protocol, TypeVar

from . import plan
from .errors import MutationRejected, NodeFailed
from .events import StreamChunk

V = TypeVar("V")
P = TypeVar("P")


class Attempt(Protocol):
    """What the engine keeps of one attempt; contexts ask it when a task asks them."""

    def stopping(self) -> bool:
        """Whether the attempt should end."""
        ...

    def emit(self, node: str, chunk: StreamChunk) -> None:
        """Pass a chunk on."""
        ...

    def idempotency_key(self, node: str) -> str:
        """The key of the visit."""
        ...

    def step(self) -> int:
        """The last committed step."""
        ...


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
        "__lg_attempt__", "__lg_checkpoint__", "__lg_cost__", "__lg_goto__", "__lg_node__",
        "__lg_recorded__", "attempt", "state", "visit",
    )  # fmt: skip

    def __init__(self, state: V, node: plan.Task, engine: Attempt, attempt: int, visit: int) -> None:
        self.state = state
        self.attempt = attempt
        self.visit = visit
        self.__lg_node__ = node
        self.__lg_attempt__ = engine
        self.__lg_recorded__: list[Any] = []
        self.__lg_goto__: str | None = None
        self.__lg_cost__ = 0.0
        self.__lg_checkpoint__ = False

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
        return self.__lg_attempt__.step()

    @property
    def cancelled(self) -> bool:
        """Whether the run was cancelled or this attempt's time is over; long loops should look at it."""
        return self.__lg_attempt__.stopping()

    @property
    def idempotency_key(self) -> str:
        """The same for every attempt of this visit, also after a crash; different for any other visit."""
        return self.__lg_attempt__.idempotency_key(self.__lg_node__.name)

    def _record(self, mutation: Any) -> None:
        if type(mutation) not in self.__lg_node__.records:
            kind: Any = mutation.__class__
            name: str = getattr(kind, "__lg_name__", kind.__name__)
            allowed = ", ".join(f"`{cls.__lg_name__}`" for cls in self.__lg_node__.records) or "none"
            raise MutationRejected(
                f"`{self.node}` recorded `{name}`, which it does not declare (it records: {allowed})",
                node=self.node,
                hint=f"add `{name}` to the node's `records`",
            )
        self.__lg_recorded__.append(mutation)

    def _go(self, target: str) -> None:
        if target not in self.__lg_node__.goto:
            allowed = ", ".join(f"`{name}`" for name in self.__lg_node__.goto) or "none"
            raise NodeFailed(
                f"`{self.node}` may not go to `{target}` (its `goto` names: {allowed})",
                node=self.node,
                hint=f"add `{target}` to the node's `goto`",
            )
        self.__lg_goto__ = target

    def end(self) -> None:
        """Go to `end` after this node. Raises NodeFailed where the node's `goto` does not name `end`."""
        self._go(plan.END)

    def emit(self, chunk: StreamChunk | str, /) -> None:
        """Send something to display: text, or any chunk. Never part of the state."""
        self.__lg_attempt__.emit(
            self.__lg_node__.name, StreamChunk.of_text(chunk) if isinstance(chunk, str) else chunk
        )

    def set_token_cost(self, tokens: float, /) -> None:
        """How many tokens this visit has cost, for the log and the adaptive checkpoint trigger."""
        self.__lg_cost__ = float(tokens)

    def request_checkpoint(self) -> None:
        """Make a checkpoint after this step, whatever the trigger says."""
        self.__lg_checkpoint__ = True
