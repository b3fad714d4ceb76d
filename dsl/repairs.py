"""Repairs of single mistakes: bad tokens, known misreadings, one sign missing, one sign too many."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from . import ast, expected, headers, lookahead, misreads, words
from .diagnostic import Fix
from .lexer import Tok
from .source import Span

if TYPE_CHECKING:
    from .recover import Recovery
    from .whatif import Trial

_MISSING = ("COMMA", "COLON", "EQ", "ARROW", "LPAR", "RPAR", "RSQB", "LBRACE", "DOTDOT")
_LOOK = 3
"""Tokens that must be readable behind a repair."""

_DIGITS = re.compile(r"\.[0-9]+(?![0-9A-Za-z_.])")
_UNIT = re.compile(r"[ \t]+(ms|[smhd])\b")
_NONE = re.compile(r"[ \t]*(?:none|None|null)\b")


def bad_token(r: Recovery, token: Tok) -> bool:
    """Report a token that is wrong in itself, and go on as if a right one stood there."""
    match token.type:
        case "BAD_NUMBER":
            return _number(r, token)
        case "BAD_STRING":
            return _string(r, token)
        case _:
            return False


def repair(r: Recovery, token: Tok) -> bool:
    """Report a mistake with one likely repair and go on as if it had been made; False if there is none."""
    return any(attempt(r, token) for attempt in _ATTEMPTS)


# --- bad tokens


def _number(r: Recovery, token: Tok) -> bool:
    message, help, fix = misreads.number(token.value, Span(token.start_pos, token.end_pos))
    r.build.report("LG004", message, Span(token.start_pos, token.end_pos), help=help, fix=fix)
    duration = any(token.value.endswith(unit) for unit in "smhd")
    kinds = ("DURATION", "FLOAT", "INT") if duration else ("INT", "FLOAT", "DURATION")
    for kind in kinds:
        if r.trial().takes((kind,)):
            value = {"DURATION": "1s", "FLOAT": "0.0", "INT": "1"}[kind]
            r.feed(kind, value, token.start_pos, token.end_pos)
            return r.resume(token.end_pos)
    return r.resume(token.end_pos)


_TAIL = re.compile(r"[ \t\r)}\],]+\Z")


def _string(r: Recovery, token: Tok) -> bool:
    start, end = token.start_pos, token.end_pos
    if token.value.startswith("'"):
        return _single_quotes(r, token)
    if token.value.startswith('"""'):
        r.build.report("LG003", 'a string that starts with `"""` is never closed', Span(start, start + 3))
        end = r.swallowed = _next_declaration(r, start + 3)
    else:
        help = 'a string ends on its line; `"""` starts one that may go on over several lines'
        tail = _TAIL.search(token.value)
        if tail is not None and tail.start() > 1:
            end = start + tail.start()
        r.build.report("LG003", "a string is never closed", Span(start, end), help=help)
    if r.trial().takes(("STRING",)):
        r.feed("STRING", '""', start, end)
    return r.resume(end)


def _next_declaration(r: Recovery, at: int) -> int:
    """The next line that starts a declaration; once only, so that no text is searched again and again."""
    r.long_strings += 1
    if r.long_strings == 1:
        for match in re.compile(r"^[a-z]+", re.MULTILINE).finditer(r.text, at):
            if headers.starts("declarations", r.text, match.start()):
                return match.start()
    return len(r.text)


def _single_quotes(r: Recovery, token: Tok) -> bool:
    value = token.value
    closed = len(value) > 1 and value.endswith("'")
    span = Span(token.start_pos, token.end_pos)
    if not closed:
        r.build.report("LG003", "a string is never closed", span, help="strings stand in double quotes")
    else:
        ours = '"' + value[1:-1].replace("\\'", "'").replace('"', '\\"') + '"'
        fix = Fix(span, ours, f"write {ours[:40]}")
        r.build.report("LG002", "strings stand in double quotes", span, help=fix.title, fix=fix)
    if r.trial().takes(("STRING",)):
        r.feed("STRING", '""', token.start_pos, token.end_pos)
    return r.resume(token.end_pos)


# --- words


def _reserved(r: Recovery, token: Tok) -> bool:
    if token.value not in words.RESERVED or not r.trial().takes(("NAME",)):
        return False
    if token.type in ("WHEN", "ELSE", "ON") and "ARROW" in (t.type for t in r.last_token()):
        return False
    trial = r.trial()
    trial.feed("NAME")
    if not lookahead.continues(r.vocabulary, r.text, trial, token.end_pos, 1):
        return False
    message = f"`{token.value}` is a reserved word and cannot be a name"
    r.build.report("LG103", message, Span(token.start_pos, token.end_pos))
    r.build.excused.add(token.start_pos)
    r.feed("NAME", token.value, token.start_pos, token.end_pos)
    return r.resume(token.end_pos)


def _misread(r: Recovery, token: Tok) -> bool:
    """A mistake of the table, if what it takes for the sign to be read otherwise can be read here."""
    for mistake in misreads.MISTAKES:
        if mistake.found != token.value:
            continue
        span = Span(token.start_pos, token.end_pos)
        trial = r.trial()
        if not trial.feed(mistake.means):
            continue
        sure = token.type == "BAD_SIGN" or token.value == "!"
        if not sure and not lookahead.continues(r.vocabulary, r.text, trial, token.end_pos, 1):
            continue
        fix = Fix(span, mistake.write, f"write `{mistake.write}`")
        r.build.report("LG002", mistake.message, span, help=fix.title, fix=fix)
        r.feed(mistake.means, mistake.write.strip(), token.start_pos, token.end_pos)
        return r.resume(token.end_pos)
    return False


def _skipped(r: Recovery, token: Tok) -> bool:
    """Signs that mean nothing here: `;`, and comments of other languages."""
    start = token.start_pos
    line_end = r.text.find("\n", start)
    line_end = len(r.text) if line_end < 0 else line_end
    if token.value == ";":
        fix = Fix(Span(start, start + 1), "", "delete it")
        r.build.report("LG002", "nothing ends with `;` here", Span(start, start + 1), help=fix.title, fix=fix)
        return r.resume(start + 1)
    if token.value == "#":
        fix = Fix(Span(start, start + 1), "//", "write `//`")
        r.build.report("LG002", "a comment starts with `//`", Span(start, start + 1), help=fix.title, fix=fix)
        return r.resume(line_end)
    if r.text.startswith("/*", start):
        end = r.text.find("*/", start)
        r.build.report("LG002", "a comment starts with `//` and ends with its line", Span(start, start + 2))
        return r.resume(end + 2 if end >= 0 else len(r.text))
    return False


def _nearest(r: Recovery, trial: Trial, word: str) -> tuple[str, str] | None:
    """The keyword that is meant by a word, of those that a state takes, and its terminal."""
    accepted = {t for t in trial.accepted() if t not in ("NAME", "$END")}
    known = {w: name for w, entries in r.vocabulary.words.items() for name, _ in entries if name in accepted}
    near = misreads.nearest(word, sorted(known))
    return None if near is None or near == word else (near, known[near])


def _keyword(r: Recovery, token: Tok) -> bool:
    """A keyword that is spelt wrong, or called otherwise in other languages."""
    if token.type != "NAME" or (near := _nearest(r, r.trial(), token.value)) is None:
        return False
    word, terminal = near
    trial = r.trial()
    trial.feed(terminal)
    if not lookahead.continues(r.vocabulary, r.text, trial, token.end_pos, 1):
        return False
    fix = Fix(Span(token.start_pos, token.end_pos), word, f"write `{word}`")
    r.unexpected(token, help=f"did you mean `{word}`?", fix=fix)
    r.feed(terminal, word, token.start_pos, token.end_pos)
    return r.resume(token.end_pos)


def _keyword_before(r: Recovery, token: Tok) -> bool:
    """The same where the word was taken for a name, and only the token behind it does not fit."""
    frame = r.frames()[0]
    values = r.state.value_stack[frame.depth + 1 :]
    if len(values) != 1 or not isinstance(values[0], ast.Name):
        return False
    name = values[0]
    trial = r.trial(frame.depth + 2)
    if (near := _nearest(r, trial, name.text)) is None:
        return False
    word, terminal = near
    trial.feed(terminal)
    if not lookahead.continues(r.vocabulary, r.text, trial, token.start_pos, _LOOK):
        return False
    help = f"did you mean `{word}`?"
    message = f"`{name.text[:40]}` starts nothing here"
    r.build.report("LG002", message, name.span, help=help, fix=Fix(name.span, word, f"write `{word}`"))
    r.drop_to(frame)
    r.feed(terminal, word, name.span.start, name.span.end)
    return r.resume(token.start_pos)


# --- constants and types


def _point(r: Recovery, token: Tok) -> bool:
    """`.5`"""
    start = token.start_pos
    digits = _DIGITS.match(r.text, start)
    if digits is None or not r.trial().takes(("FLOAT",)):
        return False
    span = Span(start, digits.end())
    ours = "0" + digits.group()
    fix = Fix(span, ours, f"write `{ours}`")
    r.build.report(
        "LG004", f"`{digits.group()}` needs a digit before the point", span, help=fix.title, fix=fix
    )
    r.feed("FLOAT", ours, start, digits.end())
    return r.resume(digits.end())


def _duration(r: Recovery, token: Tok) -> bool:
    """`30 s`, or a number where a duration must stand."""
    if token.type not in ("INT", "FLOAT") or not r.trial().takes(("DURATION",)):
        return False
    span = Span(token.start_pos, token.end_pos)
    unit = _UNIT.match(r.text, token.end_pos)
    if unit is not None and token.type == "INT":
        span = Span(token.start_pos, unit.end())
        ours = token.value + unit[1]
        fix = Fix(span, ours, f"write `{ours}`")
        r.build.report("LG004", "a duration has no space before its unit", span, help=fix.title, fix=fix)
    else:
        help = f"such as `{token.value[:20]}s`; the units are ms, s, m, h and d"
        r.build.report("LG002", f"unexpected {r.found(token)}, expected a duration", span, help=help)
    r.feed("DURATION", "1s", *span)
    return r.resume(span.end)


def _none(r: Recovery, token: Tok) -> bool:
    """`x is none`, `x is not none`, `str | None`."""
    last = next(iter(r.last_token()), None)
    if last is not None and last.type == "IS" and token.type in ("NONE", "NOT"):
        after = _NONE.match(r.text, token.end_pos) if token.type == "NOT" else None
        if token.type == "NOT" and after is None:
            return False
        sign = "==" if after is None else "!="
        span = Span(last.start_pos, token.start_pos if after is None else token.end_pos)
        fix = Fix(span, sign + " " if after is None else sign, f"write `{sign} none`")
        message = "`is` tests which record of a union it is, not for `none`"
        r.build.report("LG002", message, Span(last.start_pos, last.end_pos), help=fix.title, fix=fix)
        r.state.value_stack.pop()
        r.state.state_stack.pop()
        r.feed("COMPARE", sign, last.start_pos, last.end_pos)
        return r.resume(token.start_pos if after is None else token.end_pos)
    if token.type == "BAR" and r.trial().takes(("QMARK",)):
        none = _NONE.match(r.text, token.end_pos)
        if none is not None:
            span = Span(token.start_pos, none.end())
            fix = Fix(Span(r.last_end(span.start), span.end), "?", "write `T?`")
            r.build.report("LG002", "a type with `none` is written `T?`", span, help=fix.title, fix=fix)
            r.feed("QMARK", "?", *span)
            return r.resume(span.end)
    return False


# --- signs


def _missing(r: Recovery, token: Tok) -> bool:
    for terminal in _MISSING:
        if terminal == "LBRACE" and token.value == "}":
            continue  # nobody forgets half of `{}`; something is missing before the brace
        trial = r.trial()
        if trial.feed(terminal) and lookahead.continues(r.vocabulary, r.text, trial, token.start_pos, _LOOK):
            shown = expected.spelling(terminal)
            at = r.last_end(token.start_pos)
            span = Span(token.start_pos, token.end_pos)
            fix = Fix(Span(at, at), shown.strip("`"), f"add {shown}")
            r.build.report(
                "LG002", f"unexpected {r.found(token)}, expected {shown}", span, help=fix.title, fix=fix
            )
            r.feed(terminal, shown.strip("`"), token.start_pos, token.start_pos)
            return r.resume(token.start_pos)
    return False


def _extra(r: Recovery, token: Tok) -> bool:
    if token.type in ("NAME", "STRING", "$END") or token.value[:1].isalnum():
        return False
    if token.value == "}" and r.inner_braces(0):
        return False  # it closes what is open, in which something is missing
    count = 1 if token.value in ("}", ",") else _LOOK
    if not lookahead.continues(r.vocabulary, r.text, r.trial(), token.end_pos, count):
        return False
    span = Span(token.start_pos, token.end_pos)
    r.unexpected(token, help="delete it", fix=Fix(span, "", "delete it"))
    return r.resume(token.end_pos)


def advice(r: Recovery, token: Tok) -> str:
    """Help for a mistake without a repair, from the words around it."""
    before = r.text[max(0, token.start_pos - 60) : token.start_pos].split()
    return misreads.advice(before[-1] if before else "", token.value)


_ATTEMPTS = (
    _none, _reserved, _misread, _skipped, _point, _duration, _keyword, _keyword_before, _missing, _extra
)  # fmt: skip
