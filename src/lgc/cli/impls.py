"""`lgc check --impls`: from the names of Python functions in a program to whether they are there and fit.

The only check that imports the user's code. What it finds is LG203: no such function, or wrong arguments.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..compiler import model as m
from ..dsl.diagnostic import Diagnostic, error
from ..modules import Generated
from .launch import from_root, look_in
from .nodes import load_module, split_nodes
from .terminal import Failure

if TYPE_CHECKING:
    from ..dsl.source import Place
    from ..judged import Result

CODE = "LG203"


def missing_implementations(result: Result, nodes: str) -> list[Diagnostic]:
    """What is wrong with the functions that a project's graphs, mutations and fields name.

    `nodes` is `MODULE[:CLASS]`; without it only what has an `impl` is looked at.

    Raises:
        Failure: the module of the nodes cannot be imported.
    """
    program, settings = result.checked.program, result.batch.settings
    look_in([str(Path.cwd())], settings)
    modules = Generated(program, {one.path: from_root(one.path, settings) for one in program.modules})
    modules.install()
    try:
        holder = _holder(nodes) if nodes else None
        found = list(_tasks(program, holder, nodes))
        found += _named(program)
    finally:
        modules.remove()
    return found


def _holder(nodes: str) -> Any:
    name, attribute = split_nodes(nodes)
    holder: Any = load_module(name)
    for part in attribute.split(".") if attribute else ():
        holder = getattr(holder, part, None)
        if holder is None:
            raise Failure(f"`{name}` has no `{attribute}`")
    return holder


def _tasks(program: m.Program, holder: Any, nodes: str) -> Iterator[Diagnostic]:
    for graph in program.graphs.values():
        for node in graph.nodes:
            if not isinstance(node, m.Task):
                continue
            own = getattr(holder, node.name, None)
            if own is not None:
                yield from _fits(own, f"`{node.name}` of `{nodes}`", _places(own, holder, 1), node.place)
            elif node.impl is not None:
                yield from _loaded(node.impl, 1, node.place)
            elif holder is not None:
                help = f"define `async def {node.name}(ctx)` there, or give the task an `impl`"
                yield error(CODE, f"`{nodes}` has no function `{node.name}`", node.place, help=help)


def _places(function: Any, holder: Any, count: int) -> int:
    """How many positional arguments a function is called with: one more for a method taken from its class."""
    static = isinstance(inspect.getattr_static(holder, getattr(function, "__name__", ""), None), staticmethod)
    return count + 1 if isinstance(holder, type) and inspect.isfunction(function) and not static else count


def _named(program: m.Program) -> Iterator[Diagnostic]:
    """Functions of mutations and merges, classes of opaque types, exceptions of `retry`."""
    for state in program.states.values():
        for mutation in state.mutations:
            if mutation.external is not None:
                yield from _loaded(mutation.external, 2, mutation.place)
        for field in state.fields:
            if field.merge is not None and field.merge.target is not None:
                yield from _loaded(field.merge.target, None, field.merge.place)
    for opaque in program.opaques.values():
        yield from _loaded(opaque.target, None, opaque.place)
    for graph in program.graphs.values():
        for node in graph.nodes:
            for name in node.retry.errors if isinstance(node, m.Task) and node.retry else ():
                yield from _loaded(name, None, node.place)


def _loaded(name: m.PythonName, arguments: int | None, place: Place) -> Iterator[Diagnostic]:
    try:
        found: Any = import_module(name.module)
        for part in name.name.split("."):
            found = getattr(found, part)
    except (Exception, SystemExit) as problem:
        yield error(CODE, f"`{name}` cannot be imported: {type(problem).__name__}: {problem}", place)
        return
    if arguments is not None:
        yield from _fits(found, f"`{name}`", arguments, place)


def _fits(function: Any, what: str, arguments: int, place: Place) -> Iterator[Diagnostic]:
    if not callable(function):
        yield error(CODE, f"{what} is not a function", place)
        return
    try:
        inspect.signature(function).bind(*[None] * arguments)
    except TypeError as problem:
        count = "one argument" if arguments == 1 else f"{arguments} arguments"
        yield error(CODE, f"{what} cannot be called with {count}: {problem}", place)
    except ValueError:
        pass  # a built-in that does not say what it takes
