"""`lgc build`: from files to typed Python in an output folder."""

# Paths are text here: as the user wrote them, and links in them not followed.

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from .. import __version__, project
from ..dsl.diagnostic import Diagnostic, error
from ..dsl.source import Place, Source, Span
from . import FINDINGS, FINE, findings
from .edits import write_whole
from .terminal import Failure, counted, error_style, note

if TYPE_CHECKING:
    from ..compiler.codegen.output import OutputFinding


@click.command("build")
@click.argument("paths", nargs=-1, metavar="PATH...")
@click.option(
    "--out", default="", metavar="DIR", help="Where to write; without it what the settings call `out`."
)
@click.option(
    "--check", "only_check", is_flag=True, help="Write nothing; exit with 1 where output is not current."
)
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "json", "sarif", "github", "junit"]),
    default="text",
    show_default=True,
    help="How findings are written.",
)
def build_command(paths: tuple[str, ...], out: str, only_check: bool, form: str) -> int:
    """Write typed Python: one module for each file, `article_lg.py` for `article.lgraph`.

    The output mirrors the tree of the sources, below the folder that is given (or that the settings call
    `source`). What lgc did not write is never overwritten.
    """
    inputs = findings.read_inputs(paths)
    target = out or _out_of_settings(inputs)
    findings.sound(findings.check_inputs(inputs))
    base = base_of(inputs, bool(paths))
    expected = _generate(inputs, base, relative=(Path(target) / "__init__.py").is_file())
    wrong = _compare(target, expected, base, whole=not paths or any(one.tree for one in inputs))
    foreign = [one for one in wrong if one.kind == "foreign"]
    if only_check or foreign:
        found = [_finding(target, one) for one in (wrong if only_check else foreign)]
        findings.report(found, len(expected), form=form, to_errors=form == "text")
        return FINDINGS if found else FINE
    written = [one.path for one in wrong if one.path in expected]
    for path in written:
        place = Path(target) / path
        place.parent.mkdir(parents=True, exist_ok=True)
        _write(place, expected[path].encode())
    _summary(target, written, [one for one in wrong if one.path not in expected], len(expected))
    return FINE


def _write(place: Path, data: bytes) -> None:
    """Write a module so that Python notices.

    Python takes a compiled module for current if the source's size and its time in whole seconds are
    the same: a module that is built twice in a second gets a later time.
    """
    before = int(place.stat().st_mtime) if place.exists() else 0
    write_whole(str(place), data)
    now = place.stat()
    if int(now.st_mtime) <= before:
        os.utime(place, (now.st_atime, before + 1))


def _out_of_settings(inputs: Sequence[project.Input]) -> str:
    found = {(one.settings.root, one.settings.out): one.settings for one in inputs}
    if len(found) > 1:
        raise Failure("the files belong to several projects", "build them one by one, or say --out DIR")
    settings = next(iter(found.values()))
    if not settings.out:
        raise Failure("where to write is not known", "say --out DIR, or set `out` in lgc.toml")
    return settings.path(settings.out)


# --- names of sources -------------------------------------------------------------------------------------


def base_of(inputs: Sequence[project.Input], given: bool) -> str:
    """The folder (absolute) below which sources are named, and which the output mirrors.

    It is what the settings call `source`, or the folders that were given, or those of the files that were
    given; of several, the folder that holds them all.
    """
    folders: set[str] = set()
    for one in inputs:
        settings = one.settings
        sources = [os.path.abspath(settings.path(source)) for source in settings.source]
        roots = [path if os.path.isdir(path) else os.path.dirname(path) for path in sources]
        there = os.path.dirname(os.path.abspath(one.path))
        inside = [root for root in roots if os.path.commonpath([root, there]) == root]
        if inside:
            folders.add(max(inside, key=len))
        elif one.tree and given:
            folders.add(os.path.abspath(one.tree))
        else:
            folders.add(there)
    return os.path.commonpath(folders)


def _generate(inputs: Sequence[project.Input], base: str, *, relative: bool) -> Mapping[str, str]:
    """The files to write. Sources are named from the base, so that output is the same wherever lgc is run."""
    from ..compiler import check
    from ..compiler.codegen import SameOutput, build
    from ..dsl.read import read_bytes

    def named(path: str, base: str) -> str:
        return os.path.relpath(os.path.abspath(path), base).replace(os.sep, "/")

    while True:
        sources: list[Source] = []
        for one in inputs:
            source, _ = read_bytes(named(one.path, base), one.data)
            if source is not None:
                sources.append(source)
        checked = check(sources, load=partial(_load, base), root=None)
        ups = max((path.path.split("/").count("..") for path in checked.program.modules), default=0)
        if not ups:
            break
        for _ in range(ups):  # what is imported lies further up: name everything from there
            base = os.path.dirname(base)
    try:
        return build(checked.program, version=__version__, package_relative=relative)
    except SameOutput as problem:
        raise Failure(str(problem), "rename one of them", status=FINDINGS) from problem


def _load(base: str, path: str) -> bytes | None:
    return project.load(os.path.join(base, path))


# --- what is there ----------------------------------------------------------------------------------------


def _compare(target: str, expected: Mapping[str, str], base: str, *, whole: bool) -> list[OutputFinding]:
    """What is not current; with `whole` also what was generated from sources that are gone."""
    from ..compiler.codegen.output import compare_output

    existing: dict[str, str | None] = {path: _read(Path(target) / path) for path in expected}
    if whole:
        for path in _generated(target):
            if path not in expected:
                text = _read(Path(target) / path)
                source = _source_of(text or "")
                if source and not os.path.exists(os.path.join(base, source)):
                    existing[path] = text
    return list(compare_output(expected, existing))


def _read(path: Path) -> str | None:
    """The text of a file, None where there is none; bytes that are no text make it foreign."""
    try:
        return path.read_bytes().decode("utf-8", "replace")
    except (FileNotFoundError, NotADirectoryError):
        return None
    except IsADirectoryError:
        raise Failure(f"{path} is a folder", "move it away, or choose another output folder") from None


def _generated(target: str) -> list[str]:
    """All files in the output folder whose names are those of generated modules."""
    return sorted(
        os.path.relpath(os.path.join(folder, name), target).replace(os.sep, "/")
        for folder, _, names in os.walk(target)
        for name in names
        if name.endswith("_lg.py")
    )


def _source_of(text: str) -> str:
    """The source that a generated module names in its head, "" where it was not written by lgc."""
    from ..compiler.codegen.output import is_generated

    if not is_generated(text):
        return ""
    first = text.partition("\n")[0]
    return first.partition(" from ")[2].partition(". Do not edit")[0]


def _finding(target: str, one: OutputFinding) -> Diagnostic:
    path = str(Path(target) / one.path)
    text = _read(Path(path)) or ""
    place = Place(Source(path, text), Span(0, len(text.partition("\n")[0])))
    return error(one.code, one.message, place, help=one.help)


def _summary(target: str, written: Sequence[str], gone: Sequence[OutputFinding], total: int) -> None:
    style = error_style()
    same = total - len(written)
    what = f"{counted(len(written), 'file')} written to {target}" if written else "nothing to write"
    note(f"{style.green('built', bold=True)}: {what}" + (f", {same} unchanged" if same else ""))
    for one in gone:
        note(f"{style.yellow('warning', bold=True)}: {Path(target) / one.path}: {one.message}")
