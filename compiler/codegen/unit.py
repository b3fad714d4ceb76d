"""What the parts of one module's generation share: names of all modules, and what the module imports."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import takewhile

from .. import model as m
from .names import BUILTINS, Names, module_parts


class Unit:
    """One module that is being written. Asking for a foreign name imports it."""

    def __init__(
        self,
        program: m.Program,
        module: m.Module,
        names: Mapping[str, Names],
        *,
        relative: bool,
        paths: Mapping[str, str],
    ) -> None:
        self.program = program
        self.module = module
        self.all_names = names
        self.names = names[module.path]
        self.viewed: set[m.Key] = set()
        self._relative = relative
        self._paths = paths
        self._uses_runtime = False
        self._standard: dict[tuple[str, str], str] = {}
        self._modules: dict[str, str] = {}
        self._foreign: dict[tuple[str, str], str] = {}
        self._opaque: dict[m.Key, tuple[str, str, str]] = {}

    # --- names that are imported ----------------------------------------------------------------------------

    def _local(self, name: str) -> str:
        while self.names.taken(name):
            name = f"_{name}"
        return name

    def std(self, module: str, name: str, alias: str | None = None) -> str:
        """A name of the standard library."""
        key = (module, name)
        if key not in self._standard:
            self._standard[key] = self._local(alias or name)
        return self._standard[key]

    def builtin(self, name: str) -> str:
        """A built-in name, also where the user has given it another meaning."""
        assert name in BUILTINS, name
        return f"{self.whole('builtins')}.{name}" if name in self.names.user else name

    def whole(self, module: str) -> str:
        """A module of the standard library."""
        if module not in self._modules:
            self._modules[module] = self._local(f"_{module}" if module == "builtins" else module)
        return self._modules[module]

    @property
    def lg(self) -> str:
        """The runtime's namespace for generated code."""
        self._uses_runtime = True
        return self._local("lg")

    def declared(self, key: m.Key) -> str:
        """The class of a declaration of any file."""
        return key.name if key.path == self.module.path else self.foreign(key.path, key.name)

    def foreign(self, path: str, name: str) -> str:
        """A name of the module generated from another source (or of this one)."""
        if path == self.module.path:
            return name
        key = (path, name)
        if key not in self._foreign:
            imported = m.Key(path, name) in self.module.imports
            self._foreign[key] = name if imported else self._other(name)
        return self._foreign[key]

    def _other(self, name: str) -> str:
        held = set(self._foreign.values())
        count, local = 2, name
        while self.names.taken(local) or local in held:
            local = f"{name}_{count}"
            count += 1
        return local

    def mutation(self, state: m.Key, name: str) -> str:
        """The class of a mutation of any state."""
        return self.foreign(state.path, self.all_names[state.path].mutation(state, name))

    def checkpoint(self, state: m.Key) -> str:
        """The checkpoint class of any state."""
        return self.foreign(state.path, self.all_names[state.path].generated("state", state) + "Checkpoint")

    def opaque(self, key: m.Key) -> str:
        """A Python class that only type checkers import."""
        if key not in self._opaque:
            target = self.program.opaques[key].target
            head, _, rest = target.name.partition(".")
            if not rest:
                local = key.name if self._names_opaque(key) else self._other(key.name)
                self._opaque[key] = (target.module, head, local)
            else:
                self._opaque[key] = (target.module, head, self.names.fresh(f"_{key.name}"))
        rest = self.program.opaques[key].target.name.partition(".")[2]
        local = self._opaque[key][2]
        return f"{local}.{rest}" if rest else local

    def _names_opaque(self, key: m.Key) -> bool:
        return key in self.module.declares or key in self.module.imports

    # --- attributes -----------------------------------------------------------------------------------------

    def state_attributes(self, key: m.Key) -> Mapping[str, str]:
        """The attributes of any state's fields."""
        return self.all_names[key.path].of_state(self.program.states[key])

    def record_attributes(self, key: m.Key) -> Mapping[str, str]:
        """The attributes of any record's fields."""
        return self.all_names[key.path].of_record(self.program.records[key])

    def enum_attributes(self, key: m.Key) -> Mapping[str, str]:
        """The attributes of any enum's members."""
        return self.all_names[key.path].of_enum(self.program.enums[key])

    # --- text -----------------------------------------------------------------------------------------------

    def import_groups(self) -> list[list[str]]:
        """Import statements, grouped and sorted."""
        standard = [f"import {_as(name, local)}" for name, local in sorted(self._modules.items())]
        standard += _from(self._standard)
        runtime = [f"from lgc.runtime import {_as('generated', self.lg)}"] if self._uses_runtime else []
        foreign = {(self._module(path), name): local for (path, name), local in self._foreign.items()}
        return [group for group in (standard, runtime, _from(foreign)) if group]

    def checking_imports(self) -> list[str]:
        """Imports that only type checkers follow."""
        return _from({(module, head): local for module, head, local in self._opaque.values()})

    def _module(self, path: str) -> str:
        target = module_parts(self._paths.get(path, path))
        if not self._relative:
            return ".".join(target)
        here = module_parts(self._paths.get(self.module.path, self.module.path))[:-1]
        shared = len(list(takewhile(lambda pair: pair[0] == pair[1], zip(here, target[:-1], strict=False))))
        return "." * (len(here) - shared + 1) + ".".join(target[shared:])


def _as(name: str, local: str) -> str:
    return name if name == local else f"{name} as {local}"


def _from(names: Mapping[tuple[str, str], str]) -> list[str]:
    modules: dict[str, list[tuple[str, str]]] = {}
    for (module, name), local in names.items():
        modules.setdefault(module, []).append((name, local))
    lines: list[str] = []
    for module in sorted(modules, key=lambda module: (not module.startswith("."), module)):
        pairs = sorted(modules[module], key=_import_order)
        plain = [name for name, local in pairs if name == local]
        line = f"from {module} import {', '.join(plain)}"
        if len(line) > 88:
            line = f"from {module} import (\n" + "".join(f"    {name},\n" for name in plain) + ")"
        lines += [line] if plain else []
        lines += [f"from {module} import {_as(*pair)}" for pair in pairs if pair[0] != pair[1]]
    return lines


def _import_order(pair: tuple[str, str]) -> tuple[int, str, str]:
    # As import sorters do: constants, classes, the rest.
    name = pair[0]
    return (0 if name.isupper() and len(name) > 1 else 1 if name[:1].isupper() else 2, name, pair[1])
