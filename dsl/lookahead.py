"""Tokens ahead of a mistake, and whether reading could go on over them."""

from __future__ import annotations

from collections.abc import Iterator

from .lexer import GROUPS, MASTER, SIGNS, Tok, Vocabulary
from .whatif import Trial


def raw(text: str, at: int) -> Iterator[Tok]:
    """Tokens from an offset on, not yet seen from any state: words are NAME; the last is `$END`."""
    for match in MASTER.finditer(text, at):
        kind: int = match.lastindex  # type: ignore[assignment]
        start, end = match.span(kind)
        group = GROUPS[kind - 1]
        if group == "END":
            yield Tok("$END", "", start, end)
            return
        value = match[kind]
        yield Tok(SIGNS[value] if group == "SIGN" else group, value, start, end)


def seen(vocabulary: Vocabulary, text: str, token: Tok, trial: Trial) -> str:
    """The terminal that a raw token is in a state."""
    if token.type == "NAME":
        if token.value in vocabulary.words:
            return vocabulary.word(token.value, text, token.end_pos, trial.states, trial.path)
    elif token.value in SIGNS:
        return vocabulary.sign(token.value, text, token.start_pos, trial.states, trial.path)
    return token.type


def continues(vocabulary: Vocabulary, text: str, trial: Trial, at: int, count: int) -> bool:
    """Whether the next so many tokens from an offset on would be taken."""
    trial = trial.fork()
    for token in raw(text, at):
        if count == 0:
            return True
        name = seen(vocabulary, text, token, trial)
        if not trial.feed(name):
            return False
        if name == "$END":
            return True
        count -= 1
    return True
