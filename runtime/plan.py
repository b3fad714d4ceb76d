"""The plan: what generated code tells the engine about a graph.

The compiler writes a plan as Python text into the generated module; the machine and the engine only read
it. It holds no user code except the functions that the compiler made out of expressions. Lengths of time
are in seconds.

Terms:
* an *edge key* names an edge in a way that layout cannot change: `grade->write when 2`, `a->b`, `a->b else`,
  `a->b on error`. The number counts the `when` edges of one source. Counters of `max_visits` are kept by it;
* a *route* is everything that leaves one source (a node, or `start` of a region);
* a *region* is the graph's own (id "") or one branch's (id `parallel/branch`).

This file imports nothing outside the standard library: the compiler reads it too.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Generic, Literal, Protocol, TypeAlias, TypeVar

START = "start"
END = "end"


class Counters(Protocol):
    """What guards may ask of a run besides its state."""

    def visits(self, node: str) -> int:
        """How often the node has completed in this run of its graph."""
        ...

    def steps(self) -> int:
        """How many nodes have completed in this run of the graph."""
        ...


@dataclass(frozen=True, slots=True)
class Guard:
    """`when EXPR`: the test, its text as written, and where it stands (`file:line:column`)."""

    test: Callable[[Any, Counters], bool]
    text: str
    place: str


@dataclass(frozen=True, slots=True)
class Edge:
    """One arrow out of a source."""

    key: str
    target: str
    guard: Guard | None = None
    max_visits: int | None = None


@dataclass(frozen=True, slots=True)
class Route:
    """Everything that leaves one source.

    `edges` are tried in order: the `when` edges as written, then the `else` or plain edge. `on` holds, by
    outcome, the edges of `on` triggers, in the order written.
    """

    edges: tuple[Edge, ...] = ()
    on: Mapping[str, tuple[Edge, ...]] = field(default_factory=dict[str, tuple[Edge, ...]])


@dataclass(frozen=True, slots=True)
class Retry:
    """`attempts` further attempts; pauses grow from `low` to `high` seconds; `errors` are `module:Name`."""

    attempts: int
    low: float = 0.0
    high: float = 0.0
    errors: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Task:
    """A node that runs a Python function."""

    name: str
    region: str
    context: type[Any]
    view: type[Any]
    records: tuple[type[Any], ...] = ()
    ensures: tuple[str, ...] = ()
    goto: tuple[str, ...] = ()
    retry: Retry | None = None
    timeout: float | None = None
    effect: Literal["pure", "idempotent", "once"] = "idempotent"
    params: Mapping[str, object] = field(default_factory=dict[str, object])
    impl: str | None = None


@dataclass(frozen=True, slots=True)
class Decision:
    """A node that only routes."""

    name: str
    region: str


@dataclass(frozen=True, slots=True)
class Answer:
    """One decision that a barrier offers.

    `arguments` is the generated pydantic model of its parameters; `records(state, arguments)` gives the
    mutations that taking it records.
    """

    name: str
    arguments: type[Any]
    records: Callable[[Any, Any], tuple[Any, ...]]


@dataclass(frozen=True, slots=True)
class Barrier:
    """A node that waits for an answer from outside.

    `timeout_answer` is the name of the answer that is taken when the time is over, with a function from the
    state to its arguments; None: the `on timeout` edge is taken.
    """

    name: str
    region: str
    shows: tuple[str, ...]
    timeout: float
    answers: Mapping[str, Answer]
    timeout_answer: tuple[str, Callable[[Any], Any]] | None = None
    modify: tuple[type[Any], ...] = ()
    reroute: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Parallel:
    """A node whose branches run side by side. `branches` maps, in order, a name to its region's id."""

    name: str
    region: str
    branches: Mapping[str, str]
    join: int  # how many branches must succeed
    collect: bool = False


@dataclass(frozen=True, slots=True)
class SameState:
    """The subgraph works on the outer state."""


@dataclass(frozen=True, slots=True)
class OnField:
    """The subgraph works on a field of the outer state; `attribute` is its Python name."""

    field: str
    attribute: str


@dataclass(frozen=True, slots=True)
class InOut:
    """A fresh inner state is made by `enter(outer)`; `leave(inner)` gives the outer mutations at its end."""

    enter: Callable[[Any], Any]
    leave: Callable[[Any], tuple[Any, ...]]


@dataclass(frozen=True, slots=True)
class Subgraph:
    """A node that runs another graph once."""

    name: str
    region: str
    graph: Graph[Any]
    lens: SameState | OnField | InOut
    max_steps: int | None = None


@dataclass(frozen=True, slots=True)
class Map:
    """A node that runs another graph once for each element.

    `over(outer)` gives the elements in order; `enter(outer, item)` an element's fresh inner state;
    `leave(inner, item)` the outer mutations at its end.
    """

    name: str
    region: str
    graph: Graph[Any]
    over: Callable[[Any], list[Any]]
    enter: Callable[[Any, Any], Any]
    leave: Callable[[Any, Any], tuple[Any, ...]]
    concurrency: int | None = None
    collect: bool = False
    max_steps: int | None = None


Node: TypeAlias = Task | Decision | Barrier | Parallel | Subgraph | Map


@dataclass(frozen=True, slots=True)
class Adaptive:
    """Weights of the adaptive trigger: seconds, tokens and effects since the last checkpoint."""

    duration: float
    tokens: float
    effects: float
    threshold: float


@dataclass(frozen=True, slots=True)
class Checkpointing:
    """When a checkpoint is made, how many stay, when a state is written whole."""

    every_steps: int | None = 1
    every: float | None = None
    on: frozenset[str] = frozenset()  # of barrier, decision, completion, mutation
    adaptive: Adaptive | None = None
    manual: bool = False
    keep_count: int | None = None
    keep: float | None = None
    compact_steps: int | None = None  # None: when the log outweighs the last snapshot


@dataclass(frozen=True, slots=True)
class RenameStep:
    """`rename node|field|mutation OLD to NEW`."""

    what: Literal["node", "field", "mutation"]
    old: str
    new: str
    place: str = ""


@dataclass(frozen=True, slots=True)
class SetStep:
    """`set FIELD = EXPR`: `expression` is a canonical form without types (see `lgc.runtime.forms.loose`),
    over the state before the migration; `text` is how it was written."""

    field: str
    expression: str  # JSON
    text: str
    place: str = ""


@dataclass(frozen=True, slots=True)
class DropStep:
    """`drop field FIELD`."""

    field: str
    place: str = ""


@dataclass(frozen=True, slots=True)
class MoveStep:
    """`move OLD to NEW`: a run parked at OLD, which is gone, goes on at NEW."""

    old: str
    new: str
    place: str = ""


MigrationStep: TypeAlias = RenameStep | SetStep | DropStep | MoveStep


@dataclass(frozen=True, slots=True)
class Migration:
    """One `migrate` block: how a run under `source` (as written: `lg1:` and at least 16 digits) becomes one
    under the graph that the next block is from; the last block of a graph ends at the graph itself."""

    source: str
    steps: tuple[MigrationStep, ...] = ()
    place: str = ""


class Places(Mapping[str, str]):
    """Where things stand in sources, by name: what generated code holds is read when it is first asked for.

    `written` holds, by source, a line for each name: line and column, a space, the name.
    """

    __slots__ = ("_found", "_written")

    def __init__(self, written: Mapping[str, str]) -> None:
        self._written = written
        self._found: dict[str, str] | None = None

    def _places(self) -> dict[str, str]:
        if self._found is None:
            self._found = {
                name: f"{source}:{place}"
                for source, text in self._written.items()
                for place, _, name in (line.partition(" ") for line in text.split("\n"))
            }
        return self._found

    def __getitem__(self, name: str) -> str:
        return self._places()[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._places())

    def __len__(self) -> int:
        return len(self._places())

    def __repr__(self) -> str:
        return f"Places({self._written!r})"


S = TypeVar("S")


@dataclass(frozen=True, slots=True)
class Graph(Generic[S]):
    """One compiled graph, without the functions of its tasks.

    Attributes:
        name: as declared.
        source: path of the file it was compiled from, as the compiler was given it.
        hash: `lg1:` and 64 hex digits.
        operational_hash: the hash of what may change without notice.
        canonical: the canonical JSON that was hashed.
        state: the generated state class.
        nodes: by name.
        routes: by source; `start` of a region is `start` for the graph's own, `start:REGION` for a branch.
        max_steps: limit on completed nodes of one run of this graph.
        migrations: the `migrate` blocks of the graph, in the order written, which is the order of a chain.
        places: where elements (ids as in the canonical form) and edges (their keys) stand in the source,
            `file:line:column`.
    """

    name: str
    source: str
    hash: str
    operational_hash: str
    canonical: str
    state: type[S]
    nodes: Mapping[str, Node]
    routes: Mapping[str, Route]
    max_steps: int = 10_000
    checkpointing: Checkpointing = Checkpointing()
    migrations: tuple[Migration, ...] = ()
    places: Mapping[str, str] = field(default_factory=dict[str, str])
