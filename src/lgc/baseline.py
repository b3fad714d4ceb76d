"""From a baseline file and findings to the findings that count, those accepted, and what the file needs.

A baseline lists findings that a project accepts for now, each with a reason and, if wanted, the last day on
which it holds. It is TOML, one table a finding, so that people can review and edit it:

    [[accepted]]
    code = "LG503"
    file = "flows/article.lgraph"
    message = "branch `style` reads `notes`, which branch `facts` writes"
    fingerprint = "5c1f0a7be29d4483"
    reason = "the style check looks at the last round on purpose"
    expires = 2027-06-30

Only the fingerprint says which finding is meant; file and message are for the reader. What is wrong with an
entry is told as a finding in the baseline file: LG007 where it cannot be used, LG107 where nothing needs it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from .compiler.rule import CHECK
from .compiler.rules import BY_CODE
from .dsl.diagnostic import Diagnostic, Label, Suppressed
from .dsl.frozen import frozen
from .dsl.source import Place, Source, Span
from .settings import ProjectError

if TYPE_CHECKING:
    from datetime import date

    from .dsl.fingerprint import Identity

VERSION = 1
_TABLE = r"(?m)^[ \t]*\[\[[ \t]*accepted[ \t]*\]\]"
_NEEDED = ("code", "file", "fingerprint")
_KEYS = ("code", "file", "message", "fingerprint", "reason", "expires")


@frozen
class Entry:
    """One accepted finding.

    Attributes:
        code, file, message: of the finding, the file relative to the project's folder.
        fingerprint: by which the finding is known.
        reason: why it is accepted, "" where nobody said so.
        expires: the last day on which it is accepted.
        place: where the entry begins.
    """

    code: str
    file: str
    message: str
    fingerprint: str
    reason: str
    expires: date | None
    place: Place


@frozen
class Baseline:
    """The accepted findings of one file, in its order."""

    source: Source
    entries: tuple[Entry, ...]


# --- reading ----------------------------------------------------------------------------------------------


def read_baseline(path: str, text: str) -> Baseline:
    """Read the text of a baseline file.

    Raises:
        ProjectError: it is no TOML, or no baseline that this version understands.
    """
    import tomllib

    try:
        table = tomllib.loads(text.replace("\r\n", "\n"))
    except tomllib.TOMLDecodeError as error:
        raise ProjectError(f"{path}: {error}", "see `lgc check --write-baseline`") from error
    if table.get("version") != VERSION:
        raise ProjectError(
            f"{path}: `version` is not {VERSION}", "this is no baseline that this lgc can read"
        )
    listed = table.get("accepted", [])
    unknown = [key for key in table if key not in ("version", "accepted")]
    if unknown:
        raise ProjectError(
            f"{path}: `{unknown[0]}` is not known", "a baseline has `version` and `[[accepted]]`"
        )
    if not isinstance(listed, list):
        raise ProjectError(f"{path}: `accepted` must be tables, each under `[[accepted]]`")
    source = Source(path, text)
    items: list[Any] = listed  # pyright: ignore[reportUnknownVariableType]
    starts = [match.span() for match in re.finditer(_TABLE, text)]
    if len(starts) != len(items):  # written in another form: the entries have no lines of their own
        starts = [(0, 0)] * len(items)
    spans = [Span(text.find("[", start) if end else 0, end) for start, end in starts]
    pairs = enumerate(zip(items, spans, strict=True), 1)
    return Baseline(source, tuple(_entry(path, n, item, Place(source, span)) for n, (item, span) in pairs))


def _entry(path: str, number: int, table: Any, place: Place) -> Entry:
    where = f"{path}: entry {number}"
    if not isinstance(table, dict):
        raise ProjectError(f"{where} must be a table")
    values: dict[str, Any] = table  # pyright: ignore[reportUnknownVariableType]
    for key, value in values.items():
        if key not in _KEYS:
            from difflib import get_close_matches

            near = get_close_matches(key, _KEYS, n=1)
            hint = f"did you mean `{near[0]}`?" if near else f"an entry has {', '.join(_KEYS)}"
            raise ProjectError(f"{where}: `{key}` is not known", hint)
        if key != "expires" and not isinstance(value, str):
            raise ProjectError(f"{where}: `{key}` must be a string")
    for key in _NEEDED:
        if not values.get(key):
            raise ProjectError(f"{where}: `{key}` is missing")
    code, file, message, fingerprint = (values.get(key, "") for key in _KEYS[:4])
    day = _day(where, values.get("expires"))
    return Entry(code, file, message, fingerprint, values.get("reason", "").strip(), day, place)


def _day(where: str, value: object) -> date | None:
    from datetime import date, datetime

    if value is None:
        return None
    if isinstance(value, str):
        try:
            value = date.fromisoformat(value)
        except ValueError:
            value = None
    if isinstance(value, datetime) or not isinstance(value, date):
        raise ProjectError(f"{where}: `expires` must be a day, such as 2027-01-31")
    return value


# --- use --------------------------------------------------------------------------------------------------


class Acceptance:
    """A baseline in use: it is shown findings, and knows in the end which entries were needed.

    `today` decides which entries have expired.
    """

    def __init__(self, baseline: Baseline, today: date) -> None:
        self.baseline = baseline
        self.today = today
        self._by_print: dict[str, Entry] = {}
        for entry in reversed(baseline.entries):
            self._by_print[entry.fingerprint] = entry
        self._used: set[str] = set()

    def split(
        self, findings: Iterable[Diagnostic], prints: Mapping[Identity, str]
    ) -> tuple[list[Diagnostic], list[Suppressed]]:
        """The findings that are not accepted (one that no longer is says until when), and those that are."""
        kept: list[Diagnostic] = []
        accepted: list[Suppressed] = []
        for finding in findings:
            entry = self._by_print.get(prints[finding.sort_key()])
            if entry is None or entry.code != finding.code:
                kept.append(finding)
                continue
            self._used.add(entry.fingerprint)
            if not BY_CODE[finding.code].allowable:
                kept.append(finding)
            elif entry.expires is not None and entry.expires < self.today:
                kept.append(_expired(finding, entry, entry.expires))
            else:
                accepted.append(Suppressed(finding, entry.reason, entry.place, in_source=False))
        return kept, accepted

    def reports(self, checked: Mapping[str, bool]) -> list[Diagnostic]:
        """What is wrong with the entries.

        `checked` holds the files that were looked at, relative to the project's folder, and whether all of
        their findings came to light. Entries of other files are not judged.
        """
        found: list[Diagnostic] = []
        for entry in self.baseline.entries:
            rule = BY_CODE.get(entry.code)
            if rule is None or not rule.allowable:
                what = f"{entry.code} ({rule.name})" if rule else f"`{entry.code}`, which is no code,"
                help = f"repair it; see `lgc explain {entry.code}`" if rule else "remove the entry"
                found.append(_unusable(f"{what} cannot be accepted", entry, help))
            elif entry is not self._by_print[entry.fingerprint]:
                found.append(_unneeded(f"{_named(entry)} is accepted twice", entry))
            elif entry.fingerprint in self._used:
                if not entry.reason:
                    help = 'say why in the entry: reason = "…"'
                    found.append(_unusable(f"{_named(entry)} is accepted without a reason", entry, help))
            elif rule.by == CHECK and checked.get(entry.file, False):  # else only some checks look for it
                found.append(_unneeded(f"accepted finding {_named(entry)} no longer occurs", entry))
        return found


def _named(entry: Entry) -> str:
    return f"{entry.code} in {entry.file}"


def _unusable(message: str, entry: Entry, help: str) -> Diagnostic:
    return BY_CODE["LG007"].found(message, entry.place, label=entry.message, help=help)


def _unneeded(message: str, entry: Entry) -> Diagnostic:
    help = "remove the entry, or run `lgc check --write-baseline`"
    return BY_CODE["LG107"].found(message, entry.place, label=entry.message, help=help)


def _expired(finding: Diagnostic, entry: Entry, day: date) -> Diagnostic:
    label = Label(entry.place, f"was accepted until {day.isoformat()}")
    more = (finding.label, finding.help, (*finding.related, label), finding.fix, finding.within)
    return Diagnostic(finding.code, finding.severity, finding.message, finding.place, *more)


# --- writing ----------------------------------------------------------------------------------------------

_HEAD = """\
# Findings that this project accepts, each for the reason given. `expires = 2027-01-31` may be added:
# from the next day on the finding counts again. `lgc check --write-baseline` adds what is new and removes
# what no longer occurs.
version = 1
"""


@frozen
class Found:
    """A finding as it may be accepted."""

    code: str
    file: str
    message: str
    fingerprint: str


def written(
    old: Baseline | None, found: Sequence[Found], checked: Mapping[str, bool], reason: str = ""
) -> str:
    """The text of a baseline that accepts the findings.

    Entries that are still needed, or whose files were not looked at, stay as they are, comments included;
    new ones get `reason`.
    """
    wanted = {one.fingerprint: one for one in found}
    blocks: list[tuple[tuple[str, str, str, str], str]] = []
    head, texts = (_HEAD, []) if old is None else _pieces(old)
    for entry, text in zip(old.entries if old else (), texts, strict=True):
        now = wanted.pop(entry.fingerprint, None)
        if now is None and checked.get(entry.file, False):
            continue
        same = now is None or (now.code, now.file, now.message) == (entry.code, entry.file, entry.message)
        if not (same and text) or (reason and not entry.reason):
            kept = Found(entry.code, entry.file, entry.message, entry.fingerprint)
            text = _table(now or kept, entry.reason or reason, entry.expires)
        blocks.append(((entry.file, entry.code, entry.message, entry.fingerprint), text))
    for new in wanted.values():
        blocks.append(((new.file, new.code, new.message, new.fingerprint), _table(new, reason, None)))
    return "\n".join([head.rstrip() + "\n", *(text.strip("\n") + "\n" for _, text in sorted(blocks))])


def _pieces(old: Baseline) -> tuple[str, list[str]]:
    """What stands above the first entry, and each entry with the comments above it ("" where unknown)."""
    text = old.source.text.replace("\r\n", "\n")
    starts = [match.start() for match in re.finditer(_TABLE, text)]
    if len(starts) != len(old.entries):
        return _HEAD, [""] * len(old.entries)
    starts = [_with_comments(text, start) for start in starts]
    ends = [*starts[1:], len(text)]
    head = text[: starts[0]] if starts else text
    return head, [text[start:end] for start, end in zip(starts, ends, strict=True)]


def _with_comments(text: str, start: int) -> int:
    while start:
        above = text.rfind("\n", 0, start - 1) + 1
        if not text[above:start].lstrip().startswith("#"):
            break
        start = above
    return start


def _table(found: Found, reason: str, expires: date | None) -> str:
    lines = ["[[accepted]]"]
    for key in ("code", "file", "message", "fingerprint"):
        lines.append(f"{key} = {_text(getattr(found, key))}")
    lines.append(f"reason = {_text(reason)}")
    if expires is not None:
        lines.append(f"expires = {expires.isoformat()}")
    return "\n".join(lines) + "\n"


def _text(value: str) -> str:
    """A TOML string: JSON's escapes are TOML's, but for DEL, which must be escaped, and lone surrogates."""
    import json

    value = value.encode("utf-8", "replace").decode()
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
