"""From the edges of a form to the routes of a plan, with the keys that compiled plans give them."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from .. import plan
from ..changes.unparse import expression_text
from .evaluate import Scope, made_of
from .reading import Unfit, list_of, name_of, object_of, reading, whole_of

_PREFIX = "edges/"


def routes_of(elements: Mapping[str, Any], nodes: Collection[str], scope: Scope) -> dict[str, plan.Route]:
    """The route of each source. Raises ValueError."""
    found: dict[str, plan.Route] = {}
    for id_, element in elements.items():
        if id_.startswith(_PREFIX):
            with reading(id_):
                region, _, source = id_.removeprefix(_PREFIX).rpartition("/")
                if source != plan.START and (source not in nodes or region):
                    raise Unfit(f"there is no node `{source}`")
                key = f"{plan.START}:{region}" if region else source
                found[key] = _Route(source, nodes, scope).of(object_of(element))
    return found


class _Route:
    """Everything that leaves one source."""

    def __init__(self, source: str, nodes: Collection[str], scope: Scope) -> None:
        self._source = source
        self._nodes = nodes
        self._scope = scope

    def of(self, element: Mapping[str, Any]) -> plan.Route:
        edges: list[plan.Edge] = []
        for trigger in ("when", "else", "plain"):
            edges += self._edges(trigger, element.get(trigger, []))
        on: dict[str, tuple[plan.Edge, ...]] = {}
        for trigger in element:
            if trigger.startswith("on "):
                on[name_of(trigger.removeprefix("on "))] = tuple(self._edges(trigger, element[trigger]))
            elif trigger not in ("when", "else", "plain"):
                raise Unfit(f"`{trigger}` is no trigger")
        return plan.Route(tuple(edges), on)

    def _edges(self, trigger: str, group: Any) -> list[plan.Edge]:
        seen: dict[str, int] = {}
        found: list[plan.Edge] = []
        for number, form in enumerate(map(object_of, list_of(group)), 1):
            target = name_of(form["to"])
            if target != plan.END and target not in self._nodes:
                raise Unfit(f"there is no node `{target}`")
            key = f"{self._source}->{target}"
            if trigger == "when":
                key += f" when {number}"
            elif trigger != "plain":
                key += f" {trigger}"
            seen[key] = seen.get(key, 0) + 1
            if seen[key] > 1:  # one arrow and outcome, bounded twice
                key += f" {seen[key]}"
            most = whole_of(form["max_visits"]) if "max_visits" in form else None
            found.append(plan.Edge(key, target, self._guard(form, trigger), most))
        return found

    def _guard(self, form: Mapping[str, Any], trigger: str) -> plan.Guard | None:
        if trigger == "when" or "guard" in form:
            test = made_of(form["guard"], self._scope).call
            return plan.Guard(lambda state, run: test(state, None, run), expression_text(form["guard"]), "")
        return None
