"""From the grammar to Lark's parse tables: built once, kept beside the grammar, loaded at each start.

`tables.json` is written by `python -m lgc.grammar.tables` and holds what Lark needs to go on without
building, behind a stamp: the format, the edition, Lark's version and the SHA-256 of the grammar's text.
Tables with another stamp, or none, or broken ones, are built anew in memory, which takes a fraction of a
second more.
"""

from __future__ import annotations

import json
from pkgutil import get_data
from typing import Any

from . import EDITION, text

FORMAT = 1
NAME = "tables.json"
_OPTIONS: dict[str, Any] = {
    "parser": "lalr",
    "lexer": "contextual",
    "start": "start",
    "keep_all_tokens": True,
    "maybe_placeholders": False,
}


def stamp(grammar: str) -> str:
    """What tables of a grammar must be marked with to be used."""
    from hashlib import sha256

    import lark

    version = ".".join(lark.__version__.split(".")[:2])
    return f"{FORMAT} {EDITION} lark-{version} {sha256(grammar.encode()).hexdigest()}"


def build() -> dict[str, Any]:
    """Tables as plain data, built from the grammar."""
    from lark.grammar import Rule
    from lark.lexer import TerminalDef

    grammar = text()
    data, memo = _built(grammar).memo_serialize([TerminalDef, Rule])
    return {"stamp": stamp(grammar), "data": data, "memo": memo}


def load(transformer: object, plugins: dict[str, Any] | None = None) -> Any:
    """A `lark.Lark` that calls `transformer` for each rule and valued terminal.

    It is `Any` to type checkers: Lark's own types are incomplete. Whatever is wrong with the kept tables, it
    is never an error.
    """
    grammar = text()
    options: dict[str, Any] = {"transformer": transformer, "_plugins": plugins or {}}
    try:
        return _lighter(_loaded(get_data("lgc.grammar", NAME) or b"", grammar, options))
    except Exception:  # whatever is wrong with the file, the grammar itself is there
        return _lighter(_built(grammar, options))


def _built(grammar: str, options: dict[str, Any] | None = None) -> Any:
    from lark import Lark

    return Lark(grammar, **_OPTIONS, **(options or {}))


def _loaded(kept: bytes, grammar: str, options: dict[str, Any]) -> Any:
    from lark import Lark

    tables = json.loads(kept)
    if tables["stamp"] != stamp(grammar):
        raise ValueError("tables of another grammar")
    memo = {int(key): value for key, value in tables["memo"].items()}
    table = tables["data"]["parser"]["parser"]
    table["tokens"] = {int(key): name for key, name in table["tokens"].items()}
    table["states"] = {
        int(state): {int(token): action for token, action in actions.items()}
        for state, actions in table["states"].items()
    }
    lark: Any = Lark
    # What Lark's own generated parsers call; the stamp makes sure of the version.
    return lark._load_from_dict(tables["data"], memo, **options)


class _Symbol:
    """The left side of a reduction."""

    __slots__ = ("name",)

    def __init__(self, name: str) -> None:
        self.name = name


class _Reduction:
    """What Lark's parser looks at when it reduces; it compares and hashes faster than Lark's own rule."""

    __slots__ = ("expansion", "origin")

    def __init__(self, rule: Any) -> None:
        self.expansion = tuple(rule.expansion)
        self.origin = _Symbol(str(rule.origin.name))


def _lighter(lark: Any) -> Any:
    """Put light reductions for Lark's rules into its table and its callbacks (a sixth of the parse)."""
    parser = lark.parser.parser
    table, callbacks = parser._parse_table, parser.parser.callbacks
    light: dict[int, _Reduction] = {}
    for row in table.states.values():
        for terminal, (action, target) in row.items():
            if not isinstance(target, int):
                if id(target) not in light:
                    light[id(target)] = reduction = _Reduction(target)
                    callbacks[reduction] = callbacks[target]
                row[terminal] = (action, light[id(target)])
    return lark


def main() -> None:
    """Write the tables of the grammar as it is now."""
    from pathlib import Path  # noqa: TID251  (a tool of the project, not part of the compiler)

    written = json.dumps(build(), sort_keys=True, separators=(",", ":"))
    Path(__file__).with_name(NAME).write_text(written + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
