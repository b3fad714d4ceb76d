"""From findings and comments to the findings that count and those that `// lgc: allow` silences.

    // lgc: allow LG503 the editor reads the draft of the last round on purpose
    branch style = check_style

A comment stands on a line of its own and silences one finding of its code that begins on the next line that
is no comment. One that cannot be used is LG007; one that silences nothing is LG107, unless errors keep rules
from looking.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from posixpath import dirname, join, normpath

from ..dsl import ast
from ..dsl.diagnostic import Diagnostic, Fix, Severity, Suppressed
from ..dsl.enclosing import located
from ..dsl.named import NamedTuple
from ..dsl.source import Place, Source, Span
from .rule import CHECK
from .rules import BY_CODE
from .spelling import Speller

_CODE = r"LG\d{3}\b"
_TRIED = re.compile(r"//+[ \t]*lgc(?:[ \t]*:|[-_ \t]+(?:allow|ignore|disable|noqa|expect)\b)[ \t]*", re.I)
_WORD = re.compile(r"(?:lgc[-_ \t:]*)?(\w*)[ \t:]*", re.I)
_TWO = re.compile(rf"{_CODE}(?:[\s,;&+]|and\b)+{_CODE}", re.I)
_FORM = re.compile(rf"//[ \t]*lgc: allow[ \t]+({_CODE})(?:[ \t]+(\S.*))?")
_SHAPE = "`// lgc: allow CODE reason`"


class _Allow(NamedTuple):
    """One usable comment."""

    code: str
    reason: str
    place: Place


def apply_allows(
    findings: Sequence[Diagnostic], files: Sequence[ast.File]
) -> tuple[list[Diagnostic], tuple[Suppressed, ...]]:
    """The findings that count, with those about the comments themselves, and the silenced ones, in order."""
    waiting: dict[tuple[str, int, str], list[_Allow]] = {}
    about: list[Diagnostic] = []
    for file in files:
        for comment in file.comments:
            if _TRIED.match(comment.text) is None:
                continue
            place = Place(file.source, comment.span)
            read = _read(place, comment.text)
            if isinstance(read, Diagnostic):
                about.append(read)
            else:
                key = (file.source.path, _line_below(file.source, comment.span), read.code)
                waiting.setdefault(key, []).append(read)
    if not waiting and not about:
        return list(findings), ()
    kept, silenced = _split(findings, waiting)
    hidden = _hidden(findings, files)
    about += (
        _unneeded(one)
        for key, rest in waiting.items()
        for one in rest
        if key[0] not in hidden and BY_CODE[one.code].by == CHECK  # else only some checks look for it
    )
    return sorted([*kept, *located(about, files)], key=Diagnostic.sort_key), tuple(silenced)


def _split(
    findings: Sequence[Diagnostic], waiting: dict[tuple[str, int, str], list[_Allow]]
) -> tuple[list[Diagnostic], list[Suppressed]]:
    """Gives each comment the first finding that it fits, and takes it out of `waiting`."""
    codes = {code for _, _, code in waiting}
    kept: list[Diagnostic] = []
    silenced: list[Suppressed] = []
    for finding in findings:
        if finding.code in codes:
            allows = waiting.get((finding.place.source.path, finding.place.position.line, finding.code))
            if allows:
                allow = allows.pop(0)
                silenced.append(Suppressed(finding, allow.reason, allow.place, in_source=True))
                continue
        kept.append(finding)
    return kept, silenced


def _unneeded(allow: _Allow) -> Diagnostic:
    return BY_CODE["LG107"].found(
        f"`lgc: allow {allow.code}` silences nothing",
        allow.place,
        help=f"no {allow.code} begins on the line below; remove the comment",
        fix=Fix(_whole_line(allow.place), "", "remove the comment"),
    )


def _hidden(findings: Sequence[Diagnostic], files: Sequence[ast.File]) -> set[str]:
    """The files whose findings may be incomplete: with unclear names, or tied to such by imports."""
    wrong = [f for f in findings if f.severity is Severity.ERROR and not BY_CODE[f.code].allowable]
    hidden = {normpath(f.place.source.path) for f in wrong}
    tied: dict[str, list[str]] = {}
    for file in files if hidden else ():
        path = normpath(file.source.path)
        for declaration in file.declarations:
            if isinstance(declaration, ast.Import):
                other = normpath(join(dirname(path), declaration.path.value))
                tied.setdefault(path, []).append(other)
                tied.setdefault(other, []).append(path)
    todo = list(hidden)
    for path in todo:
        new = [other for other in tied.get(path, ()) if other not in hidden]
        hidden.update(new)
        todo += new
    return {file.source.path for file in files if normpath(file.source.path) in hidden}


# --- one comment ------------------------------------------------------------------------------------------


def _read(place: Place, text: str) -> _Allow | Diagnostic:
    """A comment that begins like an allowance, or what is wrong with it."""
    source, span = place
    found = _FORM.fullmatch(text)
    if found is None:
        return _misspelt(place, text)
    code, reason = found[1], (found[2] or "").strip()
    if (problem := _wrong_code(code)) is not None:
        message, help = problem
        return _unusable(message, place, help)
    if not reason:
        help = f"say why in the same comment: `// lgc: allow {code} REASON`"
        return _unusable(f"`lgc: allow {code}` gives no reason", place, help)
    if _TWO.match(f"{code} {reason}"):
        return _two_codes(place)
    if source.text[_line_start(source, span) : span.start].strip():
        help = "put it on a line of its own, above what it allows"
        return _unusable(f"`lgc: allow {code}` stands behind something", place, help)
    return _Allow(code, reason, place)


def _wrong_code(code: str) -> tuple[str, str] | None:
    """Message and help about a code that cannot be allowed."""
    rule = BY_CODE.get(code)
    if rule is None:
        near = Speller().nearest(code, BY_CODE)
        return f"no finding has the code `{code}`", f"did you mean `{near}`?" if near else ""
    if not rule.allowable:
        return f"{code} ({rule.name}) cannot be allowed", f"repair it; see `lgc explain {code}`"
    return None


def _misspelt(place: Place, text: str) -> Diagnostic:
    """A finding about a comment in another form, with the right one where its parts can be made out."""
    tried = _TRIED.match(text)
    rest = text[2:].lstrip("/ \t")
    word = _WORD.match(rest)
    after = rest[word.end() :] if word else ""
    code, _, reason = after.partition(" ")
    code = code.rstrip(":,").upper()
    right = f"// lgc: allow {code} {reason.strip(' -:')}"
    fix: Fix | None = None
    named = word is not None and word[1].lower() in ("allow", "ignore", "disable", "noqa", "expect")
    if tried and named and code in BY_CODE and isinstance(_read_form(place, right), _Allow):
        fix = Fix(place.span, right, f"write `{right}`")
    message = f"`{' '.join(tried.group()[2:].split() if tried else [])}` is not understood"
    if word is not None and tried and tried.group().rstrip().endswith(":"):
        message = f"`lgc: {word[1]}` is not understood"
    if tried and named and _TWO.match(after):
        return _two_codes(place)
    if word is not None and word[1].lower() == "allow":
        message = "this `lgc: allow` comment is not understood"
    return _unusable(message, place, fix.title if fix else f"write {_SHAPE}", fix)


def _read_form(place: Place, text: str) -> _Allow | Diagnostic | None:
    return _read(place, text) if _FORM.fullmatch(text) else None


def _two_codes(place: Place) -> Diagnostic:
    help = "write one comment for each code, one above the other"
    return _unusable("one `lgc: allow` comment allows one code", place, help)


def _unusable(message: str, place: Place, help: str, fix: Fix | None = None) -> Diagnostic:
    return BY_CODE["LG007"].found(message, place, help=help, fix=fix)


# --- lines ------------------------------------------------------------------------------------------------


def _line_start(source: Source, span: Span) -> int:
    return source.text.rfind("\n", 0, span.start) + 1


def _whole_line(place: Place) -> Span:
    """The comment with its line, up to the start of the next one."""
    source, span = place
    end = source.text.find("\n", span.end)
    return Span(_line_start(source, span), end + 1 if end >= 0 else len(source.text))


def _line_below(source: Source, span: Span) -> int:
    """The number of the next line that is no comment."""
    number = source.position(span.start).line + 1
    at = source.text.find("\n", span.end) + 1
    while at > 0:
        end = source.text.find("\n", at)
        line = source.text[at : end if end >= 0 else len(source.text)]
        if not line.lstrip(" \t").startswith("//"):
            break
        number += 1
        at = end + 1
    return number
