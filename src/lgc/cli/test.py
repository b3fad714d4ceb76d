"""`lgc test`: from files to the scenarios in them, run on the real engine."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ..modules import Generated
from . import FINDINGS, FINE, findings
from .launch import from_root, look_in
from .terminal import note, wants_color

if TYPE_CHECKING:
    from .. import judged
    from ..coverage import Coverage
    from ..scenarios import Result


@click.command("test")
@click.argument("paths", nargs=-1, metavar="PATH...")
@click.option("--coverage", "with_coverage", is_flag=True, help="List the edges that no scenario took.")
@click.option("--only", default="", metavar="TEXT", help="Only scenarios whose name contains TEXT.")
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "json", "junit"]),
    default="text",
    show_default=True,
    help="How results are written.",
)
@click.option("--stdin-name", default="", metavar="PATH", help="What standard input (-) is called.")
def test_command(paths: tuple[str, ...], with_coverage: bool, only: str, form: str, stdin_name: str) -> int:
    """Run the scenarios.

    Nodes are scripted by the scenario's lines; nothing of the tasks' own Python runs. Exits with 1
    where one fails.
    """
    from .test_report import REPORTS

    results: list[Result] = []
    coverages: list[Coverage] = []
    for result in findings.sound_results(paths, stdin_name):
        ran, covered = _run(result, only, form == "text")
        results += ran
        coverages += covered
    sys.stdout.write(REPORTS[form](results, coverages if with_coverage else None, wants_color(sys.stdout)))
    if not results:
        note("no scenarios" + (f" with {only!r} in their name" if only else ""))
    return FINE if all(one.passed for one in results) else FINDINGS


def _run(result: judged.Result, only: str, show: bool) -> tuple[list[Result], list[Coverage]]:
    """Run the scenarios of one project's files."""
    from ..coverage import Coverage
    from ..scenarios import run_scenario

    program, settings = result.checked.program, result.batch.settings
    given = {source.path for source in result.batch.sources}
    scenarios = [
        scenario
        for module in program.modules
        if module.path in given
        for scenario in module.scenarios
        if only in scenario.title
    ]
    graphs = [key for module in program.modules if module.path in given for key in module.declares]
    graphs += [scenario.graph for scenario in scenarios]
    coverages = {key: Coverage(program.graphs[key]) for key in graphs if key in program.graphs}
    look_in([str(Path.cwd())], settings)  # for mutations and merges that a Python function computes
    modules = Generated(program, {m.path: from_root(m.path, settings) for m in program.modules}, alone=True)
    modules.install()
    try:
        results: list[Result] = []
        progress = _Progress(len(scenarios), show)
        for scenario in scenarios:
            progress.at(len(results), scenario.title)
            results.append(run_scenario(modules, scenario, coverages.get(scenario.graph)))
        progress.done()
    finally:
        modules.remove()
    return results, list(coverages.values())


class _Progress:
    """A line on a terminal that says how far it is; silence otherwise."""

    def __init__(self, total: int, show: bool) -> None:
        self.total = total
        self.on = show and total > 20 and sys.stderr.isatty()

    def at(self, number: int, title: str) -> None:
        """About to run one."""
        if self.on:
            sys.stderr.write(f"\r\x1b[K{number}/{self.total} {title[:60]}")
            sys.stderr.flush()

    def done(self) -> None:
        """Leave no trace."""
        if self.on:
            sys.stderr.write("\r\x1b[K")
            sys.stderr.flush()
