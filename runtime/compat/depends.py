"""From two versions of a graph to what of the values of a run a verdict can depend on.

Many runs that are parked differ in all their values and are in the same situation all the same, because no
changed element looks at those values. What a step of the new graph says can differ from what was recorded
only at a *loud* node: one that differs, or whose edges, mutations, fields or types do (`Unchanged`). So a
verdict depends on the way that a run went, and of its values on those that loud nodes look at, directly or
through what the values were computed from: a backward slice (Weiser, "Program slicing", 1981). A number that
is only ever compared with constants counts by where it lies between them, as in predicate abstraction (Graf
and Saïdi, 1997).

Names are those of fields and mutations whatever graph they belong to: too much depends on them rather than
too little.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, TypeAlias, cast

from .. import plan
from ..forms.version import Version
from ..migrating.chain import chain_from
from .looks import EXACT, Cut, Looks, is_field, named, number, words
from .unchanged import Unchanged, mentioned, recordable

Pair: TypeAlias = tuple[Version, Version | None]

_TYPES = frozenset({"enum", "record", "union", "substate"})
_COMPARISONS = frozenset({"<", "<=", "==", "!=", ">", ">="})


class Depends:
    """What a verdict for runs of one version under another can depend on.

    Attributes:
        everything: all values count. So it is where a node differs that has frames of its own below it.
        loud: names of nodes whose steps the new graph may see in another way.
        fields: by name of a field that counts, how.
        params: by name of a mutation that counts, how each of its parameters counts; a parameter that is not
            there does not. None: all that was recorded of it counts.
    """

    def __init__(self, old: Version, new: Version) -> None:
        pairs = _pairs(old, new)
        versions = [version for pair in pairs for version in pair if version is not None]
        self.loud = frozenset(_loud(pairs))
        self.everything = any(
            (version.node(name) or {}).get("kind") in ("parallel", "subgraph", "map")
            for version in versions
            for name in self.loud
        )
        self.fields: Looks = {}
        self.params: dict[str, Looks | None] = {}
        self._mutations = [
            (id.removeprefix("state/mutation/"), element)
            for version in versions
            for id, element in version.elements.items()
            if id.startswith("state/mutation/")
        ]
        self._look_at_loud(pairs)
        self._look_at_chain(chain_from(new, old.hash) or ())
        self._look_at_elements(versions)
        while self._close(versions):
            pass

    # --- where it begins ----------------------------------------------------------------------------------

    def _look_at_loud(self, pairs: Sequence[Pair]) -> None:
        for old, new in pairs:
            unchanged = Unchanged(old, new)
            for version in (old, new):
                if version is None:
                    continue
                for id, element in version.elements.items():
                    family, _, rest = id.partition("/")
                    source = rest.partition(":")[0]
                    if family == "edges" and (source in self.loud or not unchanged.element(id)):
                        self._look(element)
                    elif family == "node" and rest in self.loud:
                        self._look(element)
                        self._exactly(element.get("ensures", ()))
                        # An answer is done again from what was given with it, and then compared.
                        for name in recordable(version, rest) if element["kind"] != "task" else ():
                            self._whole(name)
                    elif id.startswith("state/mutation/") and not _same_mutation(id, old, new, unchanged):
                        self._whole(id.removeprefix("state/mutation/"))
                        self._look_exactly(element.get("body"))
                        self._exactly(part for one in element.get("body", ()) for part in one["path"])
                        self._exactly(element.get("writes", ()))
                    elif "/field/" in id and not unchanged.element(id):
                        self._look_at_field(id, old, new)

    def _look_at_field(self, id: str, old: Version, new: Version | None) -> None:
        name = id.rpartition("/")[2]
        before = old.elements.get(id)
        after = None if new is None else new.elements.get(id)
        if before is None or after is None:
            self._exactly((name,))
            return
        same = {**before, "range": None, "default": None} == {**after, "range": None, "default": None}
        bounds = [*(before.get("range") or ()), *(after.get("range") or ())]
        constants = [number(bound) for bound in bounds if bound is not None]
        if same and before["type"] in ("int", "float") and None not in constants:
            self._add(self.fields, name, Cut(one for one in constants if one is not None))
        else:
            self._exactly((name,))

    def _look_at_chain(self, chain: Sequence[plan.Migration]) -> None:
        for migration in chain:
            for step in migration.steps:
                match step:
                    case plan.SetStep():
                        self._exactly((step.field, *words(json.loads(step.expression))))
                    case plan.RenameStep():
                        self._exactly((step.old, step.new))
                    case plan.DropStep() | plan.MoveStep():
                        pass

    def _look_at_elements(self, versions: Sequence[Version]) -> None:
        """How many frames there are below a node, and where they begin, decides where a run is parked."""
        for version in versions:
            for id, element in version.elements.items():
                if "over" in element:
                    self._look(element["over"])
                elif id.startswith("edges/") and id.endswith("/start"):
                    self._look(element)

    # --- what that comes from -----------------------------------------------------------------------------

    def _close(self, versions: Sequence[Version]) -> bool:
        """Take in what the values that count are computed from; whether that was more than before."""
        before = self._size()
        for name, element in self._mutations:
            self._follow(name, element)
        for version in versions:
            for id, element in version.elements.items():
                if id.startswith("node/"):
                    self._follow_lens(version, id.removeprefix("node/"), element)
                elif "/field/" in id and "merge" in element and id.rpartition("/")[2] in self.fields:
                    self._exactly((id.rpartition("/")[2],))
        return self._size() != before

    def _size(self) -> tuple[Any, ...]:
        looks = [(name, look) for name, one in self.params.items() for look in (one or {}).items()]
        return (
            len(self.params), sum(one is None for one in self.params.values()), len(looks),
            len(self.fields), sum(look is EXACT for look in self.fields.values()),
            sum(look is EXACT for _, (_, look) in looks),
            sum(len(look.constants) for look in self.fields.values() if look is not None),
            sum(len(look.constants) for _, (_, look) in looks if look is not None),
        )  # fmt: skip

    def _follow(self, name: str, element: Mapping[str, Any]) -> None:
        """What the fields that count take from a mutation."""
        if "external" in element:
            if not self.fields.keys().isdisjoint(element.get("writes", ())):
                self._whole(name)
            return
        for statement in element.get("body", ()):
            path = statement["path"]
            written = [part for part in path if part in self.fields]
            if not written:
                continue
            value = statement.get("value")
            plain = statement["op"] == "set" and len(path) == 1 and "key" not in statement
            if not plain:
                self._exactly(path)
            self._look_exactly(statement.get("key"))
            match value:
                case ["param", str() as param] if plain:
                    look = self.fields.get(path[0], Cut())
                    if self.params.get(name, {}) is not None:
                        self._add(cast("Looks", self.params.setdefault(name, {})), param, look)
                case _:
                    self._look_exactly(value)
                    self._take(name, value)
                    self._take(name, statement.get("key"))

    def _take(self, name: str, form: Any) -> None:
        """Parameters of a mutation that an expression looks at count as they are."""
        looks = self.params.setdefault(name, {})
        if looks is not None:
            for word in named("param", form):
                looks[word] = EXACT

    def _follow_lens(self, version: Version, node: str, element: Mapping[str, Any]) -> None:
        inner = version.run_by(node)
        own = {id.rpartition("/")[2] for id in inner.elements if "/field/" in id} if inner else set[str]()
        if isinstance(on := element.get("on"), str) and not own.isdisjoint(self.fields):
            self._exactly((on,))
        given: Mapping[str, Any] = element.get("in") or {}
        for name, value in given.items():
            if name in self.fields:
                self._look_exactly(value)
        for name, arguments in element.get("out") or ():
            if name in self.params:
                self._look_exactly(arguments)

    # --- notes --------------------------------------------------------------------------------------------

    def _look(self, form: Any) -> None:
        """All fields that a form mentions count: numbers that are only compared, by where they lie."""
        match form:
            case ["field", str() as name]:
                self._exactly((name,))
            case [str() as word, left, right] if word in _COMPARISONS:
                for one, other in ((left, right), (right, left)):
                    constant = number(other)
                    if constant is not None and is_field(one):
                        self._add(self.fields, one[1], Cut((constant,)))
                        return
                self._look(left)
                self._look(right)
            case list() | tuple():
                for part in cast("Sequence[Any]", form):
                    self._look(part)
            case dict():
                for part in cast("dict[str, Any]", form).values():
                    self._look(part)
            case _:
                pass

    def _look_exactly(self, form: Any) -> None:
        self._exactly(named("field", form))

    def _exactly(self, names: Iterable[str]) -> None:
        for name in names:
            self.fields[name.removesuffix("!")] = EXACT

    def _whole(self, name: str) -> None:
        self.params[name] = None

    @staticmethod
    def _add(looks: Looks, name: str, look: Cut | None) -> None:
        known = looks.get(name, Cut())
        looks[name] = None if known is None or look is None else Cut((*known.constants, *look.constants))


# --- forms ------------------------------------------------------------------------------------------------


def _pairs(old: Version, new: Version | None) -> list[Pair]:
    """Two versions of a graph, and those of the graphs that its nodes run."""
    found: list[Pair] = [(old, new)]
    for version, other in found:
        for id in version.elements:
            name = id.removeprefix("node/")
            below = version.run_by(name) if name != id else None
            if below is not None:
                pair = (below, None if other is None else other.run_by(name))
                if all((one is not pair[0] or two is not pair[1]) for one, two in found):
                    found.append(pair)
    return found


def _loud(pairs: Iterable[Pair]) -> Iterator[str]:
    for old, new in pairs:
        unchanged = Unchanged(old, new)
        for version in (old, new):
            for id in version.elements if version is not None else ():
                if id.startswith("node/") and not unchanged.quiet(name := id.removeprefix("node/")):
                    yield name


def _same_mutation(id: str, old: Version, new: Version | None, unchanged: Unchanged) -> bool:
    """Whether a mutation is the same but for constraints and types of the fields that it assigns."""
    if new is None or old.texts.get(id) != new.texts.get(id):
        return False
    labels = mentioned(old.elements[id])[1]
    return all(
        unchanged.element(one)
        for version in (old, new)
        for one in version.elements
        if one.partition("/")[0] in _TYPES and one.split("/")[1] in labels
    )
