"""From the grammar to Lark's parser: tables built once, kept beside the grammar, loaded at each start.

`tables.json` is written by `python -m lgc.grammar.tables`. It holds the LALR table that Lark built from the
grammar, without what only building needs, behind a stamp: the format, the edition, and length and CRC-32 of
the grammar's text. Where the file has another stamp, is missing or broken, the table is built anew in
memory, which takes a fraction of a second more.

The layout, format 4: `symbols` are the names of terminals and rules; `terminals` are [name, pattern,
priority]; `rules` are [symbol, length, builder]; `states` has for each parser state the numbers symbol, step,
symbol, step … in one text, where a step from 0 on is the next state and one below 0 is the rule `-1 - step`.
(Most files need a tenth of the states: the others stay texts.)
"""

from __future__ import annotations

import json
from collections.abc import Callable
from operator import itemgetter
from typing import Any
from zlib import crc32

from . import EDITION, data, text
from .lalr import lalr

FORMAT = 4
NAME = "tables.json"
START = "start"
ONLY = "only"
"""The builder of rules that pass their only part on."""


class Terminal:
    """A terminal of the grammar: its pattern is a regular expression."""

    __slots__ = ("name", "pattern", "priority")

    def __init__(self, name: str, pattern: str, priority: int) -> None:
        self.name = name
        self.pattern = pattern
        self.priority = priority


class _Symbol:
    """The left side of a reduction, as Lark's parser looks at it."""

    __slots__ = ("name",)

    def __init__(self, name: str) -> None:
        self.name = name


class _Reduction:
    """A rule as Lark's parser looks at it when it reduces; it compares and hashes faster than Lark's own."""

    __slots__ = ("expansion", "origin")

    def __init__(self, origin: str, length: int) -> None:
        self.expansion = (None,) * length
        self.origin = _Symbol(origin)


class _Table:
    """The table as Lark's parser looks at it."""

    def __init__(self, states: dict[int, Any], start: int, end: int) -> None:
        self.states = states
        self.start_states = {START: start}
        self.end_states = {START: end}


class _At:
    """How far the lexer is, with the text."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0
        self.last_token = None


class _Thread:
    """Tokens as Lark's parser asks for them: from where the lexer is, which a recovery may change."""

    def __init__(self, lexer: Any, text: str) -> None:
        self._lexer = lexer
        self.state = _At(text)

    def lex(self, parser_state: Any) -> Any:
        """The tokens from here on."""
        return self._lexer.lex(self.state, parser_state)


class _States(dict[int, Any]):
    """The rows of the table as Lark looks at them, each made when a parser first comes to its state."""

    def __init__(self, rows: list[str], symbols: list[str], steps: list[Any], shift: object) -> None:
        super().__init__()
        self._rows = rows
        self._symbols = symbols
        self._steps = steps
        self._shift = shift

    def __missing__(self, state: int) -> dict[str, Any]:
        symbols, steps, shift = self._symbols, self._steps, self._shift
        row = [int(number) for number in self._rows[state].split()]
        made = {
            symbols[symbol]: (shift, step) if step >= 0 else steps[step]
            for symbol, step in zip(row[::2], row[1::2], strict=True)
        }
        self[state] = made
        return made


class Parser:
    """Lark's LALR parser over the tables, with a lexer and builders of our own."""

    def __init__(
        self, tables: dict[str, Any], builders: object, lexer: Callable[[list[Terminal]], Any]
    ) -> None:
        lark = lalr()
        symbols: list[str] = tables["symbols"]
        entries: list[tuple[int, int, str]] = tables["rules"]
        rules = [_Reduction(symbols[symbol], length) for symbol, length, _ in entries]
        steps = [(None, rule) for rule in reversed(rules)]  # the step -1 is the first rule
        states = _States(tables["states"], symbols, steps, lark.shift)
        callbacks: dict[Any, Any] = {}
        for rule, (_, _, builder) in zip(rules, entries, strict=True):
            callbacks[rule] = itemgetter(0) if builder == ONLY else getattr(builders, builder)
        self.terminals = [Terminal(*entry) for entry in tables["terminals"]]
        for terminal in self.terminals:
            if hasattr(builders, terminal.name):
                callbacks[terminal.name] = getattr(builders, terminal.name)
        self.lexer = lexer(self.terminals)
        table = _Table(states, tables["start"], tables["end"])
        parser = lark.parser.__new__(lark.parser)
        parser.parser = lark.engine(table, callbacks)
        self._parser = parser

    def parse(self, source: str, on_error: Callable[[Any], bool] | None = None) -> Any:
        """What the builders made of a text; each token that does not fit goes to `on_error`."""
        return self._parser.parse(_Thread(self.lexer, source), START, on_error)


def stamp(grammar: str) -> str:
    """What tables of a grammar must be marked with to be used."""
    written = grammar.encode()
    return f"{FORMAT} {EDITION} {len(written)} {crc32(written):08x}"


def build() -> dict[str, Any]:
    """Tables as plain data, built by Lark from the grammar."""
    from lark import Lark

    grammar = text()
    lark: Any = Lark(grammar, parser="lalr", keep_all_tokens=True, maybe_placeholders=False)
    table = lark.parser.parser._parse_table
    symbols = sorted({str(symbol) for row in table.states.values() for symbol in row})
    index = {symbol: number for number, symbol in enumerate(symbols)}
    rules = {rule: number for number, rule in enumerate(sorted(lark.rules, key=str))}

    numbers = _numbers(table.states, table.start_states[START])

    def step(target: Any) -> int:
        return numbers[target] if isinstance(target, int) else -1 - rules[target]

    def builder(rule: Any) -> str:
        passed_on = rule.options.expand1 and len(rule.expansion) == 1
        return str(rule.alias or (ONLY if passed_on else rule.origin.name))

    states = [
        " ".join(
            f"{index[symbol]} {step(target)}"
            for symbol, (_, target) in sorted(row.items(), key=itemgetter(0))
        )
        for row in (table.states[state] for state in numbers)
    ]
    return {
        "stamp": stamp(grammar),
        "symbols": symbols,
        "terminals": sorted([t.name, t.pattern.to_regexp(), t.priority] for t in lark.terminals),
        "rules": [[index.get(r.origin.name, 0), len(r.expansion), builder(r)] for r in rules],
        "states": states,
        "start": numbers[table.start_states[START]],
        "end": numbers[table.end_states[START]],
    }


def _numbers(states: dict[int, dict[str, tuple[Any, Any]]], start: int) -> dict[int, int]:
    """New numbers of Lark's states, which it numbers differently each time: as they are reached, by name."""
    order = [start]
    numbers = {start: 0}
    for state in order:
        for _, (_, target) in sorted(states[state].items(), key=itemgetter(0)):
            if isinstance(target, int) and target not in numbers:
                numbers[target] = len(numbers)
                order.append(target)
    return numbers


def load(builders: object, lexer: Callable[[list[Terminal]], Any]) -> Parser:
    """The parser, from the kept tables if they are good and from the grammar itself otherwise.

    Args:
        builders: has a method for each builder that the grammar names, and for each terminal with a value.
        lexer: makes Lark's lexer of the terminals.
    """
    try:
        tables = json.loads(data(NAME))
        if tables["stamp"] != stamp(text()):
            raise ValueError("tables of another grammar")
        return Parser(tables, builders, lexer)
    except Exception:  # whatever is wrong with the file, the grammar itself is there
        return Parser(build(), builders, lexer)


def main() -> None:
    """Write the tables of the grammar as it is now."""
    from pathlib import Path  # noqa: TID251  (a tool of the project, not part of the compiler)

    lines = [
        f" {json.dumps(key)}: {json.dumps(value, separators=(',', ':'))}" for key, value in build().items()
    ]
    Path(__file__).with_name(NAME).write_text("{\n" + ",\n".join(lines) + "\n}\n", encoding="utf-8")


if __name__ == "__main__":
    main()
