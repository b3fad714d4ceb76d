"""From the names of a source file to the Python names of its generated module.

A declared name stays as it is. Everything else yields to the user: an imported name that the file uses for
something gets an underscore in front (`_date`), a generated class takes the next of its candidates
(`WriteContext`, `ArticleWriteContext`), a field that would hide something that it inherits gets one behind
(`json_`; what is stored keeps the name). All of it depends on the file and what it imports alone.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from keyword import iskeyword

from .. import model as m

# What pydantic's models have themselves; a test compares this with the installed version.
MODEL_ATTRIBUTES = frozenset({
    "construct", "copy", "dict", "from_orm", "json", "parse_file", "parse_obj", "parse_raw", "schema",
    "schema_json", "self", "update_forward_refs", "validate", "model_computed_fields", "model_config",
    "model_construct", "model_copy", "model_dump", "model_dump_json", "model_extra", "model_fields",
    "model_fields_set", "model_json_schema", "model_parametrized_name", "model_post_init", "model_rebuild",
    "model_validate", "model_validate_json", "model_validate_strings",
})  # fmt: skip
STATE_ATTRIBUTES = frozenset({"restore", "self", "snapshot"})
ENUM_ATTRIBUTES = frozenset({*dir(str), "mro", "name", "value"})
# The built-in names that generated code uses.
BUILTINS = frozenset({
    "abs", "all", "any", "bool", "bytes", "classmethod", "dict", "float", "frozenset", "int", "isinstance",
    "len", "list", "max", "min", "object", "property", "set", "str", "sum", "tuple", "type",
})  # fmt: skip


def pascal(name: str) -> str:
    """`sign_off` as `SignOff`."""
    return "".join(part[:1].upper() + part[1:] for part in name.split("_")) or "_"


def attributes(names: Iterable[str], reserved: frozenset[str]) -> dict[str, str]:
    """Python attributes for names: themselves, or with underscores behind where they are reserved."""
    result: dict[str, str] = {}
    free: list[str] = []
    bent: list[str] = []
    for name in names:
        (bent if name in reserved or name.startswith("_") else free).append(name)
    taken = {*free, *reserved}
    for name in bent:
        attribute = name.lstrip("_") if name.startswith("_") else name
        if not attribute.isidentifier() or iskeyword(attribute):
            attribute = f"x{attribute}"
        attribute = f"{attribute.rstrip('_')}_"
        while attribute in taken:
            attribute += "_"
        taken.add(attribute)
        result[name] = attribute
    return {**{name: name for name in free}, **result}


def module_parts(path: str) -> tuple[str, ...]:
    """The dotted name of a source's module from the output's root: `("sub", "article_lg")`."""
    parts = [part for part in re.split(r"[\\/]", path) if part not in ("", ".", "..")] or ["-"]
    stem = re.sub(r"\.lgraph$", "", parts[-1])
    folders = [_identifier(part) for part in parts[:-1]]
    return (*folders, _identifier(f"{stem}_lg"))


def _identifier(text: str) -> str:
    clean = re.sub(r"\W", "_", text, flags=re.ASCII)
    clean = f"_{clean}" if clean[:1].isdigit() else clean
    return f"{clean}_" if iskeyword(clean) else clean


@dataclass(frozen=True, slots=True)
class Request:
    """Names wanted for one thing: each of `endings` behind the same one of `stems`."""

    id: tuple[object, ...]
    stems: tuple[str, ...]
    endings: tuple[str, ...] = ("",)


def settle(requests: Iterable[Request], taken: set[str]) -> dict[tuple[object, ...], str]:
    """A stem for each request; two that want the same name both take their next stem."""
    result: dict[tuple[object, ...], str] = {}
    open_ = list(requests)
    level = 0
    while open_:
        wanted: dict[str, int] = {}
        stems = [_stem(request, level) for request in open_]
        for request, stem in zip(open_, stems, strict=True):
            for ending in request.endings:
                wanted[stem + ending] = wanted.get(stem + ending, 0) + 1
        left: list[Request] = []
        last_resort = level >= max(len(request.stems) for request in open_)
        for request, stem in zip(open_, stems, strict=True):
            names = [stem + ending for ending in request.endings]
            alone = last_resort or all(wanted[name] == 1 for name in names)
            if alone and not taken.intersection(names):
                result[request.id] = stem
            else:
                left.append(request)
                continue
            if last_resort:
                taken.update(names)
        taken.update(result[r.id] + ending for r in open_ if r.id in result for ending in r.endings)
        open_ = left
        level += 1
    return result


def _stem(request: Request, level: int) -> str:
    if level < len(request.stems):
        return request.stems[level]
    return request.stems[-1] + "_" * (level - len(request.stems) + 1)


class Names:
    """The names of one generated module."""

    def __init__(self, program: m.Program, module: m.Module) -> None:
        self.program = program
        self.module = module
        self.declared = frozenset(key.name for key in (*module.declares, *module.imports))
        # Types are named in the scope of classes, where a field of the same name would hide them.
        self.types = frozenset(
            key.name for key in (*module.declares, *module.imports) if key not in program.graphs
        )
        self.user = frozenset(_identifiers(program, module)) | self.declared
        self._taken = {*self.declared, *BUILTINS}
        self._attributes: dict[m.Key, dict[str, str]] = {}
        # Fields and nodes stand in scopes in which no mutation is named: only the others avoid them.
        self._settled = settle(_mutations(program, module), self._taken)
        self._taken |= self.user
        for requests in (_data(program, module), _graphs(program, module)):
            self._settled.update(settle(requests, self._taken))

    # --- generated names ------------------------------------------------------------------------------------

    def generated(self, *id: object) -> str:
        """The stem that was settled for one thing."""
        return self._settled[id]

    def mutation(self, state: m.Key, mutation: str) -> str:
        """The class of a mutation of a state of this module."""
        return self._settled["mutation", state, mutation]

    def fresh(self, name: str) -> str:
        """A module-level name that nothing else has."""
        while name in self._taken:
            name += "_"
        self._taken.add(name)
        return name

    def taken(self, name: str) -> bool:
        """Whether a name means something in this module."""
        return name in self._taken

    # --- attributes -----------------------------------------------------------------------------------------

    def of_record(self, record: m.Record) -> dict[str, str]:
        """The attributes of a record of this module."""
        return self._memo(record.key, [f.name for f in record.fields], MODEL_ATTRIBUTES)

    def of_state(self, state: m.State) -> dict[str, str]:
        """The attributes of a state of this module."""
        return self._memo(state.key, [f.name for f in state.fields], STATE_ATTRIBUTES)

    def of_model(self, names: Iterable[str]) -> dict[str, str]:
        """The attributes of another generated model (a checkpoint, a mutation, an answer)."""
        return attributes(names, MODEL_ATTRIBUTES | self.types)

    def of_enum(self, enum: m.Enum) -> dict[str, str]:
        """The attributes of an enum's members."""
        return self._memo(enum.key, [member.name for member in enum.members], ENUM_ATTRIBUTES)

    def _memo(self, key: m.Key, names: list[str], reserved: frozenset[str]) -> dict[str, str]:
        found = self._attributes.get(key)
        if found is None:
            found = self._attributes[key] = attributes(names, reserved | self.types)
        return found


def _identifiers(program: m.Program, module: m.Module) -> Iterator[str]:
    """Every name that the generated module shows in the scope of a module or class."""
    for key in (*module.declares, *module.imports):
        if (enum := program.enums.get(key)) is not None:
            yield from (member.name for member in enum.members)
        if (record := program.records.get(key)) is not None:
            yield from (field.name for field in record.fields)
        if (state := program.states.get(key)) is not None:
            yield from _of_state(program, state, set())
        if key in module.declares and (graph := program.graphs.get(key)) is not None:
            yield from _of_state(program, program.states[graph.state], set())
            for node in graph.nodes:
                yield node.name
                if isinstance(node, m.Task):
                    yield from (name for name, _ in node.params)
                if isinstance(node, m.Barrier):
                    yield from (param.name for answer in node.answers for param in answer.params)
                if isinstance(node, m.Subgraph | m.MapNode):
                    yield node.graph.name


def _of_state(program: m.Program, state: m.State, seen: set[m.Key]) -> Iterator[str]:
    if state.key in seen:
        return
    seen.add(state.key)
    for field in state.fields:
        yield field.name
        if isinstance(field.type, m.StateType):
            yield from _of_state(program, program.states[field.type.key], seen)
    yield from (param.name for mutation in state.mutations for param in mutation.params)


def _mutations(program: m.Program, module: m.Module) -> Iterator[Request]:
    for key in module.declares:
        if (state := program.states.get(key)) is not None:
            for mutation in state.mutations:
                name = mutation.name
                yield Request(("mutation", key, name), (name, key.name + name, f"{key.name}{name}Mutation"))


def _data(program: m.Program, module: m.Module) -> Iterator[Request]:
    for key in module.declares:
        if (state := program.states.get(key)) is not None:
            yield Request(("state", key), (key.name, f"{key.name}State"), ("Checkpoint", "Mutation"))
            for mutation in state.mutations:
                if mutation.external is not None:
                    stems = (mutation.name, key.name + mutation.name)
                    yield Request(("result", key, mutation.name), stems, ("Result",))


def _graphs(program: m.Program, module: m.Module) -> Iterator[Request]:
    substates: dict[m.Key, None] = {}
    for key in module.declares:
        graph = program.graphs.get(key)
        if graph is None:
            continue
        own = pascal(key.name)
        yield Request(("nodes", key), (own, f"{own}Graph"), ("Nodes",))
        upper = key.name.upper()
        yield Request(("constants", key), (upper, f"{upper}_GRAPH"), ("_HASH", "_PLAN"))
        for node in graph.nodes:
            stem = pascal(node.name)
            if isinstance(node, m.Task):
                id = ("task", key, node.name)
                yield Request(id, (stem, own + stem, f"{own}{stem}Task"), ("Context", "View", "Params"))
            elif isinstance(node, m.Barrier):
                for answer in node.answers:
                    name = stem + pascal(answer.name)
                    yield Request(("answer", key, node.name, answer.name), (name, own + name))
        substates.update(dict.fromkeys(_substates(program, program.states[graph.state])))
    for key in substates:
        yield Request(("subview", key), (key.name, f"{key.name}State"), ("View",))


def _substates(program: m.Program, state: m.State) -> list[m.Key]:
    """The states inside a state, the innermost last."""
    found: list[m.Key] = []
    todo = [state]
    while todo:
        for field in todo.pop().fields:
            if isinstance(field.type, m.StateType) and field.type.key not in found:
                found.append(field.type.key)
                todo.append(program.states[field.type.key])
    return found


def all_names(program: m.Program) -> Mapping[str, Names]:
    """The names of every module of a program, by path."""
    return {module.path: Names(program, module) for module in program.modules}
