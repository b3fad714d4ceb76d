"""From a token that the parser cannot take to a finding, and to a place from which it can go on.

First a repair is looked for: a known mistake (misreads), one missing sign, one sign too many. If there is
one, the parser goes on as if it had been made. Otherwise what was begun is dropped back to the innermost
list that is open (clauses of a node, items of a graph, declarations of the file …) and the text is skipped
to the next word that starts an item of that list, to its closing brace, or to an item of a list outside, in
which case the braces between are taken as missing. Nothing is ever copied, and the text is only skipped
forward, so that recovery is linear in the text for any number of mistakes up to the limit.
"""

from __future__ import annotations

from typing import Any

from . import expected, headers, lookahead, repairs
from .build import DEEPEST, Build
from .diagnostic import Fix, Label
from .lexer import Tok, Vocabulary
from .named import NamedTuple
from .source import Place, Span
from .whatif import Table, Trial

MOST_MISTAKES = 200
"""Syntax errors after which the rest of a file is not read."""


class Frame(NamedTuple):
    """A list that is open: which one, and the index on the parser's stack of the state before it."""

    kind: str
    depth: int


def _outermost(value: Any, which: int) -> Any:
    """The first or the last part of gathered parts, however they nest."""
    while isinstance(value, list | tuple):
        value = value[which] if value else None  # pyright: ignore[reportUnknownVariableType]
    return value  # pyright: ignore[reportUnknownVariableType]


def start_of(value: Any) -> int | None:
    """Where a value on the parser's stack starts."""
    first = _outermost(value, 0)
    span: Span | None = getattr(first, "span", None)
    return span.start if span is not None else getattr(first, "start_pos", None)


def end_of(value: Any) -> int | None:
    """Where a value on the parser's stack ends."""
    last = _outermost(value, -1)
    if isinstance(last, int):
        return last
    span: Span | None = getattr(last, "span", None)
    return span.end if span is not None else getattr(last, "end_pos", None)


class Recovery:
    """What Lark calls on each token that it cannot take, for one text."""

    def __init__(self, build: Build, vocabulary: Vocabulary, text: str) -> None:
        self.build = build
        self.vocabulary = vocabulary
        self.text = text
        self.mistakes = 0
        self.last_line = -1
        self.long_strings = 0
        self.swallowed = -1
        """How far a string that is never closed reaches: what should stand in it is not missed."""

    def __call__(self, problem: Any) -> bool:
        """Report the mistake and set parser and lexer to go on; never gives up before the limit."""
        parser = problem.interactive_parser
        self.state = parser.parser_state
        self.lexer_state = parser.lexer_thread.state
        conf = self.state.parse_conf
        self.states: Table = conf.states
        self.end_state: int = conf.end_state
        token: Tok = problem.token
        if token.type == "$END":
            end = len(self.text.rstrip())
            token = Tok("$END", "", end, end)
        self.mistakes += 1
        if self.mistakes > MOST_MISTAKES:
            return self._give_up(token)
        if self._too_deep():
            return self._panic(token)
        if repairs.bad_token(self, token):
            return True
        frames = self.frames()
        at, outer = self._unclosed(frames, token)
        if outer:
            return self._go_on(frames, at, outer, token)
        return repairs.repair(self, token) or self._panic(token)

    # --- what repairs use

    def trial(self, kept: int | None = None) -> Trial:
        """A trial from the parser's stack, or from its first so many states."""
        return Trial(self.states, self.end_state, self.state.state_stack, kept)

    def feed(self, terminal: str, value: str, start: int, end: int) -> None:
        """Give the parser a token that the text does not have in this form."""
        self.state.feed_token(Tok(terminal, value, start, end))

    def last_token(self) -> list[Tok]:
        """The sign or keyword that was read last, if it was one."""
        values = self.state.value_stack
        return [values[-1]] if values and isinstance(values[-1], Tok) else []

    def last_end(self, otherwise: int) -> int:
        """Where the last token that was read ends."""
        values = self.state.value_stack
        end = end_of(values[-1]) if values else None
        return otherwise if end is None else end

    def resume(self, at: int) -> bool:
        """Let the lexer go on from an offset."""
        self.lexer_state.at = at
        return True

    def found(self, token: Tok) -> str:
        """The token in the user's words."""
        if token.type == "$END":
            return "end of file"
        if token.type == "STRING":
            return "string"
        shown = token.value if len(token.value) <= 40 else token.value[:40] + "…"
        return f"`{shown}`" if shown.isprintable() else "character " + ascii(shown)

    def unexpected(self, token: Tok, *, help: str = "", fix: Fix | None = None) -> None:
        """Report a token with what was expected in its place."""
        wanted = expected.sentence(self.trial().accepted())
        message = f"unexpected {self.found(token)}, expected {wanted}"
        self.build.report("LG002", message, Span(token.start_pos, token.end_pos), help=help, fix=fix)

    # --- frames

    def frames(self) -> list[Frame]:
        """The open lists, innermost first; the file itself is last."""
        found: list[Frame] = []
        for index, state in enumerate(self.state.state_stack):
            row = self.states[state]
            if "RBRACE" in row or index == 0:
                for kind in headers.LISTS:
                    if kind in row:
                        found.append(Frame(kind, index))
                        break
        found.reverse()
        return found

    def item_start(self, frame: Frame) -> int | None:
        """Where the item that was begun in a list starts, if one was."""
        values = self.state.value_stack
        at = frame.depth + 1
        return start_of(values[at]) if len(values) > at else None

    def drop_to(self, frame: Frame) -> None:
        """Forget what was begun after the last whole item of a list."""
        stack, values = self.state.state_stack, self.state.value_stack
        target = self.states[stack[frame.depth]][frame.kind][1]
        if len(stack) > frame.depth + 1 and stack[frame.depth + 1] == target:
            del stack[frame.depth + 2 :]
            del values[frame.depth + 1 :]
        else:
            del stack[frame.depth + 1 :]
            del values[frame.depth :]
            if frame.kind != "members":
                stack.append(target)
                values.append([])

    def opening(self, frame: Frame) -> Tok | None:
        """The brace that opened a list."""
        token = self.state.value_stack[frame.depth - 1] if frame.depth else None
        return token if isinstance(token, Tok) else None

    def close(self, frame: Frame, at: int) -> None:
        """Take a list's closing brace as read, although it is not there."""
        if not self.trial().takes(("RBRACE",)):
            self.drop_to(frame)
        if self.trial().takes(("RBRACE",)):
            self.feed("RBRACE", "}", at, at)

    # --- limits

    def _too_deep(self) -> bool:
        values = self.state.value_stack
        if len(values) <= DEEPEST:
            return False
        depth = 0
        for value in values:
            if isinstance(value, Tok) and value.type in ("LPAR", "LSQB", "LBRACE"):
                depth += 1
                if depth > DEEPEST:
                    span = Span(value.start_pos, value.end_pos)
                    self.build.report("LG006", f"this is nested more than {DEEPEST} deep", span)
                    self.last_line = self._line(value.start_pos)
                    return True
        return False

    def _give_up(self, token: Tok) -> bool:
        if self.mistakes == MOST_MISTAKES + 1:
            words = f"more than {MOST_MISTAKES} syntax errors; the rest of the file was not read"
            self.build.report("LG006", words, Span(token.start_pos, token.end_pos))
        for frame in self.frames()[:-1]:
            self.close(frame, token.start_pos)
        file = self.frames()[-1]
        if not self._whole(file):
            self.drop_to(file)
        return self.resume(len(self.text))

    # --- panic

    def _line(self, at: int) -> int:
        return self.build.source.position(at).line

    def _panic(self, token: Tok) -> bool:
        frames = self.frames()
        line = self._line(token.start_pos)
        if line != self.last_line:
            self.last_line = line
            self.unexpected(token, help=repairs.advice(self, token))
        at, outer = self._skip(frames, token)
        for frame in frames[:outer]:
            self.close(frame, at)
        if not self._whole(frames[outer]) or not self._fits(at):
            self.drop_to(frames[outer])
        return self.resume(at)

    def _whole(self, frame: Frame) -> bool:
        """Whether what was begun in a list could end here, so that it is kept."""
        return self.trial().takes(("RBRACE" if frame.depth else "$END",))

    def _go_on(self, frames: list[Frame], at: int, outer: int, token: Tok) -> bool:
        """Close lists whose braces are missing, and go on in the one outside."""
        self._missing_brace(frames[0], at, token)
        for frame in frames[:outer]:
            self.close(frame, at)
        if not self._whole(frames[outer]) or not self._fits(at):
            self.drop_to(frames[outer])
        return self.resume(at)

    def _fits(self, at: int) -> bool:
        """Whether the parser would take the token at an offset."""
        return lookahead.continues(self.vocabulary, self.text, self.trial(), at, 1)

    def _unclosed(self, frames: list[Frame], token: Tok) -> tuple[int, int]:
        """Whether braces are missing: where, and how many. Then an item of a list outside starts there."""
        begun = self.item_start(frames[0])
        whole = self.trial().takes(("RBRACE",))
        if token.type == "$END":
            return token.start_pos, len(frames) - 1 if whole or begun is None else 0
        if begun is not None and (outer := self._outer(frames, begun)):
            return begun, outer
        if whole and (outer := self._outer(frames, token.start_pos)):
            return token.start_pos, outer
        return token.start_pos, 0

    def _outer(self, frames: list[Frame], at: int) -> int:
        """How many lists end before an offset, because an item of a list outside starts there."""
        if not frames or headers.starts(frames[0].kind, self.text, at):
            return 0
        for count in range(1, len(frames)):
            if self._starts(frames, count, at):
                return count
        return 0

    def _starts(self, frames: list[Frame], count: int, at: int) -> bool:
        """Whether an item of the list that is `count` lists outside starts at an offset.

        Where a brace is missing, what follows stands no deeper than the line with the brace that was opened.
        """
        kind = frames[count].kind
        if not headers.starts(kind, self.text, at) or not self._takes(frames, count, at):
            return False
        opening = self.opening(frames[count - 1]) if count and kind != "declarations" else None
        return opening is None or self._column(at) <= self._indent(opening.start_pos)

    def _column(self, at: int) -> int:
        """The column of what is first on its line; very far for anything else."""
        line = self.text.rfind("\n", 0, at) + 1
        return at - line if not self.text[line:at].strip() else len(self.text)

    def _indent(self, at: int) -> int:
        """The column of the first word on the line of an offset."""
        line = self.text.rfind("\n", 0, at) + 1
        rest = self.text[line : at + 1]
        return len(rest) - len(rest.lstrip())

    def _takes(self, frames: list[Frame], outer: int, at: int) -> bool:
        """Whether the list that is `outer` lists outside would take the token at an offset."""
        frame = frames[outer]
        stack = self.state.state_stack
        target = self.states[stack[frame.depth]][frame.kind][1]
        if frame.kind == "members":
            whole = len(stack) > frame.depth + 1 and stack[frame.depth + 1] == target
            trial = self.trial(frame.depth + 2 if whole else frame.depth + 1)
        else:
            trial = self.trial(frame.depth + 1)
            trial.go(frame.kind)
        return lookahead.continues(self.vocabulary, self.text, trial, at, 1)

    def _missing_brace(self, frame: Frame, at: int, token: Tok) -> None:
        if self.swallowed >= at:
            return
        opening = self.opening(frame)
        where = "at the end of the file" if token.type == "$END" else "before this"
        related: tuple[Label, ...] = ()
        if opening is not None:
            place = Place(self.build.source, Span(opening.start_pos, opening.end_pos))
            related = (Label(place, "this brace is never closed"),)
        span = Span(at, max(at, token.end_pos) if token.type == "$END" else token.end_pos)
        self.build.report("LG002", f"missing `}}` {where}", span, related=related)

    def inner_braces(self, depth: int) -> int:
        """How many braces are open behind a place on the parser's stack."""
        values = self.state.value_stack[depth:]
        signs = [value.type for value in values if isinstance(value, Tok)]
        return max(0, signs.count("LBRACE") - signs.count("RBRACE"))

    def _skip(self, frames: list[Frame], token: Tok) -> tuple[int, int]:
        """Where to go on, and in which list: an offset and how many lists are left before it."""
        depth = self.inner_braces(frames[0].depth)
        for ahead in lookahead.raw(self.text, token.start_pos):
            at = ahead.start_pos
            if ahead.type == "$END":
                return at, len(frames) - 1
            if ahead.type == "LBRACE":
                depth += 1
            elif ahead.type == "RBRACE":
                if depth:
                    depth -= 1
                elif len(frames) > 1 and self._takes(frames, 0, at):
                    return at, 0
            elif ahead.type == "COMMA" and not depth and frames[0].kind == "members":
                if self._takes(frames, 0, at):
                    return at, 0
            elif ahead.type == "NAME":
                for outer in range(len(frames) - 1 if depth else 0, len(frames)):
                    if self._starts(frames, outer, at):
                        return at, outer
        return len(self.text), len(frames) - 1
