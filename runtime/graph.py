"""From a plan and the user's functions to a graph that can be run."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import Any, Generic, TypeVar
from weakref import WeakValueDictionary

from . import plan
from .errors import LgcError

S = TypeVar("S")


@dataclass(frozen=True, slots=True, eq=False)
class Implementation:
    """The function of one task; `is_async` tells a coroutine function from one for a worker thread."""

    call: Callable[[Any], Any]
    is_async: bool


@dataclass(frozen=True, slots=True, eq=False, weakref_slot=True)
class Graph(Generic[S]):
    """A compiled graph with its functions: immutable, shared by many sessions."""

    plan: plan.Graph[S]
    implementations: Mapping[str, Implementation]
    subgraphs: Mapping[str, Graph[Any]]

    @property
    def name(self) -> str:
        """The name as declared."""
        return self.plan.name

    @property
    def hash(self) -> str:
        """`lg1:` and 64 hex digits."""
        return self.plan.hash

    @property
    def canonical(self) -> str:
        """The canonical JSON that was hashed."""
        return self.plan.canonical


# Graphs bound in this process, by hash, so that a stored run finds its classes again.
_BOUND: WeakValueDictionary[str, Graph[Any]] = WeakValueDictionary()


def known(hash: str) -> Graph[Any] | None:
    """A graph of that hash that was bound in this process."""
    return _BOUND.get(hash)


class BindingError(LgcError):
    """A task has no function, or what was given for it cannot be called."""


def bind(
    compiled: plan.Graph[S], nodes: object, subgraphs: Mapping[str, Graph[Any]] | None = None
) -> Graph[S]:
    """Bind each task to the attribute of `nodes` of the same name, or to its `impl`.

    `subgraphs` maps the name of each graph used to a bound graph; a missing one is bound to `nodes` too.

    Raises:
        BindingError: names every task that has no function.
    """
    found: dict[str, Implementation] = {}
    missing: list[str] = []
    inner: dict[str, Graph[Any]] = {}
    for node in compiled.nodes.values():
        if isinstance(node, plan.Task):
            call = getattr(nodes, node.name, None)
            if call is None and node.impl is not None:
                call = load(node.impl)
            if not callable(call):
                missing.append(node.name)
                continue
            if inspect.isasyncgenfunction(call) or inspect.isgeneratorfunction(call):
                raise BindingError(
                    f"graph `{compiled.name}`: the function for `{node.name}` has a `yield`: it never runs",
                    hint="show chunks with `ctx.emit(…)`",
                )
            found[node.name] = Implementation(call, _is_async(call))
        elif isinstance(node, (plan.Subgraph, plan.Map)):
            name = node.graph.name
            given = (subgraphs or {}).get(name)
            if given is not None and given.hash != node.graph.hash:
                raise BindingError(f"`{compiled.name}` uses another version of `{name}` than the one given")
            if name not in inner:
                inner[name] = given if given is not None else bind(node.graph, nodes)
    if missing:
        names = ", ".join(f"`{name}`" for name in missing)
        raise BindingError(
            f"graph `{compiled.name}`: no function for {names}",
            hint=f"define `async def {missing[0]}(ctx)` in {_named(nodes)}",
        )
    graph = Graph(compiled, found, inner)
    _BOUND[compiled.hash] = graph
    return graph


def load(path: str) -> Any:
    """Import `module:name`. Raises BindingError where there is no such thing."""
    module, _, name = path.partition(":")
    try:
        value: Any = import_module(module)
        for part in name.split("."):
            value = getattr(value, part)
    except (ImportError, AttributeError) as error:
        raise BindingError(f"cannot import `{path}`: {error}") from error
    return value


def _is_async(call: Any) -> bool:
    return inspect.iscoroutinefunction(call) or inspect.iscoroutinefunction(getattr(call, "__call__", None))  # noqa: B004


def _named(nodes: object) -> str:
    name = getattr(nodes, "__name__", None)
    return f"`{name if isinstance(name, str) else type(nodes).__name__}`"
