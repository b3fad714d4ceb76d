"""From the nodes of a form to those of a plan, without functions.

What a form does not hold gets a neutral value: contexts and views are the bases, a barrier waits no time, a
task has no timeout, no retry and no params.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any, Literal, cast

from pydantic import create_model

from .. import plan
from ..context import TaskContext
from ..values.operations import ordered
from ..values.state import Answer, Mutation, State
from ..values.views import View
from .evaluate import Scope, made_of
from .made import Made
from .params import Params, StateScope, params_of
from .reading import Unfit, list_of, name_of, names_of, object_of, one_of, whole_of
from .types import UNKNOWN, Type, base, kind_of

Calls = Callable[[Any, Any], tuple[Any, ...]]


class Nodes:
    """Makes the nodes of one form."""

    def __init__(self, scope: StateScope, state: type[State], inner: Mapping[str, plan.Graph[Any]]) -> None:
        """`inner` holds the plans of the graphs that nodes run, by label; `state` has its mutations."""
        self._scope = scope
        self._data = scope.data
        self._state = state
        self._inner = inner

    def node(self, name: str, element: Mapping[str, Any]) -> plan.Node:
        """One node. Raises Unfit."""
        region = element.get("region", "")
        if not isinstance(region, str):
            raise Unfit(f"{region!r} is no region")
        match element.get("kind"):
            case "task":
                return self._task(name, region, element)
            case "decision":
                return plan.Decision(name, region)
            case "barrier":
                return self._barrier(name, region, element)
            case "parallel":
                return _parallel(name, region, element)
            case "subgraph":
                return self._subgraph(name, region, element)
            case "map":
                return self._map(name, region, element)
            case other:
                raise Unfit(f"{other!r} is no kind of node")

    def _task(self, name: str, region: str, element: Mapping[str, Any]) -> plan.Task:
        effect = one_of(element["effect"], ("pure", "idempotent", "once"))
        ensures = names_of(element.get("ensures", []))
        if any(field not in self._data.states[self._data.own] for field in ensures):
            raise Unfit("it ensures a field that there is not")
        return plan.Task(
            name=name,
            region=region,
            context=TaskContext,
            view=View,
            records=self._mutations(element.get("records", [])),
            ensures=ensures,
            goto=names_of(element.get("goto", [])),
            effect=cast("Literal['pure', 'idempotent', 'once']", effect),
        )

    def _mutations(self, form: Any) -> tuple[type[Mutation], ...]:
        return tuple(self._mutation(name) for name in names_of(form))

    def _mutation(self, name: Any) -> type[Mutation]:
        found = self._state.__lg_mutations__.get(name_of(name))
        if found is None:
            raise Unfit(f"there is no mutation `{name}`")
        return found

    # --- barriers -------------------------------------------------------------------------------------------

    def _barrier(self, name: str, region: str, element: Mapping[str, Any]) -> plan.Barrier:
        offered = object_of(element["decisions"])
        params = {name_of(a): params_of(object_of(form)["params"], self._data) for a, form in offered.items()}
        records = {
            answer: self._calls(form.get("records", []), self._answer_scope(params[answer]))
            for answer, form in offered.items()
        }
        answers = _Answers(self._data, params, records)
        taken: tuple[str, Callable[[Any], Any]] | None = None
        if "timeout" in element:
            answer, args = list_of(element["timeout"])
            if answer not in params:
                raise Unfit(f"its timeout decides `{answer}`, which it does not offer")
            given = self._arguments(args, params[answer].types, self._scope)
            taken = answer, lambda state: answers[answer].arguments(**given(state, None))
        return plan.Barrier(
            name=name,
            region=region,
            shows=(),
            timeout=0.0,
            answers=answers,
            timeout_answer=taken,
            modify=self._mutations(element.get("modify", [])),
            reroute=names_of(element.get("reroute", [])),
        )

    def _answer_scope(self, params: Params) -> StateScope:
        return StateScope(self._data, self._data.own, params)

    def _arguments(
        self, form: Any, types: Mapping[str, Type], scope: Scope
    ) -> Callable[[Any, Any], dict[str, Any]]:
        """Arguments by name, computed."""
        made = {name_of(name): made_of(value, scope) for name, value in object_of(form).items()}
        for name, value in made.items():
            if name not in types:
                raise Unfit(f"there is no parameter `{name}`")
            if not self._data.may_be(value.type, types[name]):
                raise Unfit(f"`{name}` cannot be a {kind_of(value.type)}")
        calls = [(name, value.call) for name, value in made.items()]
        return lambda state, more: {name: call(state, more, None) for name, call in calls}

    def _calls(self, form: Any, scope: Scope) -> Calls:
        """The mutations that something records, with their arguments from a state."""
        made: list[tuple[type[Mutation], list[tuple[str, Made]]]] = []
        for pair in list_of(form):
            name, args = list_of(pair)
            kind = self._mutation(name)
            given = [(name_of(arg), made_of(value, scope)) for arg, value in object_of(args).items()]
            names = {field.alias or attribute for attribute, field in kind.model_fields.items()}
            if {arg for arg, _ in given} - names:
                raise Unfit(f"`{name}` has no such parameters")
            made.append((kind, given))

        def calls(state: Any, more: Any) -> tuple[Any, ...]:
            return tuple(
                kind(**{arg: value.call(state, more, None) for arg, value in given}) for kind, given in made
            )

        return calls

    # --- other graphs ---------------------------------------------------------------------------------------

    def _graph(self, element: Mapping[str, Any]) -> plan.Graph[Any]:
        found = self._inner.get(element["graph"])
        if found is None:
            raise Unfit(f"the graph `{element['graph']}` that it runs is not known")
        return found

    def _most(self, element: Mapping[str, Any]) -> int | None:
        return whole_of(element["max_steps"]) if "max_steps" in element else None

    def _subgraph(self, name: str, region: str, element: Mapping[str, Any]) -> plan.Subgraph:
        graph = self._graph(element)
        lens: plan.SameState | plan.OnField | plan.InOut
        match element.get("lens"):
            case "same":
                lens = plan.SameState()
            case "field":
                field = name_of(element["on"])
                if kind_of(base(self._data.states[self._data.own].get(field, UNKNOWN))) != "state":
                    raise Unfit(f"`{field}` is no field with a state")
                lens = plan.OnField(field, self._data.state_attributes(self._data.own)[field])
            case "values":
                enter, leave = self._lens(element, graph, None)
                lens = plan.InOut(lambda outer: enter(outer, None), lambda inner: leave(inner, None))
            case other:
                raise Unfit(f"{other!r} is no way to reach a state")
        return plan.Subgraph(name, region, graph, lens, self._most(element))

    def _map(self, name: str, region: str, element: Mapping[str, Any]) -> plan.Map:
        graph = self._graph(element)
        over = made_of(element["over"], self._scope)
        kind = kind_of(base(over.type))
        if kind not in ("list", "set", "dict", UNKNOWN):
            raise Unfit(f"it maps over a {kind}")
        items = over.call

        def elements(outer: Any) -> list[Any]:
            found = items(outer, None, None)
            return ordered(found) if kind == "set" else list(found)

        item_type = UNKNOWN if kind == UNKNOWN else base(over.type)[1]
        enter, leave = self._lens(element, graph, (name_of(element["item"]), item_type))
        return plan.Map(
            name=name,
            region=region,
            graph=graph,
            over=elements,
            enter=enter,
            leave=leave,
            collect=one_of(element["on_error"], ("fail", "collect")) == "collect",
            max_steps=self._most(element),
        )

    def _lens(
        self, element: Mapping[str, Any], graph: plan.Graph[Any], item: tuple[str, Type] | None
    ) -> tuple[Callable[[Any, Any], Any], Calls]:
        """The functions that make an inner state and that read it at its end."""
        state: Any = graph.state
        scope = StateScope(self._data, self._data.own, item=item)
        given = [(name_of(field), made_of(value, scope)) for field, value in object_of(element["in"]).items()]
        for field, _ in given:
            if field not in state.__lg_fields__:
                raise Unfit(f"`{state.__lg_name__}` has no field `{field}`")

        def enter(outer: Any, more: Any) -> Any:
            values = {field: value.call(outer, more, None) for field, value in given}
            return state(**{f: v.__lg_fork__() if isinstance(v, State) else v for f, v in values.items()})

        # The inner state is that of another form: its fields are looked up there.
        inner = StateScope(state.__lg_data__, state.__lg_label__, item=item)
        return enter, self._calls(element["out"], _Renamed(inner, self._scope))


class _Renamed:
    """Fields of the inner state of another form, with the declarations of this one."""

    def __init__(self, fields: Scope, here: Scope) -> None:
        self._fields = fields
        self.data = here.data

    def reference(self, head: str, name: str) -> Made:
        made = self._fields.reference(head, name)
        return replace(made, type=_here(made.type))


def _here(type_: Type) -> Type:
    """A type of another form, whose labels may differ: what is declared is seen in the value."""
    match type_:
        case str():
            return type_
        case ("enum" | "record" | "union" | "state", _):
            return UNKNOWN
        case (kind, *parts):
            return (kind, *(_here(part) for part in parts))
        case _:
            return UNKNOWN


class _Answers(Mapping[str, plan.Answer]):
    """The answers of a barrier; the models of their parameters are made when one is asked for."""

    def __init__(self, data: Any, params: Mapping[str, Params], records: Mapping[str, Calls]) -> None:
        self._data = data
        self._params = params
        self._records = records
        self._made: dict[str, plan.Answer] = {}

    def __getitem__(self, name: str) -> plan.Answer:
        found = self._made.get(name)
        if found is None:
            fields = self._params[name].optional_fields(self._data)
            model = create_model(name, __base__=Answer, **fields)
            found = self._made[name] = plan.Answer(name, model, self._records[name])
        return found

    def __iter__(self) -> Iterator[str]:
        return iter(self._params)

    def __len__(self) -> int:
        return len(self._params)


def _parallel(name: str, region: str, element: Mapping[str, Any]) -> plan.Parallel:
    branches = names_of(element["branches"])
    if len(set(branches)) != len(branches) or not branches:
        raise Unfit("its branches are not told apart")
    match element.get("join"):
        case "all":
            join = len(branches)
        case "any":
            join = 1
        case "first":
            join = whole_of(element["count"])
        case other:
            raise Unfit(f"{other!r} is no way to join")
    collect = one_of(element["on_error"], ("fail", "collect")) == "collect"
    return plan.Parallel(name, region, {branch: f"{name}/{branch}" for branch in branches}, join, collect)
