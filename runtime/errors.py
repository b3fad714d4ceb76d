"""Everything that can go wrong with a run, as one family of exceptions.

Each error knows, where it applies, the run, node and step it is about, and says the way out in `hint`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

# Longer texts of errors are cut: stores and screens have to take them.
LONGEST_ERROR = 10_000


class LgcError(Exception):
    """Base of all errors of the runtime.

    Attributes:
        message: what happened, one sentence.
        run: run id, None where no run is concerned.
        node: node (with the frame path in front where it is nested), None where none is concerned.
        step: number of the step, None where none is concerned.
        hint: the way out, "" where there is none to give.
    """

    hint: str = ""

    def __init__(
        self,
        message: str,
        *,
        run: str | None = None,
        node: str | None = None,
        step: int | None = None,
        hint: str | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.run = run
        self.node = node
        self.step = step
        if hint is not None:
            self.hint = hint

    def at(self, *, run: str | None = None, node: str | None = None, step: int | None = None) -> LgcError:
        """The same error with places filled in where they were missing; returns itself."""
        self.run = self.run if self.run is not None else run
        self.node = self.node if self.node is not None else node
        self.step = self.step if self.step is not None else step
        return self

    def __str__(self) -> str:
        places = [
            f"{what} {value}"
            for what, value in (("run", self.run), ("node", self.node), ("step", self.step))
            if value is not None
        ]
        where = f" ({', '.join(places)})" if places else ""
        hint = f"\n  help: {self.hint}" if self.hint else ""
        first, line, rest = self.message.partition("\n")
        return f"{first}{where}{line}{rest}{hint}"


class GraphMismatch(LgcError):
    """A stored run belongs to another graph than the one given.

    Attributes:
        expected: hash of the graph that the run is under.
        actual: hash of the graph given.
        changes: what differs, element by element (see `lgc.runtime.changes.compare.compare`), all of it.
        verdict: whether this very run could go on under the graph given (`lgc.runtime.compat.verdict`); None
            where that is not known.
        told: the same in lines for people, the most important ones.
    """

    hint = "restore with the graph that the run was started with, or force with a reason"

    def __init__(
        self,
        expected: str,
        actual: str,
        changes: Sequence[Any] = (),
        *,
        verdict: Any = None,
        told: Sequence[str] | None = None,
        message: str = "",
        **where: Any,
    ) -> None:
        lines = [f"- {getattr(change, 'text', change)}" for change in changes] if told is None else told
        head = message or (
            f"the run was made under graph {expected[:20]} but the graph given is {actual[:20]}"
        )
        super().__init__(head + "".join(f"\n  {line}" for line in lines), **where)
        self.expected = expected
        self.actual = actual
        self.changes = tuple(changes)
        self.verdict = verdict
        self.told = tuple(lines)


class RunNotFound(LgcError):
    """No run of that id is in the store."""


class RunExists(LgcError):
    """A run of that id is already in the store."""

    hint = "restore it, or choose another run id"


class CheckpointNotFound(LgcError):
    """No checkpoint of that id, or none at all for the run."""


class CheckpointCorrupted(LgcError):
    """Stored bytes are not what was written; says which record."""

    hint = "look at the store with `lgc store verify`; a run can be forked from the last good step"


class StorageError(LgcError):
    """The store could not be read or written."""


class SerializationError(LgcError):
    """A value does not fit its type; `path` names its place in the state (`notes.3.author`)."""

    def __init__(self, message: str, *, path: str = "", **where: Any) -> None:
        super().__init__(message, **where)
        self.path = path


class NodeFailed(LgcError):
    """A node's function raised, timed out or broke its contract, and no edge takes the error."""

    hint = "mend the cause and resume the run, or give the node an `on error` edge"


class NodeTimedOut(NodeFailed):
    """An attempt of a node took longer than its `timeout`."""


class FinalFailure(LgcError):
    """Raised by a node's function: a failure that trying again will not mend, whatever `retry` says."""


class Unrouted(LgcError):
    """No edge holds after a node.

    Attributes:
        guards: each guard's text and value.
    """

    hint = "give the node an `else` edge"

    def __init__(self, message: str, *, guards: Sequence[tuple[str, object]] = (), **where: Any) -> None:
        tried = "".join(f"\n  - `{text}` is {_spelt(value)}" for text, value in guards)
        super().__init__(message + tried, **where)
        self.guards = tuple(guards)


class StepsExceeded(LgcError):
    """A run completed more nodes than its graph's `max_steps`."""

    hint = "raise `max_steps`, or bound the loop with `max_visits`"


class MutationRejected(LgcError):
    """A recorded mutation is not declared for the node, or breaks a constraint of the state."""


class MergeConflict(LgcError):
    """Two branches wrote one field in ways whose order matters."""

    hint = "declare how the field is joined with `merge`"


class EvaluationError(LgcError):
    """An expression could not be evaluated.

    Attributes:
        expression: its text.
        place: `file:line:column`.
        values: the operands.
    """

    def __init__(self, message: str, *, expression: str = "", place: str = "", values: Sequence[object] = (),
                 **where: Any) -> None:  # fmt: skip
        shown = ", ".join(_spelt(value) for value in values)
        super().__init__(
            f"`{expression}` at {place}: {message}" + (f" (values: {shown})" if shown else "")
            if expression
            else message,
            **where,
        )
        self.expression = expression
        self.place = place
        self.values = tuple(values)


class BarrierTimeout(LgcError):
    """Nobody answered a barrier in time and nothing says what then."""


class DecisionRefused(LgcError):
    """An answer does not fit its barrier: unknown, wrong arguments, already given, or out of date."""


class Cancelled(LgcError):
    """The run was cancelled."""


class RunFenced(LgcError):
    """Another session has taken over the run; this one may no longer commit."""

    hint = "follow the run with `lgc show`; only one session drives a run at a time"


class TransientMissing(LgcError):
    """A transient field has no value and no provider was given."""


class RunUncertain(LgcError):
    """The run died inside an `effect once` node; a person has to say whether the effect happened."""

    hint = "settle it: `lgc settle RUN NODE retry|skip`"


def _spelt(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 200 else text[:197] + "..."


def text_of(error: BaseException) -> str:
    """The text of any exception, such as can be stored and shown."""
    try:
        return storable(error.message if isinstance(error, LgcError) else str(error))
    except Exception as second:
        return f"(its text cannot be had: {type(second).__name__})"


def storable(text: str) -> str:
    """An error's text as every store takes it: no lone surrogates, not endless."""
    text = text.encode("utf-8", "backslashreplace").decode()
    return text if len(text) <= LONGEST_ERROR else text[:LONGEST_ERROR] + " …"
