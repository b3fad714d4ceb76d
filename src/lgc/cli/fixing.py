"""From files to the same files with repairs applied: `lgc check --fix`."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from .. import project
from ..dsl.diagnostic import Severity
from ..fixes import Fixed, View, fix_all
from . import FINDINGS, findings
from .checking import Looked, Options, look, tell
from .edits import diff_lines, write_whole
from .terminal import Failure, counted, error_style, note, output_style

if TYPE_CHECKING:
    from ..compiler.migrations.forms import Forms

_BOM = b"\xef\xbb\xbf"


def fix_inputs(inputs: Sequence[project.Input], options: Options, forms: Forms | None = None) -> int:
    """Apply the repairs of findings that count, and report what remains; gives the exit status.

    Files are written whole, and only those that were given. With `diff` nothing is written: what would change
    is shown. Standard input goes to standard output, its report to standard error. `forms` are those that
    migrations are checked against.
    """
    texts = {one.path: _text(one.data) for one in inputs}
    known: dict[int, Looked] = {}  # the last look, by the identity of its texts: the end needs it again

    def view(changed: Mapping[str, str]) -> View:
        looked = look(_with_texts(inputs, changed), options, forms)
        known.clear()
        known[id(changed)] = looked
        return _view(looked)

    fixed = fix_all(texts, view)
    looked = known.get(id(fixed.texts)) or look(_with_texts(inputs, fixed.texts), options, forms)
    changed = [one for one in inputs if fixed.texts[one.path] != texts[one.path]]
    if options.diff:
        for one in changed:
            sys.stdout.writelines(
                diff_lines(one.path, texts[one.path], fixed.texts[one.path], output_style())
            )
    else:
        for one in inputs:
            data = _data(one, fixed.texts[one.path])
            if one.from_stdin:
                sys.stdout.flush()
                sys.stdout.buffer.write(data)
            elif one in changed:
                _write(one, data)
        tell(looked, options, to_errors=any(one.from_stdin for one in inputs))
    _say(fixed, options.diff)
    if options.diff and changed:
        return FINDINGS
    return findings.status(looked.findings, strict=options.strict)


def _view(looked: Looked) -> View:
    errors: dict[str, int] = {}
    for result in looked.results:
        for finding in result.findings:
            if finding.severity is Severity.ERROR:
                path = finding.place.source.path
                errors[path] = errors.get(path, 0) + 1
    return View(tuple(one for one in looked.findings if one.fix is not None), errors)


def _text(data: bytes) -> str:
    """What the reader makes of the bytes; "" where they are no text, and then there is nothing to repair."""
    try:
        return data.removeprefix(_BOM).decode()
    except UnicodeDecodeError:
        return ""


def _data(given: project.Input, text: str) -> bytes:
    """The bytes of a file with another text; a byte order mark stays."""
    if text == _text(given.data):
        return given.data
    return (_BOM if given.data.startswith(_BOM) else b"") + text.encode()


def _with_texts(inputs: Sequence[project.Input], texts: Mapping[str, str]) -> list[project.Input]:
    return [one.with_data(_data(one, texts[one.path])) for one in inputs]


def _write(given: project.Input, data: bytes) -> None:
    with open(given.path, "rb") as file:
        if file.read() != given.data:
            raise Failure(f"{given.path} was changed by somebody else just now; it is not written")
    write_whole(given.path, data)


def _say(fixed: Fixed, only_shown: bool) -> None:
    style = error_style()
    count, files = sum(fixed.applied.values()), len(fixed.applied)
    if count:
        did = "would fix" if only_shown else "fixed"
        note(style.bold(f"{did} {counted(count, 'finding')} in {counted(files, 'file')}"))
    elif only_shown or not fixed.refused:
        note("nothing to fix")
    for one in fixed.refused:
        note(f"not fixed, since there would be more errors than before: {one.place}: {one.message}")
