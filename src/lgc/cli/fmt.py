"""`lgc fmt`: from files to the same files in the one layout."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator

import click

from ..dsl.diagnostic import Diagnostic
from . import FINDINGS, FINE, findings
from .terminal import Style, counted, error_style, note, output_style


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
            sys.stdout.writelines(_diff(given.path, source.text, laid_out, output_style()))
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


def _diff(path: str, old: str, new: str, style: Style) -> Iterator[str]:
    from difflib import unified_diff

    for line in unified_diff(old.splitlines(keepends=True), new.splitlines(keepends=True), path, path):
        text = line.rstrip("\n")
        if text.startswith("+"):
            text = style.green(text)
        elif text.startswith("-"):
            text = style.red(text)
        elif text.startswith("@@"):
            text = style.cyan(text)
        yield text + "\n"


def write_whole(path: str, data: bytes) -> None:
    """Write a file at once: whoever reads it sees the old bytes or the new ones.

    Raises:
        OSError: it cannot be written; the old file stays.
    """
    from pathlib import Path

    target = Path(path).resolve()
    beside = target.with_name(f".{target.name}.{os.getpid()}.tmp")
    try:
        with beside.open("xb") as file:
            file.write(data)
            if target.exists():
                os.fchmod(file.fileno(), target.stat().st_mode & 0o7777)
        beside.replace(target)
    except BaseException:
        beside.unlink(missing_ok=True)
        raise
