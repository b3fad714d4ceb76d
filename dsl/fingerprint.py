"""From findings to fingerprints: by them a finding is known again after unrelated edits.

A fingerprint is a digest of the code, the file, the declaration and item that the finding is within, the
names in its message and the words that it marks, without layout and comments; of several that are equal in
all this, which one it is. Lines and columns take no part, nor do the words around the names.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from hashlib import sha256
from typing import TypeAlias

from .diagnostic import Diagnostic

Identity: TypeAlias = tuple[str, int, int, str, str]
"""What tells one finding of a report from the others: its sort key."""

_NAMES = re.compile(r"`([A-Za-z_][\w.]*)`")
_COMMENT = re.compile(r"//[^\n]*")
_LONGEST = 400  # characters of the marked words that count
DIGITS = 16


def fingerprints(
    findings: Iterable[Diagnostic], shown: Callable[[str], str] | None = None
) -> dict[Identity, str]:
    """The fingerprint of each finding, 16 hexadecimal digits.

    Args:
        findings: all of them, silenced ones too: equal ones are numbered by position.
        shown: a source's path to the path that counts, so that it does not depend on the working directory.
    """
    seen: dict[str, int] = {}
    paths: dict[str, str] = {}
    found: dict[Identity, str] = {}
    for finding in sorted(findings, key=Diagnostic.sort_key):
        identity = finding.sort_key()
        if identity in found:
            continue
        path = finding.place.source.path
        if path not in paths:
            paths[path] = path if shown is None else shown(path)
        key = _key(finding, paths[path])
        number = seen[key] = seen.get(key, 0) + 1
        digest = sha256(f"{key}\0{number}".encode("utf-8", "surrogatepass"))
        found[identity] = digest.hexdigest()[:DIGITS]
    return found


def _key(finding: Diagnostic, path: str) -> str:
    source, span = finding.place
    names = " ".join(_NAMES.findall(finding.message))
    marked = _COMMENT.sub("", source.text[span.start : min(span.end, span.start + _LONGEST)])
    words = "".join(marked.partition("{")[0].split())
    return "\0".join((finding.code, path, finding.within, names, words))
