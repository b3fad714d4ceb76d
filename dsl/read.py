"""From the bytes of a file to its text, or to what makes them no text."""

from __future__ import annotations

from .diagnostic import Diagnostic, error
from .source import Place, Source, Span

LARGEST_FILE = 16 * 1024 * 1024
"""Bytes of the largest file."""


def read_bytes(path: str, data: bytes) -> tuple[Source | None, tuple[Diagnostic, ...]]:
    """Decode a file. Without a source there is exactly one finding (LG001 encoding, LG006 size).

    The finding's own source holds the text up to the bad byte, so that its position can be shown.
    """
    if len(data) > LARGEST_FILE:
        empty = Source(path, "")
        size = f"the file has {len(data):,} bytes; {LARGEST_FILE:,} (16 MiB) is the limit"
        return None, (error("LG006", size, Place(empty, Span(0, 0)), help="split it and import the parts"),)
    body = data.removeprefix(b"\xef\xbb\xbf")
    try:
        return Source(path, body.decode("utf-8")), ()
    except UnicodeDecodeError as problem:
        before = body[: problem.start].decode("utf-8")
        at = len(before)
        shown = Source(path, before + "\N{REPLACEMENT CHARACTER}" + _rest_of_line(body, problem.start + 1))
        message = f"byte 0x{body[problem.start]:02x} is not valid UTF-8"
        help = _guess(body)
        return None, (error("LG001", message, Place(shown, Span(at, at + 1)), help=help),)


def _rest_of_line(body: bytes, start: int) -> str:
    end = body.find(b"\n", start)
    return body[start : end if end >= 0 else len(body)].decode("utf-8", "replace")


def _guess(body: bytes) -> str:
    if body[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return "this looks like UTF-16: save the file as UTF-8"
    return "save the file as UTF-8"
