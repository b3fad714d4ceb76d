"""From the words after `lgc check` to its options, where click is not needed to read them.

The table holds the options that only look: `check` gives them to click from here, and `read` understands
them itself, because importing click takes longer than checking a file. Whatever else stands among the words
(another option, a mistake, `--help`) is left to click, all of it.
"""

from __future__ import annotations

from collections.abc import Sequence

from ..dsl.frozen import frozen

TYPE_CHECKING = False  # as in `lgc`
if TYPE_CHECKING:
    from typing import Any


@frozen
class Plain:
    """One option of the command.

    Attributes:
        word: as it is written.
        name: what the command calls its value.
        help: its line in the help of the command.
        metavar: what stands for its value there; "" where it has none or one of `choices`.
        choices: the values that it can have, where these are given; the first is that without it.
        many: whether it may be given several times, and all count.
    """

    word: str
    name: str
    help: str
    metavar: str = ""
    choices: tuple[str, ...] = ()
    many: bool = False


PLAIN = (
    Plain("--format", "form", "How findings are written.", "", ("text", "json", "sarif", "github", "junit")),
    Plain("--strict", "strict", "Warnings fail too."),
    Plain("--select", "select", "Only these findings (codes or their beginnings).", "CODES", many=True),
    Plain("--ignore", "ignore", "All but these findings.", "CODES", many=True),
    Plain("--baseline", "baseline", "The file with accepted findings.", "FILE"),
    Plain("--no-cache", "no_cache", "Check every file, and remember nothing of it."),
    Plain("--stats", "stats", "Tell how long each phase and each rule took, on stderr."),
    Plain("--stdin-name", "stdin_name", "What standard input (-) is called.", "PATH"),
)


def read(words: Sequence[str]) -> tuple[tuple[str, ...], dict[str, Any]] | None:
    """The paths and the values of options among some words; None where click has to read them."""
    paths: list[str] = []
    values: dict[str, Any] = {}
    left = iter(words)
    for word in left:
        if word[:1] != "-" or word == "-":
            paths.append(word)
            continue
        name, given, value = word.partition("=")
        option = next((one for one in PLAIN if one.word == name), None)
        if option is None:
            return None
        if not option.metavar and not option.choices:
            if given:
                return None
            values[option.name] = True
            continue
        value = value if given else next(left, "-")
        if value[:1] == "-" or (option.choices and value not in option.choices):
            return None
        values[option.name] = (*values.get(option.name, ()), value) if option.many else value
    return tuple(paths), values
