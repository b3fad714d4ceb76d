"""From `MODULE[:CLASS]` to the object that holds the functions of a graph's tasks."""

from __future__ import annotations

import os
import sys
import traceback
from importlib import import_module, util
from pathlib import Path
from types import ModuleType
from typing import Any

from .terminal import Failure


class NoNodes:
    """Stands for nodes that were not given: every task must then have an `impl`."""


def load_nodes(written: str) -> tuple[object, ModuleType | None]:
    """The object, and the module that it comes from.

    MODULE is a module's name or the path of a Python file. A class is made without arguments.

    Raises:
        Failure: it cannot be imported or made; the user's own exception is told in a line.
    """
    if not written:
        return NoNodes(), None
    name, attribute = split_nodes(written)
    module = load_module(name)
    if not attribute:
        return module, module
    found: Any = module
    for part in attribute.split("."):
        if not hasattr(found, part):
            from difflib import get_close_matches

            near = get_close_matches(part, [one for one in dir(found) if not one.startswith("_")], n=1)
            raise Failure(f"`{name}` has no `{part}`", f"did you mean `{near[0]}`?" if near else "")
        found = getattr(found, part)
    if isinstance(found, type):
        try:
            return found(), module
        except Exception as error:
            raise _users(f"`{written}` cannot be made without arguments", error) from error
    return found, module


def transients_of(nodes: object, module: ModuleType | None) -> dict[str, object]:
    """What `transients` of the nodes, or of their module, gives for transient fields; {} without one.

    Raises:
        Failure: calling it fails, or it gives no dict.
    """
    provider = getattr(nodes, "transients", None)
    if provider is None and module is not None:
        provider = getattr(module, "transients", None)
    if provider is None:
        return {}
    try:
        values = provider() if callable(provider) else provider
    except Exception as error:
        raise _users("`transients()` failed", error) from error
    if not isinstance(values, dict):
        raise Failure(f"`transients` must give a dict, not `{type(values).__name__}`")
    return {str(name): value for name, value in values.items()}  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType]


def split_nodes(written: str) -> tuple[str, str]:
    """`MODULE[:CLASS]` as both parts; the second is "" where it is missing."""
    name, colon, attribute = written.rpartition(":")
    if not colon or "/" in attribute or attribute.endswith(".py"):
        return written, ""
    return name, attribute


def load_module(name: str) -> ModuleType:
    """The module of that name, or of that file. Raises Failure where it cannot be imported."""
    return _from_file(Path(name)) if _is_file(name) else _from_name(name)


def _is_file(name: str) -> bool:
    return name.endswith(".py") or "/" in name


def _from_name(name: str) -> ModuleType:
    try:
        return import_module(name)
    except ModuleNotFoundError as error:
        if error.name and (name == error.name or name.startswith(error.name + ".")):
            raise Failure(
                f"no module `{error.name}`",
                f"looked in {', '.join(sys.path[:3])}, …; --nodes also takes the path of a Python file",
            ) from error
        raise _users(f"cannot import `{name}`", error) from error
    except (Exception, SystemExit) as error:  # a script that leaves, too
        raise _users(f"cannot import `{name}`", error) from error


def _from_file(path: Path) -> ModuleType:
    """Import a file: as part of its package where it lies in one, else by its own name."""
    path = path.absolute()
    if not path.is_file():
        raise Failure(f"{path}: no such file")
    top, parts = path.parent, [path.stem]
    while (top / "__init__.py").is_file():
        parts.insert(0, top.name)
        top = top.parent
    if str(top) not in sys.path:
        sys.path.insert(0, str(top))
    name = ".".join(parts)
    known = sys.modules.get(name)
    if known is not None and os.path.realpath(getattr(known, "__file__", None) or "") == os.path.realpath(
        path
    ):
        return known
    if known is None and len(parts) > 1:
        return _from_name(name)
    spec = util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise Failure(f"{path} is not a Python file")
    module = util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except (Exception, SystemExit) as error:
        del sys.modules[name]
        raise _users(f"cannot import {path.name}", error) from error
    return module


def _users(what: str, error: Exception | SystemExit) -> Failure:
    """A failure in the user's code: what was raised, and where."""
    frames = traceback.extract_tb(error.__traceback__)
    own = [one for one in frames if "importlib" not in one.filename and "/lgc/" not in one.filename]
    where = f" ({own[-1].filename}:{own[-1].lineno})" if own else ""
    if isinstance(error, SyntaxError) and error.filename:
        where = f" ({error.filename}:{error.lineno})"
    return Failure(
        f"{what}: {type(error).__name__}: {error}{where}", "run again with --debug for the traceback"
    )
