"""From one version of a graph, or two, to a Mermaid flowchart; of two, with what changed in colour.

The text is one that GitHub draws. It is the same for the same versions. Names and guards come from sources
that anybody may have written: whatever is not a plain letter or digit is written as a character code, so that
no text can end a label, begin a tag or be read as Markdown.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from ..forms.version import Version
from ..plan import END, START
from .merged import Arrow, Drawn, Merged, State, merged

MOST_NODES = 60  # of a graph that is drawn whole
MOST_DRAWN = 120  # of a part of one
MOST_ARROWS = 400  # Mermaid draws 500 at most, and none of them where there are more
_LONGEST = 48  # characters of a label

_SHAPES: dict[str, tuple[str, str]] = {
    "task": ('["', '"]'),
    "decision": ('{"', '"}'),
    "barrier": ('{{"', '"}}'),
    "subgraph": ('[["', '"]]'),
    "map": ('[["', '"]]'),
}
_PLAIN = frozenset(" .,=()?!+/")
_FILLS: dict[State, str] = {
    "added": "fill:#dafbe1,stroke:#1a7f37,stroke-width:2px,color:#1f2328",
    "removed": "fill:#ffebe9,stroke:#cf222e,stroke-width:2px,stroke-dasharray:5 4,color:#1f2328",
    "changed": "fill:#fff8c5,stroke:#9a6700,stroke-width:2px,color:#1f2328",
}
_BARRIER_STYLE = "classDef barrier stroke-width:3px"
_LINKS: dict[State, str] = {
    "added": "stroke:#1a7f37,stroke-width:2px",
    "removed": "stroke:#cf222e,stroke-width:2px,stroke-dasharray:5 4",
    "changed": "stroke:#9a6700,stroke-width:2px",
}


def picture(version: Version) -> str:
    """One version as a Mermaid flowchart, without a fence around it."""
    return _Picture(merged(version, version), compared=False).text()


def picture_of_change(old: Version, new: Version) -> str:
    """Two versions as one Mermaid flowchart: what was added, removed and changed is coloured."""
    return _Picture(merged(old, new), compared=True).text()


class _Picture:
    def __init__(self, plan: Merged, compared: bool) -> None:
        self._plan, self._compared = plan, compared
        self._shown = _shown(plan)
        self._arrows, self._dropped = self._drawable()
        self._numbers: dict[str, str] = {}
        self._inside: dict[str, list[str]] = {}
        for name in self._ordered():
            self._inside.setdefault(plan.nodes[name].region, []).append(name)

    def text(self) -> str:
        lines = ["flowchart TD"]
        lines += self._region("", "  ")
        lines += self._links()
        lines += [f"  {line}" for line in self._notes()]
        if self._compared:
            lines += [f"  {line}" for line in _legend()]
            lines += [f"  classDef {state} {fill}" for state, fill in _FILLS.items()]
        lines.append(f"  {_BARRIER_STYLE}")
        return "\n".join(lines) + "\n"

    # --- what is drawn ------------------------------------------------------------------------------------

    def _drawable(self) -> tuple[list[Arrow], int]:
        """The arrows between what is shown, and how many more there would be."""
        found = [
            arrow
            for arrow in self._plan.arrows
            if all(name in self._shown or name in (START, END) for name in (arrow.source, arrow.target))
            and (not arrow.region or self._plan.parallel_of(arrow.region) in self._shown)
            and not (arrow.source == START and arrow.target == END and arrow.state == "same")
        ]
        found.sort(key=lambda arrow: arrow.state == "same")  # what changed is not cut off
        kept = set(map(id, found[:MOST_ARROWS]))
        return [arrow for arrow in self._plan.arrows if id(arrow) in kept], len(found) - len(kept)

    def _ordered(self) -> Iterator[str]:
        """The nodes that are shown, in the order of a walk from `start`: so they are laid out as they run."""
        after: dict[str, list[str]] = {}
        for arrow in self._arrows:
            key = f"{arrow.region} start" if arrow.source == START else arrow.source
            after.setdefault(key, []).append(arrow.target)
        todo, seen = [" start", *sorted(after), *sorted(self._shown)], set[str]()
        for name in todo:
            queue = [name]
            for at in queue:
                if at in seen:
                    continue
                seen.add(at)
                if at in self._shown:
                    yield at
                queue.extend(after.get(at, ()))
                for region in self._plan.branches.get(at, ()):
                    queue.extend(after.get(f"{region} start", ()))

    def _region(self, region: str, indent: str) -> Iterator[str]:
        for end in (START, END):
            if any(arrow.region == region and end in (arrow.source, arrow.target) for arrow in self._arrows):
                words = end if not region else " "
                shape = ('(["', '"])') if not region else ('(("', '"))')
                yield f"{indent}{self._number(f'{region} {end}')}{shape[0]}{words}{shape[1]}"
        for name in self._inside.get(region, ()):
            node = self._plan.nodes[name]
            if name in self._plan.branches:
                yield from self._parallel(node, indent)
            else:
                yield f"{indent}{self._number(name)}{_node(node)}"

    def _parallel(self, node: Drawn, indent: str) -> Iterator[str]:
        deeper = indent + "  "
        title = _escaped(f"{node.name} · parallel, {node.detail}")
        yield f'{indent}subgraph {self._number(node.name)}["{title}"]'
        yield f"{deeper}direction TB"  # side by side
        drawn = False
        for region in self._plan.branches[node.name]:
            inside = [*self._region(region, deeper + "  ")]
            if inside:
                drawn = True
                yield f'{deeper}subgraph {self._number(region)}["{_escaped(region.partition("/")[2])}"]'
                yield f"{deeper}  direction TB"
                yield from inside
                yield f"{deeper}end"
        if not drawn:  # Mermaid draws no empty box
            yield f'{deeper}{self._number(f"{node.name} empty")}["…"]'
        yield f"{indent}end"
        if node.state != "same":
            # A class would not colour a box.
            yield f"{indent}style {self._number(node.name)} {_FILLS[node.state]}"

    def _links(self) -> Iterator[str]:
        styles: list[str] = []
        for at, arrow in enumerate(self._arrows):
            ends = [
                self._number(f"{arrow.region} {name}" if name in (START, END) else name)
                for name in (arrow.source, arrow.target)
            ]
            line = "-.->" if arrow.loose or arrow.state == "removed" else "-->"
            label = f'|"{_escaped(arrow.label)}"|' if arrow.label else ""
            yield f"  {ends[0]} {line}{label} {ends[1]}"
            if arrow.state != "same":
                styles.append(f"  linkStyle {at} {_LINKS[arrow.state]}")
        yield from styles

    def _notes(self) -> Iterator[str]:
        hidden = len(self._plan.nodes) - len(self._shown)
        if hidden:
            shown = "only what changed, and its neighbours" if self._compared else "only the beginning"
            yield f'note["{_escaped(f"{shown}: {hidden:,} more nodes are not drawn", 100)}"]'
        if self._dropped:
            yield f'more["{_escaped(f"{self._dropped:,} more edges are not drawn")}"]'

    def _number(self, key: str) -> str:
        """A short id of our own: names might be words of Mermaid's."""
        return self._numbers.setdefault(key, f"n{len(self._numbers)}")


def _shown(plan: Merged) -> frozenset[str]:
    """The nodes to draw: all, or of a large graph those that changed with their neighbours."""
    if len(plan.nodes) <= MOST_NODES:
        return frozenset(plan.nodes)
    changed = [name for name, node in plan.nodes.items() if node.state != "same"]
    loud = [arrow for arrow in plan.arrows if arrow.state != "same"]
    wanted = dict.fromkeys(changed)
    for arrow in loud:
        wanted.update(dict.fromkeys((arrow.source, arrow.target)))
    near = set(wanted)
    for arrow in plan.arrows:
        if arrow.source in near or arrow.target in near:
            wanted.update(dict.fromkeys((arrow.source, arrow.target)))
    names: Iterable[str] = wanted if loud or changed else _from_start(plan)
    found: dict[str, None] = {}
    most = MOST_DRAWN if loud or changed else MOST_NODES
    for name in names:
        if name in plan.nodes and len(found) < most:
            found.update(dict.fromkeys((name, *plan.around(name))))
    return frozenset(found)


def _from_start(plan: Merged) -> Sequence[str]:
    after: dict[str, list[str]] = {}
    for arrow in plan.arrows:
        after.setdefault(START if arrow.source == START else arrow.source, []).append(arrow.target)
    queue = [START]
    seen = {START}
    for name in queue:
        for target in after.get(name, ()):
            if target not in seen:
                seen.add(target)
                queue.append(target)
    return queue


def _node(node: Drawn) -> str:
    opening, closing = _SHAPES.get(node.kind, _SHAPES["task"])
    label = _escaped(node.name)
    if node.detail:
        label += f"<br/>{_escaped(node.detail)}"
    classes: list[str] = [node.state] if node.state != "same" else []
    classes += ["barrier"] if node.kind == "barrier" and not classes else []
    return f"{opening}{label}{closing}" + "".join(f":::{one}" for one in classes)


def _legend() -> Iterator[str]:
    yield 'subgraph legend["what changed"]'
    yield "  direction TB"
    for state in ("added", "changed", "removed"):
        yield f'  legend_{state}["{state}"]:::{state}'
    yield "end"


def _escaped(text: str, longest: int = _LONGEST) -> str:
    """A text for a label: cut, on one line, everything but letters and digits as character codes."""
    flat = " ".join(text.split())
    if len(flat) > longest:
        flat = flat[: longest - 1] + "…"
    return "".join(_letter(flat, at) for at in range(len(flat)))


def _letter(text: str, at: int) -> str:
    letter = text[at]
    listed = letter in ".)" and text[:at].isdigit()  # `1. one` would be read as a list
    if letter.isascii() and (letter.isalnum() or (letter in _PLAIN and at and not listed)):
        return letter
    if letter == "_" and text[at - 1 : at].isalnum() and text[at + 1 : at + 2].isalnum():
        return letter
    if letter in "…·" or (letter.isalpha() and letter.isprintable()):
        return letter
    return f"#{ord(letter)};" if letter.isprintable() else "#65533;"
