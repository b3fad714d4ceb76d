"""From checked programs to their generated modules, without writing a file.

A command that runs a graph needs the graph's generated module. If it has been built and can be imported, that
module is used, provided that it was built from the source as it is now (LG901 otherwise). If not, it is
generated and executed in memory, and whoever imports it by its name (`article_lg`, or the last part of a
dotted one) gets the very same module, so that the user's nodes and the graph share their classes.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from importlib import import_module
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .compiler.model import Graph, Program


class StaleModule(Exception):
    """A built module does not match the source; `file` is where it lies."""

    def __init__(self, name: str, file: str) -> None:
        super().__init__(f"{file} was not built from the source as it is now")
        self.name = name
        self.file = file


@dataclass(slots=True)
class Generated(MetaPathFinder, Loader):
    """The modules of a program, generated when they are first imported.

    It is asked after all other finders: what was built and lies on the path wins. `alone`: what was
    built is not looked at, and the modules are known to nobody else (scenarios need no Python of the
    user's).

    Attributes:
        program: what the modules are generated from.
        paths: each source's path from its project's root, by which its module is named.
    """

    program: Program
    paths: Mapping[str, str]
    alone: bool = False
    _parts: dict[str, tuple[str, ...]] = field(default_factory=dict[str, tuple[str, ...]])
    _made: dict[str, ModuleType] = field(default_factory=dict[str, ModuleType])

    def __post_init__(self) -> None:
        from .compiler.codegen.names import module_parts

        self._parts = {path: module_parts(self.paths.get(path, path)) for path in self._all_paths()}

    def _all_paths(self) -> list[str]:
        return [module.path for module in self.program.modules]

    def install(self) -> None:
        """Answer imports from now on."""
        if self not in sys.meta_path:
            sys.meta_path.insert(0 if self.alone else len(sys.meta_path), self)

    def remove(self) -> None:
        """Answer no more, and forget the modules that were made."""
        if self in sys.meta_path:
            sys.meta_path.remove(self)
        made = list(self._made.values())
        for name in [name for name, module in sys.modules.items() if module in made]:
            del sys.modules[name]

    # --- importing ------------------------------------------------------------------------------------------

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        source = self._source(fullname)
        if source is not None:
            return ModuleSpec(fullname, self, origin=source)
        wanted = tuple(fullname.split("."))
        if not self.alone and any(parts[: len(wanted)] == wanted for parts in self._parts.values()):
            return ModuleSpec(fullname, None, is_package=True)  # a folder on the way to a generated module
        return None

    def _source(self, name: str) -> str | None:
        """The source whose module has that name; of several with the last part alike, the closest."""
        wanted = tuple(name.split("."))
        best: list[tuple[int, str]] = []
        for path, parts in self._parts.items():
            shared = 0
            while shared < min(len(parts), len(wanted)) and parts[-1 - shared] == wanted[-1 - shared]:
                shared += 1
            if shared:
                best.append((shared, path))
        best.sort(key=lambda one: -one[0])
        if not best or (len(best) > 1 and best[0][0] == best[1][0]):
            return None
        return best[0][1]

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        return None

    def exec_module(self, module: ModuleType) -> None:
        source = self._source(module.__name__)
        assert source is not None
        made = self._made.get(source)
        if made is not None:  # the same module under another name
            sys.modules[module.__name__] = made
            return
        self._made[source] = module
        try:
            exec(self._code(source), module.__dict__)  # noqa: S102 - our own generated code
        except BaseException:
            del self._made[source]
            raise

    def _code(self, source: str) -> Any:
        import linecache

        from . import __version__
        from .compiler.codegen import generate

        module = next(one for one in self.program.modules if one.path == source)
        text = generate(self.program, module, version=__version__, paths=self.paths)
        name = f"<generated from {source}>"
        # Tracebacks and type errors can then show the lines.
        linecache.cache[name] = (len(text), None, text.splitlines(keepends=True), name)
        return compile(text, name, "exec", dont_inherit=True)

    # --- finding ------------------------------------------------------------------------------------------

    def module_of(self, path: str) -> ModuleType:
        """The generated module of a source: as the user's code has imported it, else found or made."""
        if path in self._made:
            return self._made[path]
        last = self._parts[path][-1]
        if self.alone:
            return import_module(".".join(self._parts[path]))
        for name in (".".join(self._parts[path]), last):
            if name in sys.modules:
                return sys.modules[name]
        for name, module in list(sys.modules.items()):
            if name.rpartition(".")[2] == last and self._source(name) == path:
                return module
        return import_module(".".join(self._parts[path]))

    def plan_of(self, graph: Graph) -> Any:
        """The plan of a graph. Raises StaleModule where a built module holds another one."""
        from .compiler.canonical import graph_hash, operational_hash

        module = self.module_of(graph.key.path)
        stem = self._stem(graph)
        found = getattr(module, f"{stem}_PLAN", None)
        good = (
            found is not None
            and found.hash == graph_hash(self.program, graph.key).full
            and found.operational_hash == operational_hash(self.program, graph.key).full
        )
        if not good:
            raise StaleModule(module.__name__, getattr(module, "__file__", None) or module.__name__)
        return found

    def _stem(self, graph: Graph) -> str:
        from .compiler.codegen.names import all_names

        return all_names(self.program)[graph.key.path].generated("constants", graph.key)
