"""From text to tokens for Lark's parser: its contextual lexer, with one scan instead of a pattern per state.

Lark asks its lexer for one token at a time and tells it the parser's state. This one takes the same
terminals and gives the same tokens as Lark's own contextual lexer (a test holds them against each other),
but scans every state with one pattern and then decides by the state what a word is: a keyword where the
state has room for it and its own pattern agrees with what follows, else a name. What no terminal matches
becomes a token that no state accepts, so that every mistake reaches the recovery in the same way.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from . import words
from .whatif import Table, shifts

if TYPE_CHECKING:
    from ..grammar.tables import Terminal


class Tok:
    """A token. `type` is a terminal of the grammar, or one of BAD_NUMBER, BAD_STRING, BAD_SIGN."""

    __slots__ = ("end_pos", "start_pos", "type", "value")
    line = column = end_line = end_column = None

    def __init__(self, type: str, value: str, start_pos: int, end_pos: int) -> None:
        self.type = type
        self.value = value
        self.start_pos = start_pos
        self.end_pos = end_pos

    def __repr__(self) -> str:
        return f"{self.type} {self.value!r} at {self.start_pos}"


SIGNS = {
    "{": "LBRACE", "}": "RBRACE", "(": "LPAR", ")": "RPAR", "[": "LSQB", "]": "RSQB",
    ":": "COLON", ",": "COMMA", "|": "BAR", "!": "BANG", "->": "ARROW", ".": "DOT", "..": "DOTDOT",
    "=": "EQ", "+=": "PLUS_EQ", "-=": "MINUS_EQ", "?": "QMARK", "?.": "QMARK_DOT", "??": "COALESCE",
    "==": "COMPARE", "!=": "COMPARE", "<": "COMPARE", "<=": "COMPARE", ">": "COMPARE", ">=": "COMPARE",
    "+": "PLUS", "-": "MINUS", "*": "STAR", "/": "SLASH", "%": "PERCENT",
    "=>": "BAD_SIGN", "&&": "BAD_SIGN", "||": "BAD_SIGN", "===": "BAD_SIGN", "!==": "BAD_SIGN",
    ":=": "BAD_SIGN", "<>": "BAD_SIGN",
}  # fmt: skip
"""Signs and the terminals that they are; the bad ones belong to other languages."""

_SIGN = r"[=!]==|=>|->|&&|\|\||:=|<>|\.\.|\?\?|\?\.|[-+]=|[=!<>]=|[-{}()\[\]:,|!.=?+*/%<>]"
GROUPS = ("NAME", "SIGN", "STRING", "DURATION", "FLOAT", "INT", "END", "BAD_NUMBER", "BAD_STRING", "BAD_SIGN")
_NAME, _SIGN_GROUP, _END = 1, 2, 7
_DIGITS = r"[0-9](?:_?[0-9])*"


def _master() -> re.Pattern[str]:
    parts = {
        "NAME": r"[A-Za-z_][A-Za-z0-9_]*",
        "SIGN": _SIGN,
        "STRING": r'"""[^"\\]*(?:(?:\\[\s\S]|"(?!""))[^"\\]*)*"""|"(?!"")[^"\\\n]*(?:\\[^\n][^"\\\n]*)*"',
        "DURATION": rf"{_DIGITS}(?:ms|[smhd])(?![A-Za-z0-9_])",
        "FLOAT": rf"{_DIGITS}(?:\.{_DIGITS}(?:[eE][+-]?[0-9]+)?|[eE][+-]?[0-9]+)(?![A-Za-z0-9_]|\.(?!\.))",
        "INT": rf"{_DIGITS}(?![A-Za-z0-9_]|\.(?!\.))",
        "END": r"\Z",
        "BAD_NUMBER": r"[0-9][A-Za-z0-9_]*(?:\.(?!\.)[A-Za-z0-9_]*)*(?:(?<=[eE])[+-][A-Za-z0-9_]+)?",
        "BAD_STRING": r"\"\"\"[\s\S]*|\"[^\n]*|'(?:[^'\\\n]|\\[^\n])*'?",
        "BAD_SIGN": r"[^\x00-\x7f]+|[\s\S]",
    }
    tokens = "|".join(f"({parts[group]})" for group in GROUPS)
    return re.compile(rf"(?:[ \t\r\n\f]+|//[^\n]*)*(?:{tokens})")


MASTER = _master()
"""White space, comments and one token; its last group is the index of its kind in `GROUPS`, plus one."""

_WORD = re.compile(r"([a-z_]+?)(s\?)?\\b(.*)", re.DOTALL)
_SPLIT = {"COALESCE": "QMARK", "QMARK_DOT": "QMARK"}
_LAST_COMMAS = ("LAST_COMMA", "LAST_COMMA_OF_ACT", "LAST_COMMA_OF_PATH")


class Vocabulary:
    """What the grammar's terminals say about words: which keywords they may be, and what must follow."""

    def __init__(self, terminals: Sequence[Terminal]) -> None:
        found: dict[str, list[tuple[int, str, str]]] = {}
        self._looks: dict[str, re.Pattern[str]] = {}
        self._patterns: dict[str, str] = {}
        self._divided = ""
        self._divisions: list[int] = []
        for terminal in terminals:
            match = _WORD.fullmatch(terminal.pattern)
            if match:
                word, plural, look = match.groups()
                for form in (word, word + "s") if plural else (word,):
                    found.setdefault(form, []).append((-terminal.priority, terminal.name, look))
            elif terminal.name in _LAST_COMMAS or terminal.name == "SLASH_SLASH":
                self._patterns[terminal.name] = terminal.pattern
        self.words = {
            word: tuple((name, look) for _, name, look in sorted(entries)) for word, entries in found.items()
        }

    def _looks_so(self, look: str, text: str, at: int) -> bool:
        pattern = self._looks.get(look)
        if pattern is None:
            pattern = self._looks[look] = re.compile(look)
        return pattern.match(text, at) is not None

    def word(self, word: str, text: str, end: int, states: Table, stack: list[int]) -> str:
        """The terminal that a word is in a state: a keyword where it can stand, else a name."""
        entries = self.words[word]
        accepts = states[stack[-1]]
        for name, look in entries:
            if name not in accepts or (look and not self._looks_so(look, text, end)):
                continue
            if "NAME" not in accepts or shifts(states, stack, name):
                return name
        return entries[0][0] if word in words.RESERVED else "NAME"

    def comma(self, text: str, start: int, states: Table, stack: list[int]) -> str:
        """Whether a comma is the last one of a list without brackets."""
        accepts = states[stack[-1]]
        for name in _LAST_COMMAS:
            fits = name in accepts and self._looks_so(self._patterns[name], text, start)
            if fits and shifts(states, stack, name):
                return name
        return "COMMA"

    def division(self, text: str, start: int) -> int:
        """The offset of the next `//` that divides where the state has room for an operator."""
        if self._divided is not text:
            self._divided = text
            pattern = re.compile(self._patterns["SLASH_SLASH"])
            self._divisions = [match.start() for match in pattern.finditer(text)]
        at = bisect_left(self._divisions, start)
        return self._divisions[at] if at < len(self._divisions) else len(text)

    def sign(self, value: str, text: str, start: int, states: Table, stack: list[int]) -> str:
        """The terminal that a sign is in a state."""
        name = SIGNS[value]
        if name == "COMMA":
            return self.comma(text, start, states, stack)
        accepts = states[stack[-1]]
        split = _SPLIT.get(name)
        return split if split is not None and name not in accepts and split in accepts else name


def _slashes(text: str, start: int) -> int:
    """The offset of the next `//`, whatever it is; past the end where there is none."""
    at = text.find("//", start)
    return at if at >= 0 else len(text) + 1


class ContextualLexer:
    """Lark's contextual lexer, as its parser calls it."""

    def __init__(self, terminals: Sequence[Terminal]) -> None:
        self.vocabulary = Vocabulary(terminals)

    def lex(self, lexer_state: Any, parser_state: Any) -> Iterator[Tok]:
        """The tokens from the lexer state's position on, each as the parser's state at that time sees it."""
        text: str = lexer_state.text
        at: int = lexer_state.at
        states = parser_state.parse_conf.states
        stack: list[int] = parser_state.state_stack
        vocabulary = self.vocabulary
        known, signs, groups = vocabulary.words, SIGNS, GROUPS
        slashes = _slashes(text, at)
        again = True
        while again:
            again = False
            for match in MASTER.finditer(text, at):
                kind: int = match.lastindex  # type: ignore[assignment]
                start, end = match.span(kind)
                if slashes < start:
                    divides = "SLASH_SLASH" in states[stack[-1]] and shifts(states, stack, "SLASH_SLASH")
                    division = vocabulary.division(text, at) if divides else start
                    again = division < start
                    at = division + 2 if again else at
                    slashes = _slashes(text, at if again else start)
                    if again:
                        yield Tok("SLASH_SLASH", "//", division, at)
                        break
                value = text[start:end]
                if kind == _NAME:
                    name = "NAME"
                    if value in known:
                        name = vocabulary.word(value, text, end, states, stack)
                elif kind == _SIGN_GROUP:
                    name = signs[value]
                    if name == "COMMA" or name not in states[stack[-1]]:
                        name = vocabulary.sign(value, text, start, states, stack)
                        if name == "QMARK" and end - start == 2:
                            at, again = start + 1, True
                            yield Tok("QMARK", "?", start, at)
                            break
                elif kind == _END:
                    break
                else:
                    name = groups[kind - 1]
                at = end
                yield Tok(name, value, start, end)
