"""From types to random values, as JSON that the generated classes read: fields, mutations, answers, states.

The constants of a program's guards and their neighbours are drawn often, so that both sides of a bound are.
"""

from __future__ import annotations

import json
from random import Random
from re import fullmatch
from typing import Any

from lgc.compiler import model as m
from lgc.modules import Generated

DATES = ("2031-01-01", "2031-06-30", "2032-02-29")
UUIDS = tuple(f"00000000-0000-0000-0000-00000000000{n}" for n in range(4))


class Draws:
    """Random values for one program."""

    def __init__(self, modules: Generated, program: m.Program) -> None:
        self.modules = modules
        self.program = program
        self.barriers: dict[str, m.Barrier] = {}
        self.states: dict[str, m.State] = {}
        self.graphs: dict[str, m.Graph] = {}
        self.numbers: list[float] = [0, 1, 2]
        self.texts = ["", "a", "b"]
        for graph in program.graphs.values():
            for region in graph.regions:
                for edge in region.edges:
                    self._gather(edge.guard)

    def _gather(self, part: Any) -> None:
        if isinstance(part, m.Const):
            value: Any = part.value
            if isinstance(value, str):
                self.texts.append(value)
            elif isinstance(value, (int, float)) and not isinstance(value, bool):
                self.numbers += (
                    [value, value - 1, value + 1] if isinstance(value, int) else [value, value / 2, value * 2]
                )
        elif isinstance(part, tuple):
            for one in part:  # pyright: ignore[reportUnknownVariableType]
                self._gather(one)
        elif type(part).__module__ == m.__name__:
            names: tuple[str, ...] = getattr(part, "__match_args__", ())
            for name in names:
                if name not in ("type", "place"):
                    self._gather(getattr(part, name))

    def belongs(self, task: m.Task, graph: m.Graph) -> None:
        """Note whose a task is."""
        self.states[f"{id(task)}"] = self.program.states[graph.state]
        self.graphs[f"{id(task)}"] = graph

    # --- values ---------------------------------------------------------------------------------------------

    def value(self, kind: m.Type, dice: Random, bounds: m.Field | None = None, depth: int = 0) -> Any:
        """A value of a type, as JSON; inside a field's constraints where it has any."""
        match kind:
            case m.OptionalOf(item):
                return None if dice.random() < 0.35 else self.value(item, dice, bounds, depth)
            case m.ListOf(item) | m.SetOf(item):
                return self._several(kind, item, dice, bounds, depth)
            case m.DictOf(key, value):
                keys = self._several(m.SetOf(key), key, dice, bounds, depth)
                return {str(one): self.value(value, dice, None, depth + 1) for one in keys}
            case m.EnumType(key):
                return dice.choice(self.program.enums[key].members).name
            case m.RecordType(key):
                fields = self.program.records[key].fields
                return {one.name: self.value(one.type, dice, None, depth + 1) for one in fields}
            case m.UnionType(key):
                chosen = dice.choice(self.program.unions[key].members)
                return {"kind": chosen.name, **self.value(m.RecordType(chosen), dice, None, depth + 1)}
            case m.StateType(key):
                return self.state(key, dice)
            case m.Scalar(name):
                return self._scalar(name, dice, bounds)
            case _:
                return None

    def _several(
        self, kind: m.Type, item: m.Type, dice: Random, bounds: m.Field | None, depth: int
    ) -> list[Any]:
        low, high = 0, 3 if depth < 3 else 0
        if bounds is not None and bounds.length is not None:
            low = int(bounds.length.low or 0)
            high = min(int(bounds.length.high if bounds.length.high is not None else low + 3), low + 12)
        elif dice.random() < 0.2 and depth == 0:
            low = high = min(80, max(0, int(dice.choice(self.numbers))))  # lengths are compared, too
        size = dice.randint(min(low, high), high)
        found = [self.value(item, dice, None, depth + 1) for _ in range(size)]
        if isinstance(kind, m.SetOf):
            return [json.loads(one) for one in dict.fromkeys(json.dumps(one) for one in found)]
        return found

    def _scalar(self, name: str, dice: Random, bounds: m.Field | None) -> Any:
        match name:
            case "int" | "float" | "decimal":
                return self._number(name, dice, bounds)
            case "bool":
                return dice.random() < 0.5
            case "date":
                return dice.choice(DATES)
            case "datetime":
                return dice.choice(DATES) + "T12:00:00Z"
            case "duration":
                return f"PT{dice.choice((0, 1, 60, 3600, 7200, 10_800))}S"
            case "uuid":
                return dice.choice(UUIDS)
            case "bytes":
                return dice.choice(("", "YQ==", "YWI="))
            case "json":
                return dice.choice((None, 1, "a", [], {"k": 1}))
            case _:
                text = dice.choice(self.texts)
                if bounds is not None and bounds.pattern is not None:
                    text = next((t for t in PATTERNED if fullmatch(bounds.pattern, t)), text)
                low = int((bounds.length.low or 0) if bounds is not None and bounds.length is not None else 0)
                return text.ljust(low, "x")

    def _number(self, name: str, dice: Random, bounds: m.Field | None) -> Any:
        value = dice.choice(self.numbers)
        if bounds is not None and bounds.range is not None:
            low, high = bounds.range.low, bounds.range.high
            pool = [float(v) for v in (low, high) if v is not None]
            pool += [v for v in self.numbers if (low is None or v >= low) and (high is None or v <= high)]
            value = dice.choice(pool)
        if name == "int":
            return int(value)
        return str(value) if name == "decimal" else float(value)

    # --- what is made of them -------------------------------------------------------------------------------

    def state(self, key: m.Key, dice: Random) -> dict[str, Any]:
        """The fields of a state, each drawn or left at its default."""
        found: dict[str, Any] = {}
        for field in self.program.states[key].fields:
            if field.transient:
                continue
            if isinstance(field.type, m.StateType) and dice.random() < 0.5:
                continue
            found[field.name] = self.value(field.type, dice, field)
        return found

    def start(self, graph: m.Graph, dice: Random) -> dict[str, Any]:
        """What a run begins with: inputs are drawn, defaults mostly stay."""
        given = self.state(graph.state, dice)
        kept: dict[str, Any] = {}
        for field in self.program.states[graph.state].fields:
            if field.name in given and not self._defaulted(field):
                kept[field.name] = given[field.name]
        return kept

    def _defaulted(self, field: m.Field) -> bool:
        return field.default is not None or isinstance(field.type, (m.OptionalOf, m.StateType))

    def playable(self, task: m.Task, name: str) -> bool:
        """Whether a mutation can be recorded without the user's Python."""
        mutation = self.states[f"{id(task)}"].mutation(name)
        return mutation is not None and mutation.external is None

    def sets(self, task: m.Task, name: str, field: str) -> bool:
        """Whether a mutation gives a field a value when its arguments are not none."""
        mutation = self.states[f"{id(task)}"].mutation(name)
        assert mutation is not None
        last: m.Expr | None = None
        for step in mutation.body:
            if isinstance(step, m.Assign) and step.target.path == (field,) and step.op == "set":
                last = step.value
        return last is not None and not (isinstance(last, m.Const) and last.value is None)

    def routes(self, task: m.Task) -> bool:
        """Whether edges lead on from a task."""
        graph = self.graphs[f"{id(task)}"]
        edges = graph.region(task.region).edges
        return any(edge.source == task.name and edge.trigger != "on" for edge in edges)

    def mutation(self, kind: Any, task: m.Task, name: str, dice: Random) -> Any:
        """A mutation with drawn arguments: inside the constraints of the fields that they go to."""
        state = self.states[f"{id(task)}"]
        mutation = state.mutation(name)
        assert mutation is not None
        wanted = {field for field, _ in task.ensures}
        given: dict[str, Any] = {}
        for param in mutation.params:
            field = _goes_to(state, mutation, param.name)
            type_ = param.type
            if isinstance(type_, m.OptionalOf) and field is not None and field.name in wanted:
                type_ = type_.item
            given[param.name] = self.value(type_, dice, field)
        return kind.model_validate_json(json.dumps(given))

    def arguments(self, barrier: Any, name: str, dice: Random) -> dict[str, Any]:
        """The arguments of an answer."""
        kind = barrier.answers[name]
        declared = next(one for one in self.barriers[barrier.node].answers if one.name == name)
        given = {param.name: self.value(param.type, dice) for param in declared.params}
        made = kind.model_validate_json(json.dumps(given))
        return {param.name: getattr(made, param.name) for param in declared.params}


PATTERNED = ("default", "sqlite", "events.prod", "E-1", "https://example.org", "iris")


def _goes_to(state: m.State, mutation: m.Mutation, param: str) -> m.Field | None:
    """The field that a parameter is assigned to as it is."""
    for step in mutation.body:
        if isinstance(step, m.Assign) and isinstance(step.value, m.ParamRef) and step.value.name == param:
            return state.field(step.target.path[0]) if len(step.target.path) == 1 else None
    return None
