"""From the files that were asked for to all that they import, each parsed once.

Reading is the caller's: `load` turns a path into bytes. A path is compared after normalising it (`a/../b`
is `b`); a file keeps the name under which it was first given or imported. Imports are looked up next to
the importing file; `root`, in the same form as the paths given (both relative to one folder, or both
absolute), is the folder that they must not leave.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from posixpath import normpath

from ..dsl import ast
from ..dsl.diagnostic import Diagnostic, Label, error
from ..dsl.frozen import frozen
from ..dsl.parse import parse
from ..dsl.paths import importable, imported, inside
from ..dsl.read import read_bytes
from ..dsl.source import Place, Source
from .context import BREAKING, MISSPELT, Context, Unit

MOST_IMPORTS = 1_000


@frozen
class Link:
    """One import: where it stands and the file that it names (None: not there, already reported)."""

    written: ast.Import
    target: Unit | None


@frozen
class Project:
    """Every file, in the order in which they were reached, and the imports of each.

    `given` holds the paths of those that were asked for; the others are only imported. `beside` holds those
    that only use what was asked for: they count for what is used, and nothing is said of them.
    """

    units: tuple[Unit, ...]
    links: dict[str, tuple[Link, ...]]
    given: frozenset[str]
    beside: frozenset[str] = frozenset()


Load = Callable[[str], bytes | None]


class Loader:
    """Follows imports breadth first; holds what has been read so far."""

    def __init__(self, context: Context, load: Load, root: str | None) -> None:
        self.context = context
        self.load = load
        self.root = root
        self.units: dict[str, Unit | None] = {}
        self.order: list[Unit] = []
        self.links: dict[str, tuple[Link, ...]] = {}
        self._at = 0

    def add(self, source: Source) -> None:
        """Parse a source, unless the same file was given before."""
        identity = normpath(source.path)
        if identity in self.units:
            return
        parsed = parse(source)
        self.context.findings.extend(parsed.diagnostics)
        broken = tuple(d.place.span for d in parsed.diagnostics if d.code in BREAKING and d.fix is None)
        misspelt = frozenset(d.place.span.start for d in parsed.diagnostics if d.code in MISSPELT)
        unit = Unit(self.context, source.path, parsed.file, broken, misspelt)
        self.units[identity] = unit
        self.order.append(unit)

    def follow(self) -> None:
        """Load what is imported, and what that imports, until nothing is missing."""
        while self._at < len(self.order):
            unit = self.order[self._at]
            self._at += 1
            written = [d for d in unit.file.declarations if isinstance(d, ast.Import)]
            if len(written) > MOST_IMPORTS:
                message = f"more than {MOST_IMPORTS:,} imports"
                help = "put declarations that are used together into one file"
                unit.error("LG006", message, written[MOST_IMPORTS].span, help=help)
            self.links[unit.path] = tuple(
                Link(w, self.target(unit, w) if n < MOST_IMPORTS else None) for n, w in enumerate(written)
            )

    def target(self, unit: Unit, written: ast.Import) -> Unit | None:
        """The file that an import names, or None after reporting why there is none."""
        text = written.path.value
        if not importable(text):
            help = 'write the path relative to this file, with "/": "./common.lgraph"'
            unit.error("LG104", f'"{text}" is not a path that can be imported', written.path.span, help=help)
            return None
        path = imported(unit.path, text)
        if self.root is not None and not inside(path, self.root):
            message = f'"{text}" leaves the project\'s folder'
            unit.error("LG104", message, written.path.span, label=f"this is {path}")
            return None
        if path not in self.units:
            self.read(path)
        found = self.units[path]
        if found is None:
            message = f'imported file "{text}" not found'
            unit.error("LG104", message, written.path.span, label=f"looked for {path}")
        return found

    def read(self, path: str) -> None:
        """Read and parse a file; what is not there is remembered as None."""
        data = self.load(path)
        if data is None:
            self.units[path] = None
            return
        source, findings = read_bytes(path, data)
        if source is None:
            self.context.findings.extend(findings)
            empty = Source(path, "")
            unit = Unit(self.context, path, ast.File(empty, (), ()), tuple(d.place.span for d in findings))
            self.units[path] = unit
            self.order.append(unit)
            return
        self.context.findings.extend(findings)
        self.add(source)


def load_project(
    context: Context, sources: Sequence[Source], load: Load, root: str | None, beside: Sequence[Source] = ()
) -> Project:
    """Parse the sources and everything that they import; reports LG104 and LG105."""
    loader = Loader(context, load, root)
    for source in sources:
        loader.add(source)
    given = frozenset(unit.path for unit in loader.order)
    loader.follow()
    reached = {unit.path for unit in loader.order}
    for source in beside:
        loader.add(source)
    loader.follow()
    users = frozenset(unit.path for unit in loader.order if unit.path not in reached)
    project = Project(tuple(loader.order), loader.links, given, users)
    report_cycles(context, project)
    return project


def report_cycles(context: Context, project: Project) -> None:
    """One LG105 for each import that closes a circle, at the import by which the circle is entered."""
    done: set[str] = set()
    for first in project.units:
        if first.path in done:
            continue
        trail: list[tuple[Unit, int]] = [(first, 0)]
        on_trail: dict[str, int] = {first.path: 0}
        while trail:
            unit, at = trail[-1]
            links = project.links[unit.path]
            if at == len(links):
                trail.pop()
                del on_trail[unit.path]
                done.add(unit.path)
                continue
            trail[-1] = (unit, at + 1)
            target = links[at].target
            if target is None or target.path in done:
                continue
            if target.path in on_trail:
                circle = trail[on_trail[target.path] :]
                context.findings.append(cycle_finding(project, [(u, n - 1) for u, n in circle]))
            else:
                on_trail[target.path] = len(trail)
                trail.append((target, 0))


def cycle_finding(project: Project, circle: list[tuple[Unit, int]]) -> Diagnostic:
    """The finding for a circle of files; each comes with the number of the import that leads on."""
    places = [Place(unit.source, project.links[unit.path][n].written.path.span) for unit, n in circle]
    names = [unit.path for unit, _ in circle] + [circle[0][0].path]
    related = tuple(
        Label(place, f"imports {name}") for place, name in zip(places[1:], names[2:], strict=True)
    )
    message = f"{names[0]} imports itself" if len(circle) == 1 else "import cycle: " + " -> ".join(names)
    help = "put what both need into a third file"
    return error("LG105", message, places[0], help=help, related=related)
