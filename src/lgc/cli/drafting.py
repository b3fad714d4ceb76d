"""From two versions of a graph to the draft of a migration between them, as lgraph text.

Nothing is guessed: a rename that looks likely stands there with what speaks for it, and what cannot be known
is a comment that begins with TODO. So a draft can be parsed, and the checker says what is missing in it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from textwrap import wrap
from typing import Any

from ..runtime import plan
from ..runtime.changes.details import field_text
from ..runtime.changes.likely import likely_renames
from ..runtime.compat.places import judge_graph
from ..runtime.compat.verdict import Reason, Verdict
from ..runtime.forms.version import Version

_CHOICES = 8  # nodes to go on at that are listed
_REASONS = 6  # of what a run may have done that are listed
_WIDTH = 96  # characters of a comment
_FIELD = "state/field/"
_MUTATION = "state/mutation/"
_WORD = re.compile(r"\w+")
_LOST = {
    "barrier": "Whoever is asked there now would not be asked again.",
    "parallel": "What its branches have done so far would be dropped.",
    "subgraph": "What has been done inside so far would be dropped.",
    "map": "What has been done inside so far would be dropped.",
}


@dataclass(frozen=True, slots=True)
class Draft:
    """A migration to be looked over.

    Attributes:
        name: of the graph, in the new version.
        old: the hash that it is from.
        steps: what it does.
        text: the block, not laid out yet; "" where every run can go on as it is.
        todo: how many things in it are left to a person.
    """

    name: str
    old: str
    steps: tuple[plan.MigrationStep, ...]
    text: str
    todo: int


def draft_of(old: Version, new: Version) -> Draft:
    """The draft that leads from one version to another. Raises ValueError for a form that says nonsense."""
    try:
        return _drafted(old, new)
    except (KeyError, TypeError, AttributeError, IndexError) as error:
        raise ValueError(f"not a canonical form: {type(error).__name__}: {error}") from error


def _drafted(old: Version, new: Version) -> Draft:
    plain = judge_graph(old, without_migrations(new))
    if all(place.verdict in (Verdict.IDENTICAL, Verdict.COMPATIBLE) for place in plain.places):
        return Draft(new.name, old.hash, (), "", 0)
    lines = _Lines(old, new)
    written = [
        *lines.head(),
        *lines.renames(),
        *lines.drops(),
        *lines.mutations(),
        *lines.moves(),
        *lines.open(),
        *lines.past(),
    ]
    body = "\n".join(f"  {line}" for line in written)
    text = f'migrate {new.name} from "{old.hash}" {{\n{body}\n}}\n'
    return Draft(new.name, old.hash, tuple(lines.steps), text, lines.todo)


def without_migrations(version: Version) -> Version:
    """A version as if nothing had been declared in its source."""
    return Version(version.hash, version.canonical, version.inner, version.places)


class _Lines:
    """Writes the lines of a block; `steps` and `todo` fill up meanwhile."""

    def __init__(self, old: Version, new: Version) -> None:
        self.old, self.new = old, new
        self.steps: list[plan.MigrationStep] = []
        self.todo = 0

    def head(self) -> Iterator[str]:
        """What a reader should know first."""
        yield from _told("drafted by `lgc migrate`: read every line before it is used")

    def renames(self) -> Iterator[str]:
        """What looks renamed, with the reason above."""
        for one in self._likely:
            self.steps.append(plan.RenameStep(one.what, one.old, one.new))
            yield from _told(f"looks renamed: {'; '.join(one.evidence)}")
            yield f"rename {one.what} {one.old} to {one.new}"

    def drops(self) -> Iterator[str]:
        """Fields that are gone."""
        for name, field in _named(self.old, _FIELD).items():
            if f"{_FIELD}{name}" not in self.new.elements and name not in self._new_names("field"):
                self.steps.append(plan.DropStep(name))
                yield from _told(f"`{name}: {field_text(field)}` is gone: its value is thrown away")
                yield f"drop field {name}"

    def moves(self) -> Iterator[str]:
        """Nodes that are gone, with the node where a run goes on that is parked there."""
        for name in self._gone:
            choices = self._ways_on(name)
            kind = str((self.old.node(name) or {}).get("kind"))
            if len(choices) == 1 and choices[0] != plan.END and kind in ("task", "decision"):
                self.steps.append(plan.MoveStep(name, choices[0]))
                yield from _told(f"`{name}` is gone, and `{choices[0]}` came next")
                yield f"move {name} to {choices[0]}"
                continue
            nodes = [node for node in choices if node != plan.END]
            text = f"{kind} `{name}` is gone: where should a run go on that is parked there?"
            yield from self._left_open(f"{text} {_LOST.get(kind, '')}")
            yield from (f"// move {name} to {node}" for node in nodes[:_CHOICES] or ["…"])

    def mutations(self) -> Iterator[str]:
        """Mutations that are gone, of which runs may have recorded some."""
        dropped = {step.field for step in self.steps if isinstance(step, plan.DropStep)}
        for name in sorted(_recorded(self.old)):
            element = self.old.elements.get(f"{_MUTATION}{name}")
            gone = f"{_MUTATION}{name}" not in self.new.elements and name not in self._new_names("mutation")
            if element is not None and gone and not _writes(element) <= dropped:
                yield from self._left_open(f"mutation `{name}` is gone, and runs may have recorded it")
                yield f"// rename mutation {name} to …"

    def open(self) -> Iterator[str]:
        """What keeps runs from going on all the same."""
        block = plan.Migration(self.old.hash, tuple(self.steps))
        drafted = Version(self.new.hash, self.new.canonical, self.new.inner, self.new.places, (block,))
        for reason in _reasons(self.old, drafted, "data", "place"):
            name = reason.element.removeprefix(_FIELD)
            if reason.condition == "data" and reason.element.startswith(_FIELD):
                yield from self._left_open(f"{reason.text}: an expression over the old state is needed")
                yield f"// set {name} = …"
            elif reason.kind != "node-gone" and not self._inside_gone(reason.node.rpartition("/")[2]):
                yield from self._left_open(reason.text)  # what is gone is told with the moves

    def past(self) -> Iterator[str]:
        """What a run may have done that the new graph would not have: a migration passes over it."""
        renamed = {name for one in self._likely for name in (one.old, one.new)}
        found = [
            reason
            for reason in _reasons(self.old, self.new, "history")
            if renamed.isdisjoint(_WORD.findall(reason.text))  # that is said above
        ]
        if not found:
            return
        if not self.steps and not self.todo:
            yield from _told("no field and no node has to be named here")
        yield from _told("with this block runs go on whatever they have done; some may have noticed:")
        yield from (line for reason in found[:_REASONS] for line in _told(f"- {_bare(reason.text)}"))
        if len(found) > _REASONS:
            yield from _told(f"- and {len(found) - _REASONS} more: see `lgc diff`")

    def _left_open(self, text: str) -> Iterator[str]:
        self.todo += 1
        yield from _told(f"TODO {text}")

    # --- names ----------------------------------------------------------------------------------------------

    @cached_property
    def _likely(self) -> Sequence[Any]:
        return likely_renames(self.old, self.new)

    def _new_names(self, what: str) -> Mapping[str, str]:
        return {one.old: one.new for one in self._likely if one.what == what}

    @cached_property
    def _gone(self) -> list[str]:
        """The nodes of the old version that have no counterpart."""
        renamed = self._new_names("node")
        return [
            name
            for name in _named(self.old, "node/")
            if name not in renamed and self.new.node(name) is None and not self._inside_gone(name)
        ]

    def _inside_gone(self, name: str) -> bool:
        """Whether a node is in a branch of a parallel that is gone: what has become of that decides."""
        seen: set[str] = set()
        while region := str((self.old.node(name) or {}).get("region", "")):
            name = region.partition("/")[0]
            if name in seen:
                return False
            seen.add(name)
            parallel = self.new.node(self._new_names("node").get(name, name)) or {}
            if region.partition("/")[2] not in parallel.get("branches", ()):
                return True
        return False

    def _ways_on(self, name: str) -> list[str]:
        """Where a run could come next from a node that is gone: what is there, in the same region."""
        renamed = self._new_names("node")
        region = self._region(str((self.old.node(name) or {}).get("region", "")))
        found: dict[str, None] = {}
        seen, waiting = {name}, [name]
        while waiting:
            for target in _targets(self.old, waiting.pop(0)):
                there = renamed.get(target, target)
                element = self.new.node(there)
                if target == plan.END or (element is not None and str(element.get("region", "")) == region):
                    found[there] = None
                elif target not in seen and element is None:
                    seen.add(target)
                    waiting.append(target)
        return list(found)

    def _region(self, id: str) -> str:
        parallel, slash, branch = id.partition("/")
        return f"{self._new_names('node').get(parallel, parallel)}/{branch}" if slash else ""


def _told(text: str) -> list[str]:
    """A comment, in lines that can be read."""
    return wrap(
        text.strip(), _WIDTH, initial_indent="// ", subsequent_indent="//   ",
        break_long_words=False, break_on_hyphens=False,
    )  # fmt: skip


def _bare(text: str) -> str:
    return text.removesuffix(", and it may have noticed")


def _reasons(old: Version, new: Version, *conditions: str) -> list[Reason]:
    """What can keep a run from going on, each thing once; graphs that are run have their own migrations."""
    found: dict[tuple[str, str], Reason] = {}
    for place in judge_graph(old, new).places:
        for reason in place.reasons:
            own = not reason.element.startswith("subgraph/") or reason.condition == "history"
            if reason.condition in conditions and own:
                found.setdefault((reason.kind, reason.text), reason)
    return sorted(found.values(), key=lambda reason: (reason.condition, reason.element))


def _targets(version: Version, source: str) -> list[str]:
    """Where a run can come next from a node that has done what it is for."""
    found: dict[str, None] = {}
    for trigger, edges in version.elements.get(f"edges/{source}", {}).items():
        if trigger not in ("on error", "on timeout"):
            found.update({str(edge["to"]): None for edge in edges})
    node = version.node(source) or {}
    found.update({str(target): None for target in (*node.get("goto", ()), *node.get("reroute", ()))})
    return list(found)


def _recorded(version: Version) -> set[str]:
    """The mutations that nodes of a version may record."""
    found: set[str] = set()
    for node in _named(version, "node/").values():
        found.update(node.get("records", ()), node.get("modify", ()))
        calls = [*node.get("out", ())]
        for answer in node.get("decisions", {}).values():
            calls += answer.get("records", ())
        found.update(str(call[0]) for call in calls)
    return found


def _writes(mutation: Mapping[str, Any]) -> set[str]:
    """The fields of the state that a mutation changes."""
    body = {str(statement["path"][0]) for statement in mutation.get("body", ())}
    return body | {str(name).partition(".")[0] for name in mutation.get("writes", ())}


def _named(version: Version, prefix: str) -> dict[str, Mapping[str, Any]]:
    return {
        id_.removeprefix(prefix): element
        for id_, element in version.elements.items()
        if id_.startswith(prefix)
    }
