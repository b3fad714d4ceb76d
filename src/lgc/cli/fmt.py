"""`lgc fmt`: from files to the same files in the one layout."""

from __future__ import annotations

import sys

import click

from ..dsl.diagnostic import Diagnostic
from . import FINDINGS, FINE, findings
from .edits import diff_lines, write_whole
from .terminal import counted, error_style, note, output_style


@click.command("fmt")
@click.argument("paths", nargs=-1, metavar="PATH...")
@click.option(
    "--check", "only_check", is_flag=True, help="Write nothing; exit with 1 where a file would change."
)
@click.option("--diff", "show_diff", is_flag=True, help="Write nothing; show what would change.")
@click.option("--stdin-name", default="", metavar="PATH", help="What standard input (-) is called.")
def fmt_command(paths: tuple[str, ...], only_check: bool, show_diff: bool, stdin_name: str) -> int:
    """Lay files out in the one layout.

    Every comment is kept. A file with syntax errors is not touched. - formats standard input to
    standard output.
    """
    from ..dsl.faithful import faithful
    from ..dsl.format import format_file
    from ..dsl.parse import parse
    from ..dsl.read import read_bytes

    broken: list[Diagnostic] = []
    changed = same = failed = 0
    for given in findings.read_inputs(paths, stdin_name):
        source, problems = read_bytes(given.path, given.data)
        parsed = None if source is None else parse(source)
        problems = problems if parsed is None else parsed.diagnostics
        if source is None or parsed is None or problems:
            broken += problems
            failed += 1
            continue
        laid_out = format_file(parsed.file)
        new = laid_out.encode()
        if show_diff:
            sys.stdout.writelines(diff_lines(given.path, source.text, laid_out, output_style()))
        elif "-" in paths and given.path == (stdin_name or "-") and not only_check:
            sys.stdout.flush()
            sys.stdout.buffer.write(new)
            continue
        if new == given.data:
            same += 1
            continue
        if not faithful(parsed.file, laid_out):
            # Never seen; but a formatter that is wrong once must not be the one who loses the text.
            raise AssertionError(f"{given.path} would not read the same after formatting; it is untouched")
        changed += 1
        if only_check and not show_diff:
            note(f"would reformat {given.path}")
        elif not show_diff:
            write_whole(given.path, new)
    if broken:
        findings.report(broken, failed, to_errors=True)
    writes = not (only_check or show_diff)
    _summary(changed, same, failed, writes)
    return FINDINGS if broken or (changed and not writes) else FINE


def _summary(changed: int, same: int, failed: int, writes: bool) -> None:
    style = error_style()
    did = "reformatted" if writes else "would be reformatted"
    left = ("left as it was" if same == 1 else "left as they were") if writes else "already in layout"
    parts = [
        style.bold(f"{counted(changed, 'file')} {did}") if changed else "",
        f"{counted(same, 'file')} {left}" if same else "",
        style.red(f"{counted(failed, 'file')} with syntax errors not touched") if failed else "",
    ]
    if any(parts):
        note(", ".join(part for part in parts if part))
