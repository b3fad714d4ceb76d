"""From the spelling of a constant to its value, and what is wrong with the spelling.

A text in three quotes may run over several lines. Its value is defined by four steps: line ends become
`\\n`; a line end right behind the opening quotes is dropped; the white space that all lines with other
content start with is removed (lines of white space only become empty), as `textwrap.dedent` does; then
escapes are decoded, so that an escape never counts as indentation. A line end before the closing quotes
stays.
"""

from __future__ import annotations

import re
from functools import lru_cache

from .named import NamedTuple

MOST_DIGITS = 640
"""Digits of the longest integer: what every Python converts, however it is configured."""

LONGEST_DURATION = 1_000_000 * 86_400_000
"""Milliseconds of the longest duration: a million days still fit the calendar."""

UNITS = {"ms": 1, "s": 1_000, "m": 60_000, "h": 3_600_000, "d": 86_400_000}


class Flaw(NamedTuple):
    """What is wrong with a constant: code, offset from its start, length, words, help."""

    code: str
    offset: int
    length: int
    message: str
    help: str


class Decoded(NamedTuple):
    """A constant's value (a harmless one where there are flaws) and its flaws."""

    value: int | float | str
    flaws: tuple[Flaw, ...]


def _bad(value: int | float, flaw: Flaw) -> Decoded:
    return Decoded(value, (flaw,))


@lru_cache(maxsize=4096)
def integer(text: str) -> Decoded:
    """The value of `1_000`."""
    digits = text.replace("_", "")
    if digits[0] == "0" and len(digits) > 1:
        shown = digits.lstrip("0") or "0"
        words = f"the number `{text[:20]}` starts with a zero"
        return _bad(0, Flaw("LG004", 0, len(text), words, f"write `{shown[:20]}`"))
    if len(digits) > MOST_DIGITS:
        words = f"the number has {len(digits)} digits; {MOST_DIGITS} is the limit"
        return _bad(0, Flaw("LG006", 0, len(text), words, ""))
    return Decoded(int(digits), ())


def real(text: str) -> Decoded:
    """The value of `0.5` or `1e-3`."""
    digits = text.replace("_", "")
    if digits[0] == "0" and digits[1].isdigit():
        words = f"the number `{text[:20]}` starts with a zero"
        return _bad(0.0, Flaw("LG004", 0, len(text), words, ""))
    value = float(digits)
    if value in (float("inf"), float("-inf")):
        words = "the number is larger than any float"
        return _bad(0.0, Flaw("LG006", 0, len(text), words, "the largest is about 1.8e308"))
    return Decoded(value, ())


@lru_cache(maxsize=4096)
def duration(text: str) -> Decoded:
    """The milliseconds of `500ms`, `30s`, `5m`, `2h`, `7d`."""
    unit = "ms" if text.endswith("ms") else text[-1]
    count = integer(text[: -len(unit)])
    if count.flaws:
        return count
    value = int(count.value) * UNITS[unit]
    if value > LONGEST_DURATION:
        words = "the duration is longer than a million days"
        return _bad(0, Flaw("LG006", 0, len(text), words, ""))
    return Decoded(value, ())


_PAIR = r"u([dD][89abAB][0-9a-fA-F]{2})\\u([dD][c-fC-F][0-9a-fA-F]{2})"
_ESCAPE = rf"(?s:\\(?:{_PAIR}|u([0-9a-fA-F]{{4}})|(.)|))"
_SIMPLE = {'"': '"', "\\": "\\", "/": "/", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t"}
_ALLOWED = 'the escapes are \\" \\\\ \\/ \\b \\f \\n \\r \\t and \\u with four hexadecimal digits'


def _unescape(text: str, flaws: list[Flaw], offsets: list[int] | None) -> str:
    """Decode the escapes of `text`; flaws get the offset that `offsets` gives to the n-th escape."""
    count = 0

    def flaw(length: int, message: str, help: str) -> str:
        at = offsets[count - 1] if offsets and count <= len(offsets) else 0
        flaws.append(Flaw("LG005", at, length, message, help))
        return "\N{REPLACEMENT CHARACTER}"

    def one(match: re.Match[str]) -> str:
        nonlocal count
        count += 1
        high, low, code, letter = match.groups()
        if high is not None:
            return chr(0x10000 + ((int(high, 16) - 0xD800) << 10) + int(low, 16) - 0xDC00)
        if code is not None:
            if 0xD800 <= int(code, 16) < 0xE000:
                pair = "a character above U+FFFF is written as a pair, such as \\ud83d\\ude00"
                return flaw(6, f"`\\u{code}` is half of a surrogate pair", pair)
            return chr(int(code, 16))
        if letter in _SIMPLE:
            return _SIMPLE[letter]
        if letter == "u":
            return flaw(2, "`\\u` needs four hexadecimal digits", "such as \\u00e9")
        shown = letter if letter and letter.isprintable() else ""
        return flaw(2 if shown else 1, f"there is no escape `\\{shown}`", _ALLOWED)

    return re.sub(_ESCAPE, one, text)


_BLANK = r"(?m:^[ \t]+$)"
_INDENT = r"(?m:^([ \t]*)[^ \t\n])"


def dedent(text: str) -> str:
    """Remove the white space that all lines start with; lines of white space only become empty."""
    text = re.sub(_BLANK, "", text)
    indents: list[str] = re.findall(_INDENT, text)
    margin = min(indents, key=len, default="")
    while not all(indent.startswith(margin) for indent in indents):
        margin = margin[:-1]
    return re.sub(rf"^{margin}", "", text, flags=re.MULTILINE) if margin else text


def string(text: str) -> Decoded:
    """The value of `"…"` or `\"\"\"…\"\"\"`, escapes decoded and common indentation removed."""
    long = text.startswith('"""') and len(text) >= 6
    raw = text[3:-3] if long else text[1:-1]
    if "\\" not in raw and not long:
        return Decoded(raw, ())
    offsets: list[int] | None = None
    if "\\" in raw:
        quotes = 3 if long else 1
        offsets = [match.start() + quotes for match in re.finditer(_ESCAPE, raw)]
    if long:
        raw = raw.replace("\r\n", "\n").replace("\r", "\n")
        raw = dedent(raw.removeprefix("\n"))
    flaws: list[Flaw] = []
    value = _unescape(raw, flaws, offsets) if offsets else raw
    return Decoded(value, tuple(flaws))
