"""From the expressions of a scenario to Python values, by the code that graphs are compiled with."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from .compiler import model as m

if TYPE_CHECKING:
    from .modules import Generated


@dataclass(frozen=True, slots=True)
class Visit:
    """One scripted visit with its values made.

    Attributes:
        written: the line of the scenario.
        records, modifies: mutations.
        arguments: of the answer that it decides, {} where it decides none.
    """

    written: m.ScriptedVisit
    records: tuple[Any, ...]
    modifies: tuple[Any, ...]
    arguments: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Values:
    """All values of a scenario: the fields to start with; the visits; the conditions."""

    given: dict[str, Any]
    visits: tuple[Visit, ...]
    conditions: dict[int, Callable[[Any], bool]]  # by position among the expectations


class ScenarioWriter:
    """Writes one Python function for each value of a scenario, and calls those without parameters."""

    def __init__(self, modules: Generated, scenario: m.Scenario) -> None:
        from .compiler.codegen.names import all_names
        from .compiler.codegen.unit import Unit

        self.modules = modules
        self.scenario = scenario
        self.program = modules.program
        self.state = self.program.states[self.program.graphs[scenario.graph].state]
        self.path = scenario.place.source.path
        module = next(one for one in self.program.modules if one.path == self.path)
        self.unit = Unit(self.program, module, all_names(self.program), relative=False, paths=modules.paths)
        self.functions: list[str] = []

    def values(self) -> Values:
        """Everything, evaluated.

        Raises:
            EvaluationError, ValidationError: an argument breaks what its type demands.
        """
        given = self._function(self._dict(dict(self.scenario.given)))
        visits = [
            (
                visit,
                self._function(self._calls(visit.records)),
                self._function(self._calls(visit.modifies)),
                self._function(self._dict(dict(visit.decides.args) if visit.decides else {})),
            )
            for visit in self.scenario.visits
        ]
        conditions = {
            at: self._function(self._condition(one.condition), "state")
            for at, one in enumerate(self.scenario.expectations)
            if isinstance(one, m.ExpectedTruth)
        }
        made = self._execute()
        return Values(
            made[given](),
            tuple(
                Visit(visit, tuple(made[records]()), tuple(made[modifies]()), made[arguments]())
                for visit, records, modifies, arguments in visits
            ),
            {at: made[name] for at, name in conditions.items()},
        )

    # --- text -----------------------------------------------------------------------------------------------

    def _function(self, text: str, parameter: str = "") -> str:
        name = f"__lg_scenario_{len(self.functions)}"
        self.functions.append(f"def {name}({parameter}):\n    return {text}\n")
        return name

    def _constant(self, expr: m.Expr) -> str:
        from .compiler.codegen.expressions import Scope, Writer
        from .compiler.codegen.layout import flat

        return flat(Writer(self.unit, Scope()).argument(expr))

    def _condition(self, expr: m.Expr) -> str:
        from .compiler.codegen.expressions import Scope, Writer
        from .compiler.codegen.layout import flat

        return flat(Writer(self.unit, Scope(self.state, "state")).write(expr))

    def _dict(self, values: dict[str, m.Expr]) -> str:
        return "{" + ", ".join(f"{name!r}: {self._constant(value)}" for name, value in values.items()) + "}"

    def _calls(self, calls: Sequence[m.MutationCall]) -> str:
        return "[" + "".join(f"{self._call(call)}, " for call in calls) + "]"

    def _call(self, call: m.MutationCall) -> str:
        name = self.unit.mutation(self.state.key, call.mutation)
        return f"{name}(**{self._dict(dict(call.args))})"

    def _execute(self) -> dict[str, Any]:
        namespace: dict[str, Any] = dict(vars(self.modules.module_of(self.path)))
        lines = [line for group in self.unit.import_groups() for line in group]
        text = "from __future__ import annotations\n" + "\n".join([*lines, *self.functions])
        code = compile(text, f"<scenario in {self.path}>", "exec", dont_inherit=True)
        exec(code, namespace)  # noqa: S102 - our own code
        return namespace
