"""From findings to text for people, in the form that rustc made familiar.

error[LG101]: there is no field `verdct` in `Article`
  --> article.lgraph:12:21
   |
12 |   grade -> end when verdct == none
   |                     ^^^^^^
   |
   = help: did you mean `verdict`?
"""

from __future__ import annotations

from collections.abc import Sequence

from .diagnostic import Diagnostic, Label, Severity
from .printable import printable, sentence
from .snippet import Marked, Paint, last_line, snippet
from .source import Place

_BOLD = "1"
_BLUE = "1;34"
_SEVERITY = {Severity.ERROR: "1;31", Severity.WARNING: "1;33"}


def text_report(findings: Sequence[Diagnostic], color: bool, summary: str) -> str:
    """The findings in the given order, each followed by an empty line, and the summary."""
    blocks = ["\n".join(_finding(finding, color)) + "\n\n" for finding in findings]
    return "".join(blocks) + (f"\x1b[{_BOLD}m{summary}\x1b[0m\n" if color else f"{summary}\n")


def _finding(finding: Diagnostic, color: bool) -> list[str]:
    paint = _painter(finding.severity, color)
    snippets = _by_file(finding)
    gutter = len(str(max(last_line(place.source, marks) for place, marks in snippets)))
    title = paint("severity", f"{finding.severity}[{finding.code}]")
    out = [title + paint("message", f": {sentence(finding.message)}")]
    for number, (place, marks) in enumerate(snippets):
        if number:
            out.append(paint("frame", " " * gutter + " |"))
        arrow = paint("frame", " " * gutter + (":::" if number else "-->"))
        line, column = place.position
        out.append(f"{arrow} {printable(place.source.path)}:{line}:{column}")
        out += snippet(place.source, marks, gutter, paint)
    help_text = finding.help or (finding.fix.title if finding.fix else "")
    if help_text:
        first, *more = help_text.splitlines()
        lead = " " * gutter
        out.append(paint("frame", f"{lead} |"))
        out.append(f"{paint('frame', f'{lead} =')} {paint('message', 'help:')} {printable(first)}")
        out += [f"{lead}         {printable(line)}".rstrip() for line in more]
    return out


def _by_file(finding: Diagnostic) -> list[tuple[Place, list[Marked]]]:
    """The marked places, one snippet a file; the finding's own first, the others in order."""
    label = Label(finding.place, finding.label)
    files: dict[str, tuple[Place, list[Marked]]] = {}
    for number, (place, text) in enumerate((one.place, one.text) for one in (label, *finding.related)):
        _, marks = files.setdefault(place.source.path, (place, []))
        marks.append(Marked(place.span, text, primary=number == 0))
    return list(files.values())


def _painter(severity: Severity, color: bool) -> Paint:
    codes = {
        "severity": _SEVERITY[severity],
        "primary": _SEVERITY[severity],
        "secondary": _BLUE,
        "frame": _BLUE,
        "message": _BOLD,
    }

    def paint(role: str, text: str) -> str:
        return f"\x1b[{codes[role]}m{text}\x1b[0m" if color and text else text

    return paint
