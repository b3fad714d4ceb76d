"""From sources to a program and findings; from a program to a hash and typed Python.

    sources ─► project (all files) ─► resolve (names, types) ─► rules ─► findings
                                         └─► canonical ─► hash, lower, codegen

`check` is the one validator: the command line, the editor and the tests call it. It reads nothing itself;
`load` gives it the files that are imported.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

from ..dsl import ast
from ..dsl.diagnostic import Diagnostic, Severity, Suppressed
from ..dsl.frozen import frozen
from ..dsl.source import Source
from .context import Context
from .model import Program
from .project import load_project
from .resolve import resolve
from .rules import run_rules

if TYPE_CHECKING:
    from .migrations.forms import Forms

# A tree 200 deep takes about five frames a level. Frames of Python functions take no C stack.
FRAMES = 5_000


@frozen
class Checked:
    """What is known of some sources.

    Attributes:
        program: everything that could be resolved; complete only if `usable`.
        diagnostics: the findings of every stage, by file and place, each once.
        suppressed: the findings that comments `lgc: allow` silence, in the same order.
        files: the trees of the sources and of what they import.
    """

    program: Program
    diagnostics: tuple[Diagnostic, ...]
    files: tuple[ast.File, ...]
    suppressed: tuple[Suppressed, ...] = ()

    @property
    def usable(self) -> bool:
        """Whether the program may be hashed, built and run: there is no error."""
        return not any(d.severity is Severity.ERROR for d in self.diagnostics)


def check(
    sources: Sequence[Source],
    *,
    load: Callable[[str], bytes | None],
    root: str | None = None,
    mark: Callable[[str], None] | None = None,
    beside: Sequence[Source] = (),
    forms: Forms | None = None,
) -> Checked:
    """Check sources and everything that they import.

    `load` gives the bytes of an imported file, or None if there is no such file; paths are those of the
    sources, with `/`. `root` is the folder that imports may not leave, in the same form as the sources' paths
    (all relative to one folder, or all absolute); without it they may go anywhere. `mark` is told when a
    phase has ended: parse, resolve, the code of a rule, findings. `beside` are files that use the sources:
    what they do with them counts, but nothing is said of them. `forms` are older graphs that migrations are
    checked against; without them, only what migrations say of the new graph is checked.
    Never raises for any text.
    """
    context = Context()
    with _deep_stack():
        project = load_project(context, sources, load, root, beside)
        if mark is not None:
            mark("parse")
        resolved = resolve(context, project)
        if mark is not None:
            mark("resolve")
        context.findings.extend(run_rules(resolved, mark))
        if any(module.migrations for module in resolved.program.modules):
            from .migrations.checks import check_migrations  # few files have any

            check_migrations(context, resolved, forms)
    files = tuple(unit.file for unit in project.units if unit.path not in project.beside)
    said = (one for one in context.findings if one.place.source.path not in project.beside)
    findings = sorted(dict.fromkeys(said), key=Diagnostic.sort_key)
    silenced: tuple[Suppressed, ...] = ()
    if findings:
        from ..dsl.enclosing import located

        findings = located(findings, files)
    if any("lgc" in file.source.text for file in files):
        from .allow import apply_allows  # few files have such comments

        findings, silenced = apply_allows(findings, files)
    if mark is not None:
        mark("findings")
    return Checked(resolved.program, tuple(findings), files, silenced)


@contextmanager
def _deep_stack() -> Generator[None]:
    limit = sys.getrecursionlimit()
    sys.setrecursionlimit(max(limit, FRAMES))
    try:
        yield
    finally:
        sys.setrecursionlimit(limit)
