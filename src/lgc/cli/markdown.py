"""From sentences to Markdown in which nothing that they quote can act: no tags, links, mentions or tables.

Sentences hold names and pieces of source between backticks; both may come from a stranger's branch and end
in a comment that a robot writes. What stands between backticks becomes a code span, everything else is
escaped.
"""

from __future__ import annotations

import re

from .terminal import printable

_LONGEST = 600  # characters of one sentence
_ACTIVE = re.compile(r"([\\`*_\[\]#|~!>$]|:(?=\S))")
_RUNS = re.compile(r"`+")
_INERT = re.compile(r"[^A-Za-z0-9 ]")
_UNSEEN = "&#8203;"  # of no width: after it, a name is no mention and a number no issue


def inline(text: str, *, cell: bool = False) -> str:
    """A sentence on one line; `cell`: inside a table."""
    text = _one_line(text)
    if len(text) > _LONGEST:
        text = text[: _LONGEST - 1] + "…"
    parts = text.split("`")
    if len(parts) % 2 == 0:  # no telling what is quoted
        return plain(text)
    return "".join(code(part, cell=cell) if at % 2 else plain(part) for at, part in enumerate(parts))


def code(text: str, *, cell: bool = False) -> str:
    """A code span that shows the text as it is."""
    text = _one_line(text)
    if not text.strip():
        return ""
    if cell and "|" in text:  # a table would be cut there, in a code span too
        text = _INERT.sub(lambda found: f"&#{ord(found[0])};", text)
        return f"<code>{text.replace('&#64;', f'&#64;{_UNSEEN}')}</code>"
    fence = "`" * (max((len(run) for run in _RUNS.findall(text)), default=0) + 1)
    space = " " if text[0] in "` " or text[-1] in "` " else ""
    return f"{fence}{space}{text}{space}{fence}"


def plain(text: str) -> str:
    """Text that is shown as it is and does nothing, anywhere but at the beginning of a line."""
    text = _one_line(text).replace("&", "&amp;").replace("<", "&lt;")
    text = _ACTIVE.sub(r"\\\1", text)
    return text.replace("@", f"@{_UNSEEN}").replace("\\#", f"\\#{_UNSEEN}").replace("www.", f"www{_UNSEEN}.")


def fenced(text: str, language: str) -> str:
    """A block of code that nothing in it can end."""
    fence = "`" * max(3, max((len(run) for run in _RUNS.findall(text)), default=0) + 1)
    return f"{fence}{language}\n{text.rstrip()}\n{fence}"


def folded(title: str, body: str) -> str:
    """What is shown after a click; the title is the caller's own."""
    return f"<details><summary>{title}</summary>\n\n{body}\n\n</details>"


def table(header: list[str], rows: list[list[str]]) -> str:
    """A table of cells that are Markdown already."""
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _one_line(text: str) -> str:
    return printable(" ".join(text.split("\n")).replace("\r", " ").replace("\t", " "))
