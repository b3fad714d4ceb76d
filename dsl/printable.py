"""From any text to text that a terminal shows as it is meant: no control sequences, known widths.

What a source, a path or a message holds is not trusted: control characters, characters that turn the
direction of writing and characters without width are shown as escapes.
"""

from __future__ import annotations

import re

TAB = "    "

# C0, DEL and C1 controls; zero-width, directional and invisible characters; lone surrogates; tags.
_HIDDEN = (
    "[\x00-\x1f\x7f-\x9f\xad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff0-\ufffb\ud800-\udfff"
    "\U000e0000-\U000e0fff]"
)
_SELECTORS = "[\ufe00-\ufe0f\u180b-\u180d]"


def _escape(match: re.Match[str]) -> str:
    code = ord(match.group())
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{{{code:x}}}"


def printable(text: str) -> str:
    """One line of text with tabs widened and everything that a terminal would not show escaped."""
    if text.isascii() and text.isprintable():
        return text
    return re.sub(_SELECTORS, "", re.sub(_HIDDEN, _escape, text.replace("\t", TAB)))


def sentence(text: str) -> str:
    """A message on one line: line ends become spaces, the rest as `printable`."""
    return printable(" ".join(text.splitlines()) if "\n" in text or "\r" in text else text)


def width(text: str) -> int:
    """How many columns a terminal uses for text that went through `printable`."""
    if text.isascii():
        return len(text)
    from unicodedata import category, east_asian_width

    columns = 0
    for char in text:
        if category(char) in ("Mn", "Me") or 0x1160 <= ord(char) <= 0x11FF:
            continue
        columns += 2 if east_asian_width(char) in ("W", "F") else 1
    return columns
